"""How a task lost its core, and where it was: what its stack tells, for those who read a list."""

from itertools import pairwise
from typing import Literal

from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task

Lost = Literal["preempted", "gave up", "blocked", "ended"]

_SCHEDULER = ("__switch_to", "__schedule", "schedule", "preempt_schedule", "io_schedule")
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


def place(task: Task, stack: Stack) -> Frame | None:
    """Return the frame that tells most of where a task is; None if no frame is known.

    With a core, the innermost. Without, who was interrupted in the kernel, or the first frame that
    is not in the file of the function that switches, as those of Linux's wchan. Where nothing tells
    files, the first whose name is none of Linux's scheduler (kernel/sched/core.c).
    """
    frames = stack.frames
    if task.core is not None or len(frames) < 2:
        return frames[0] if frames else None
    interrupted = _interrupted(frames)
    if interrupted is not None:
        return interrupted
    if not any(frame.source for frame in frames):
        others = (each for each in frames[1:] if not (each.function or "").startswith(_SCHEDULER))
        return next(others, frames[1])
    scheduler = _file(frames[1])
    return next((frame for frame in frames[1:] if _file(frame) != scheduler), frames[1])


def _interrupted(frames: tuple[Frame, ...]) -> Frame | None:
    """Return the innermost frame of the kernel that was interrupted."""
    for frame, caller in pairwise(frames):
        if frame.kind == "interrupt" and caller.kind != "user":
            return caller
    return None


def _file(frame: Frame) -> str:
    return (frame.source or "").partition(":")[0]
