"""The tasks of a scene: who runs, who was preempted, who waits, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from emu.guest import off_core
from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task
from emu.scene.look import Look
from emu.scene.path import Role

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
        blocks: whether a live patch waits for it: it has yet to go over.
        last: when it last lost a core, virtual ns; None: not lately, or there are few tasks.
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
    blocks: bool = False
    last: int | None = None

    @property
    def name(self) -> str:
        """What the task is called everywhere."""
        return f"{self.comm}/{self.pid}"


_REGIONS: Final[dict[Role, Region]] = {
    "function": "old",
    "replacement": "new",
    "trampoline": "trampoline",
    "int3": "int3",
}
_STATUSES: Final[dict[off_core.Lost | None, Status]] = {
    "preempted": "preempted",
    "gave up": "ready",
    "blocked": "blocked",
    "ended": "ended",
    None: "ready",
}
_WHYS: Final[dict[off_core.Lost | None, str]] = {
    "preempted": "The core was taken from it{place}.",
    "blocked": "It waits for something{place}, and needs no core.",
    "ended": "It has ended.",
}
_UNKNOWN: Final = "It has no core; how it lost it is not known."


def task_rows(look: Look, last: Mapping[int, int]) -> tuple[TaskRow, ...]:
    """Return all tasks, in the kernel's order. last: when those that had a core lately lost it."""
    scheduler = off_core.scheduler_text(look.guest.image.symbols)
    blocking = {task.address for task in look.blocking}
    return tuple(
        replace(
            _row(look, task, scheduler),
            blocks=task.address in blocking,
            last=last.get(task.address),
        )
        for task in look.tasks
    )


def _row(look: Look, task: Task, scheduler: tuple[int, int] | None) -> TaskRow:
    stack = look.stack(task)
    lost = off_core.lost_core(task, stack)
    where, spot = _place(task, stack, scheduler), look.spot(task)
    counted = task.nvcsw is not None and task.nivcsw is not None
    return TaskRow(
        task.address,
        task.pid,
        task.comm,
        "running" if task.core is not None else _STATUSES[lost],
        task.cpu if task.core is None else task.core,
        "?" if where is None else str(where),
        "elsewhere" if spot is None else _REGIONS.get(spot.role, "elsewhere"),
        _why(task, lost, where),
        (task.nvcsw or 0, task.nivcsw or 0) if counted else None,
    )


def _place(task: Task, stack: Stack, scheduler: tuple[int, int] | None) -> Frame | None:
    """Return the frame in which a task stands by its own doing."""
    if task.core is None:
        return off_core.place(task, stack, scheduler)
    return _interrupted(stack.frames) or off_core.place(task, stack)


def _interrupted(frames: Sequence[Frame]) -> Frame | None:
    """Return the innermost frame that was interrupted."""
    entered = [
        at
        for at, frame in enumerate(frames[:-1])
        if frame.kind == "interrupt" and "SYSCALL" not in (frame.function or "")
    ]
    return frames[entered[0] + 1] if entered else None


def _why(task: Task, lost: off_core.Lost | None, where: Frame | None) -> str:
    """Return one sentence on how a task came to stand where it does."""
    place = "" if where is None else f" in {where.function or where}"
    if task.core is not None:
        return f"It runs on core {task.core}{place}."
    if task.pid == 0:
        return "It has the core when nobody else wants it."
    if lost in _WHYS:
        return _WHYS[lost].format(place=place)
    if (task.nvcsw, task.nivcsw) == (0, 0):
        return "It has not had a core yet."
    return f"It gave up the core{place}, and waits for its turn." if lost else _UNKNOWN
