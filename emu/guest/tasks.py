"""Tasks, as every guest describes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emu.guest.registers import of_core
from emu.machine.machine import Machine

ENDED: Final = frozenset({"unused", "dead", "zombie"})
"""States of tasks that never run again, as `Task.state` has them."""


@dataclass(frozen=True, slots=True)
class Task:
    """A thread of the kernel. What a kernel does not tell is None.

    Attributes:
        pid, comm: its number and its name, as the kernel has them.
        state: "running", "sleeping": the kernel's own word, in lower case without TASK_.
        cpu: the core it belongs to. core: the one that executes on its stack now.
        on_rq: whether it has a core or waits for one, rather than for something to happen.
        nvcsw, nivcsw: how often it gave up the core, and how often the core was taken from it.
        stack, stack_end: its kernel stack: lowest byte, and behind the last.
        sp: of a task without a core, its stack pointer where it goes on.
        cr3: its page tables; 0: it has none of its own.
        address: of its descriptor.
        patch_state: of a kernel with livepatches, 0: it runs the functions as they were, 1: as
            they are patched, -1: no transition is under way (include/linux/livepatch.h).
    """

    pid: int
    comm: str
    state: str | None = None
    cpu: int | None = None
    core: int | None = None
    on_rq: bool | None = None
    nvcsw: int | None = None
    nivcsw: int | None = None
    stack: int | None = None
    stack_end: int | None = None
    sp: int | None = None
    cr3: int | None = None
    address: int = 0
    patch_state: int | None = None

    def __str__(self) -> str:
        return f"{self.comm}/{self.pid}"

    @property
    def ended(self) -> bool | None:
        """Whether it has ended, and only its descriptor is left; None if the kernel has no word."""
        return None if self.state is None else self.state in ENDED

    @property
    def bounds(self) -> tuple[int, int] | None:
        """Lowest byte of its kernel stack and behind the last; None if the kernel does not say."""
        if self.stack is None or self.stack_end is None or not self.stack < self.stack_end:
            return None
        return self.stack, self.stack_end


def cores_of(
    machine: Machine, tasks: tuple[Task, ...], current: Callable[[int], int | None]
) -> dict[int, int]:
    """Return the core of each task that has one, by the address of the task.

    That is the core which executes on the task's stack: while the kernel switches, its own word
    (current: by core, the address of a task or None) is the next task already, or still the last.
    On another stack its word is taken.
    """
    found = {}
    for core in range(machine.cores):
        if not machine.started(core):
            continue
        registers = of_core(machine, core)
        on = None if registers.user else _on_stack(tasks, registers.sp)
        address = current(core) if on is None else on.address
        if address is not None:
            found[address] = core
    return found


def _on_stack(tasks: tuple[Task, ...], sp: int | None) -> Task | None:
    """Return the task on whose kernel stack `sp` is."""
    for task in tasks:
        bounds = task.bounds
        if sp is not None and bounds is not None and bounds[0] < sp <= bounds[1]:
            return task
    return None
