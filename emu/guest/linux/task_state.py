"""Names of the states of Linux's tasks: those of /proc/PID/status, without their letters.

The numbers are macros, of which no debug information tells. Since 4.14 they are these; a state has
several bits at times, and the first of the list counts. Source: include/linux/sched.h, TASK_*;
fs/proc/array.c, task_state_array; kernel/sched/core.c, sched_show_task, for "idle".
"""

from typing import Final

TASK_DEAD: Final = 0x80
_UNINTERRUPTIBLE, _NOLOAD = 0x2, 0x400
_STATES: Final = (
    (TASK_DEAD, "dead"),
    (0x40, "parked"),
    (0x8, "tracing stop"),
    (0x4, "stopped"),
    (_UNINTERRUPTIBLE, "disk sleep"),
    (0x1, "sleeping"),
    (0x200, "waking"),
    (0x800, "new"),
    (0x1000, "lock wait"),
    (0x8000, "frozen"),
)
_EXIT_STATES: Final = ((0x10, "dead"), (0x20, "zombie"))


def state_name(state: int, exit_state: int) -> str:
    """Return the name of a task's state; exit_state: what is left when it has exited."""
    for bit, name in _EXIT_STATES:
        if exit_state & bit:
            return name
    if state & _UNINTERRUPTIBLE and state & _NOLOAD:
        return "idle"
    return next(
        (name for bit, name in _STATES if state & bit), "running" if not state else str(state)
    )


def has_ended(state: int) -> bool:
    """Return whether a task that a core has left in this state never runs again."""
    return bool(state & TASK_DEAD)
