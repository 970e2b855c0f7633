"""Tasks, as every guest describes them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A thread of the kernel: its number and its name, as the kernel has them."""

    pid: int
    comm: str

    def __str__(self) -> str:
        return f"{self.comm}/{self.pid}"
