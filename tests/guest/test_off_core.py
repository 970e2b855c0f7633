"""Where a task waits, of a kernel without source lines."""

from emu.guest.off_core import place, scheduler_text
from emu.guest.stack import Frame, Stack
from emu.guest.tasks import Task
from emu.image.symbols import Symbol, Symbols

SCHEDULER = 0x5000, 0x6000
PLACES = {"__switch_to_asm": 0x1000, "__schedule": 0x5100, "schedule": 0x5200, "kthread": 0x2000}


def where(task: Task, *functions: str) -> str | None:
    frames = (Frame(PLACES[name], True, None, "function", name, 0, None) for name in functions)
    found = place(task, Stack(tuple(frames)), SCHEDULER)
    return None if found is None else found.function


def test_the_schedulers_own_functions_are_passed_over() -> None:
    """And the one that switches, which is not in its text."""
    asleep, running = Task(2, "kthreadd"), Task(2, "kthreadd", core=0)
    path = ("__switch_to_asm", "__schedule", "schedule", "kthread")
    assert where(asleep, *path) == "kthread"
    assert where(running, *path) == "__switch_to_asm"
    assert where(asleep, "__switch_to_asm", "__schedule") == "__schedule"
    assert where(asleep) is None


def test_the_schedulers_text_has_symbols() -> None:
    names = ("__sched_text_start", "__sched_text_end")
    symbols = [Symbol(name, at, 0, "label") for name, at in zip(names, SCHEDULER, strict=True)]
    assert scheduler_text(Symbols(symbols)) == SCHEDULER
    assert scheduler_text(Symbols(symbols[:1])) is None
