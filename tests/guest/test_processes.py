"""Processes of the toy kernel, seen from outside: its memory, ring 3 on every core, and no leak."""

import pytest

from emu.image.objects import Object
from emu.lab import Lab, boot

LARGE = 2 << 20
IMAGE_END = 4 << 20
PAGES_OF_A_PROCESS = 6  # four tables, data, stack


def number(lab: Lab, name: str) -> int:
    value = lab.guest.objects[name]
    assert isinstance(value, int)
    return value


def tasks(lab: Lab, comm: str) -> list[Object]:
    """Return the tasks with a name that have memory of their own."""
    found = lab.guest.objects["tasks"]
    assert isinstance(found, Object)
    named: list[Object] = []
    for index in range(len(found)):
        task = found[index]
        assert isinstance(task, Object)
        if task.comm.string_() == comm and task.cr3:  # type: ignore[union-attr] # an array
            named.append(task)
    return named


@pytest.mark.parametrize("mib", [16, 17, 32])
def test_all_ram_behind_the_image_can_be_handed_out(mib: int) -> None:
    """By whole pages of 2 MiB; the kernel itself takes a few of them while it starts."""
    lab = boot("toy", cores=1, ram_mib=mib, append="load users=0")
    lab.run_until_tasks()
    pages = ((mib << 20) // LARGE * LARGE - IMAGE_END) // 4096
    assert pages - 64 <= number(lab, "free_pages") <= pages


def test_every_core_runs_in_ring_3_on_page_tables_of_the_process() -> None:
    lab = boot("toy", cores=3, seed=2, append="load users=1")
    lab.run_until_tasks()
    seen: dict[int, int] = {}
    user = range(lab.image.symbols["user_text"].address, lab.image.symbols["user_text_end"].address)
    for _ in range(400):
        lab.run(instructions=5_000)
        for core in range(3):
            standing = lab.machine.standing(core)
            assert (standing.ring == 3) == (standing.rip in user)
            if standing.ring == 3:
                task = lab.guest.current(core)
                assert task
                assert task.comm in {"user", "child"}
                seen[core] = standing.cr3
    assert len(set(seen.values())) == 3


@pytest.mark.parametrize("seed", [1, 2])
def test_processes_come_and_go_and_nothing_is_lost(seed: int) -> None:
    """Each of the four has at most one child, and two memories while it executes a program."""
    lab = boot("toy", cores=2, seed=seed, append="load users=2 tasks=1 tick=20000")
    lab.run_until_tasks()
    lab.run(instructions=100_000)
    most, children = number(lab, "free_pages"), set()
    for _ in range(100):
        lab.run(instructions=100_000)
        assert most - number(lab, "free_pages") <= 4 * 2 * PAGES_OF_A_PROCESS
        children |= {int(t.pid) for t in tasks(lab, "child")}
    assert len(tasks(lab, "user")) >= 4
    assert len(children) >= 2
