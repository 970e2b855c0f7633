"""How a task lost its core, and where it was: what its stack tells, for those who read a list."""

from itertools import pairwise
from typing import Literal

from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task
from emu.image.symbols import Symbols

Lost = Literal["preempted", "gave up", "blocked", "ended"]

_ENDED = {"dead", "zombie"}


def lost_core(task: Task, stack: Stack) -> Lost | None:
    """Return how a task lost its core; None if it has one, or nobody knows.

    It blocked if it is not on the queue. Of the others, who was preempted was interrupted in the
    kernel, or came by a function whose name says so: preempt_schedule, preempt_irq, as in Linux.
    Who has nothing of it on a reliable stack gave the core up; perhaps it slept and was woken.
    """
    if task.core is not None:
        return None
    if task.state in _ENDED:
        return "ended"
    if task.on_rq is False and task.state != "running":
        return "blocked"
    if any((frame.function or "").startswith("preempt") for frame in stack.frames):
        return "preempted"
    if _interrupted(stack.frames) is not None:
        return "preempted"
    return "gave up" if stack.reliable else None


def place(task: Task, stack: Stack, scheduler: tuple[int, int] | None = None) -> Frame | None:
    """Return the frame that tells most of where a task is; None if no frame is known.

    With a core, the innermost. Without, who was interrupted in the kernel, or the first frame that
    is not in the file of the function that switches, as those of Linux's wchan.

    scheduler: where the scheduler's own text is, of a kernel without source lines.
    """
    frames = stack.frames
    if task.core is not None or len(frames) < 2:
        return frames[0] if frames else None
    interrupted = _interrupted(frames)
    if interrupted is not None:
        return interrupted
    if scheduler is not None:
        begin, end = scheduler
        # the first one is __switch_to_asm, which is not among them
        return next((frame for frame in frames[1:] if not begin <= frame.pc < end), frames[1])
    switches = _file(frames[1])
    return next((frame for frame in frames[1:] if _file(frame) != switches), frames[1])


def scheduler_text(symbols: Symbols) -> tuple[int, int] | None:
    """Return where functions are that only schedule (.sched.text), None if a kernel has no such.

    Source: kernel/sched/core.c, in_sched_functions.
    """
    begin, end = symbols.get("__sched_text_start"), symbols.get("__sched_text_end")
    return None if begin is None or end is None else (begin.address, end.address)


def _interrupted(frames: tuple[Frame, ...]) -> Frame | None:
    """Return the innermost frame of the kernel that was interrupted."""
    for frame, caller in pairwise(frames):
        if frame.kind == "interrupt" and caller.kind != "user":
            return caller
    return None


def _file(frame: Frame) -> str:
    return (frame.source or "").partition(":")[0]
