"""The tasks of a scene: who runs, who was preempted, who waits, and where."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["running", "preempted", "ready", "blocked", "ended"]
Region = Literal["old", "new", "trampoline", "int3", "elsewhere"]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task.

    Attributes:
        address: of its descriptor; it names the task for as long as it lives.
        pid, comm: as the kernel has them.
        status: "preempted": the core was taken from it; "ready": it gave the core up, or was
            woken, and waits for its turn.
        core: the one it belongs to or has.
        place: where it goes on, the innermost function it stands in by its own doing: behind an
            interrupt, the interrupted one.
        region: whether that is in the own body of a function that is being patched, in a
            replacement, in a trampoline, or in the int3 handler; wherever in its stack.
        why: one sentence on how it came to stand there.
        switches: how often it gave up the core and how often it was taken from it; None: the
            kernel does not say.
    """

    address: int
    pid: int
    comm: str
    status: Status
    core: int | None
    place: str
    region: Region
    why: str
    switches: tuple[int, int] | None

    @property
    def name(self) -> str:
        """What the task is called everywhere."""
        return f"{self.comm}/{self.pid}"
