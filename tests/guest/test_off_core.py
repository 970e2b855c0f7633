"""Where a task waits, of a kernel without source lines."""

from emu.guest.off_core import place
from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task


def stack(*functions: str | None) -> Stack:
    return Stack(
        tuple(Frame(n, True, None, "function", f, 0, None) for n, f in enumerate(functions))
    )


def where(task: Task, *functions: str | None) -> str | None:
    found = place(task, stack(*functions))
    return None if found is None else found.function


def test_the_schedulers_own_functions_are_passed_over() -> None:
    asleep, running = Task(2, "kthreadd"), Task(2, "kthreadd", core=0)
    path = ("__switch_to_asm", "__schedule", "schedule", "schedule_timeout", "kcompactd", "kthread")
    assert where(asleep, *path) == "kcompactd"
    assert where(running, *path) == "__switch_to_asm"
    assert where(asleep, "__switch_to_asm", "__schedule", "preempt_schedule_irq", None) is None
    assert where(asleep, "__switch_to_asm", "__schedule") == "__schedule"
    assert where(asleep) is None
