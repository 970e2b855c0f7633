"""The toy kernel's memory, as the rest of textpoke is told about it."""

import dataclasses
from pathlib import Path

import pytest

from emu.errors import BadImage, TextpokeError
from emu.guest.code import CodeRegion
from emu.guest.tasks import Task
from emu.guest.toy import CONTRACT, ToyGuest
from emu.image.elf import ElfImage
from emu.image.symbols import Symbol, Symbols
from emu.lab import Lab, boot
from emu.machine.machine import Machine
from tests.image.elf_builder import Builder
from tests.labs import loaded


@pytest.fixture(scope="module")
def lab() -> Lab:
    return loaded(cores=4)


def test_every_core_runs_a_task_with_a_name(lab: Lab) -> None:
    tasks = [lab.guest.current(core) for core in range(4)]
    assert all(isinstance(task, Task) for task in tasks)
    assert len({task.pid for task in tasks if task}) == 4
    assert {str(task) for task in tasks} == {f"{task.comm}/{task.pid}" for task in tasks if task}


def test_the_task_of_a_core_is_the_one_whose_stack_it_is_on(lab: Lab) -> None:
    cpus = lab.guest.objects["cpus"]
    for core in range(4):
        current = cpus[core].current  # type: ignore[index, union-attr]
        task = lab.guest.current(core)
        assert task
        assert (current.pid, current.comm.string_()) == (task.pid, task.comm)  # type: ignore[union-attr]


def test_tasks_change_while_time_goes_by() -> None:
    lab = loaded(cores=2, seed=4)
    seen = set()
    for _ in range(60):
        lab.run(instructions=10_000)
        seen.add(lab.guest.current(0))
    assert len(seen) >= 3


def test_before_paging_nobody_runs_anything() -> None:
    lab = boot("toy", cores=2)
    assert lab.guest.current(0) is None
    assert not lab.guest.all_run_tasks()
    assert lab.guest.online() == 0b01


@pytest.mark.parametrize("cores", [1, 3, 8])
def test_online_cores_are_a_mask(cores: int) -> None:
    lab = loaded(cores=cores)
    assert lab.guest.online() == (1 << cores) - 1
    assert lab.guest.all_run_tasks()
    assert lab.guest.objects["cpus_running"] == lab.guest.objects["cpus_online"] == cores


def test_reads_cross_pages_and_say_what_is_not_mapped(lab: Lab) -> None:
    arena = lab.image.symbols["poke_arena"].address
    assert lab.guest.read(arena - 8, 16)[8:] == b"\xcc" * 8
    assert lab.guest.read(arena + 4090, 12) == b"\xcc" * 12
    assert lab.guest.read(arena, 0) == b""
    with pytest.raises(TextpokeError, match=r"is not mapped$"):
        lab.guest.read(0x1000, 1)
    with pytest.raises(TextpokeError, match=r"0x18 is not mapped: .* what NULL points to\?"):
        lab.guest.read(0x18, 4)
    stext = lab.image.symbols["_stext"].address
    assert lab.guest.physical(stext + 5) == 0x200005


def test_a_kernel_that_lacks_part_of_the_contract_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.elf"
    path.write_bytes(dataclasses.replace(Builder()).build())
    image = ElfImage.read(path)
    guest = ToyGuest(Machine(image.boot_image, cores=1, ram_mib=16), image)
    with pytest.raises(BadImage, match=r"bare\.elf cannot be patched: it lacks bp_desc, tp_vec"):
        guest.require_contract()
    assert guest.current(0) is None


def test_the_toy_keeps_the_contract(lab: Lab) -> None:
    lab.guest.require_contract()
    assert all(name in lab.image.symbols for name in CONTRACT)


def test_addresses_have_names_also_those_of_code_that_was_added(lab: Lab) -> None:
    guest, symbols = lab.guest, lab.image.symbols
    read = symbols["vfs_read"].address
    assert guest.describe(read + 5) == "vfs_read+0x5"
    assert guest.describe(symbols["tasks"].address) == "tasks"
    assert guest.describe(0x10) == "0x10"
    other = guest.on(lab.machine)
    named = Symbols([Symbol("added", 0x7000, 16, "func")])
    other.add_code(CodeRegion(0x7000, 0x7010, "trampoline", named, lambda _address: None))
    assert other.describe(0x7000) == "added"
    assert other.describe(0x7004) == "added+0x4"
    assert (0x7000, 0x7010) in [(each.begin, each.end) for each in guest.regions()]
