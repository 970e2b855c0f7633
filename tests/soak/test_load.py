"""A short soak of the load, and that it would notice what it is there to notice."""

import pytest

from emu.detect.progress import Forgotten, Progress
from emu.image.object import Object
from tests.labs import loaded
from tests.soak.load import live

SHORT, PATIENCE = 30_000_000, 10_000_000  # instructions


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 8])
def test_a_load_that_is_patched_stays_well(seed: int) -> None:
    life = live(seed, SHORT)
    assert not life.trouble
    assert life.patched > 3
    assert life.instructions > SHORT / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "trouble"),
    [
        ("try_to_wake_up", "is not woken (uninterruptible)"),
        ("wait_wake", "is not woken (uninterruptible)"),
        ("kfree", "panic: load: objects of kmalloc: 0 before"),
        ("free_page", "panic: load: free pages:"),
    ],
)
def test_a_function_that_does_nothing_is_noticed(function: str, trouble: str) -> None:
    assert trouble in live(5, SHORT, mutate=function, patience=PATIENCE).trouble


def test_a_core_whose_tasks_wait_for_ever_is_noticed() -> None:
    lab = loaded(cores=2)
    progress = Progress(lab.guest, 2_000_000, lambda _: True)
    lab.run(instructions=500_000)
    assert not progress.look()
    cpu = lab.objects.place("cpus")[0]
    assert isinstance(cpu, Object)
    while cpu.member_("rq_lock.locked"):
        lab.run(instructions=10)
    address, data = cpu.store_("rq_lock.locked", 1)
    lab.machine.store(lab.guest.physical(address), data)  # and nobody will unlock it
    found: list[Forgotten] = []
    for _ in range(10):
        lab.run(instructions=500_000)
        found += progress.look()
    assert {each.what for each in found} <= {"waits for its core"}
    assert found
