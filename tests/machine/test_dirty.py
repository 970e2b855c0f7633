"""Every page of RAM that changed is among the dirty ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.machine import dirty, state, unicorn_blocks
from emu.machine.boot import BootImage
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.machine.guest_builder import build
from tests.machine.guest_tables import DATA, FAR_TEXT, NX, PRESENT, RETURN, TABLES, WRITABLE
from tests.machine.slicing import make_runs, numbers
from tests.machine.zoo import zoo

PAGE = state.PAGE
FAR = 0x40000000  # virtual pages that follow each other, of frames that do not
FRAMES = (DATA + 0x1000, DATA)
PAGES = {
    FAR + PAGE * number: frame | PRESENT | WRITABLE | NX for number, frame in enumerate(FRAMES)
}
CROSSING = FAR + PAGE - 3

STORES = (
    "push rax", "call next{n}\nnext{n}: pop rcx", f"lock inc qword ptr [{DATA + 8}]",
    f"xchg [{DATA + 0x40}], rax", f"lock bts qword ptr [{DATA + 0x1080}], 3",
    f"mov edi, {DATA + 0x800}\nmov ecx, 21\nrep stosb",
    f"mov edi, {DATA + 0x1800}\nmov esi, {DATA}\nmov ecx, 9\nrep movsq",
    f"fxsave [{DATA + 0x200}]", f"fld1\nfstp qword ptr [{DATA + 0x1F0}]", f"sgdt [{DATA + 0x30}]",
    f"mov rbx, {CROSSING}\nmov [rbx], rax", f"mov rbx, {CROSSING}\nmovdqu [rbx], xmm1",
    f"mov rbx, {CROSSING}\nadd dword ptr [rbx], 5",
    f"mov rbx, {CROSSING}\nlock inc dword ptr [rbx]",
    "int3", "ud2", "pushfq\npop rdx", "inc rax\nmovq xmm1, rax",
    f"cmpxchg [{DATA + 0x1100}], rax", f"lock cmpxchg16b [{DATA + 0x1200}]",
    f"mov rbx, [{DATA}]", f"mov rbx, {FAR}\nmov rcx, [rbx]", f"mov rbx, {FAR}\ninvlpg [rbx]",
    "mov rcx, cr3\nmov cr3, rcx", f"and qword ptr [{TABLES + 0x3000}], -0x61",
)  # fmt: skip


def changed(machine: Machine, before: np.ndarray) -> set[int]:
    """Return the pages that are not as they were."""
    differs = machine.state.ram.reshape(-1, PAGE) != before.reshape(-1, PAGE)
    return set(np.flatnonzero(differs.any(axis=1)).tolist())


def written(machine: Machine) -> set[int]:
    """Return the pages that the machine holds for changed."""
    s = machine.state
    pages = s.dirty_pages[: s.m[state.M_DIRTY]]
    assert sorted(pages) == np.flatnonzero(s.dirty).tolist()
    return {int(page) for page in pages if s.dirty[page] & dirty.WRITTEN}


def accessed_and_dirty_off(machine: Machine) -> None:
    """Clear the accessed and dirty bits of all page tables."""
    entries = machine.state.ram[TABLES : TABLES + 0x10000].view(np.uint64)
    entries[entries & np.uint64(1) != 0] &= np.uint64(~0x60 & (1 << 64) - 1)
    unicorn_blocks.flush_tlb(machine.state)


def program(picks: list[int]) -> Machine:
    code = "\n".join(STORES[pick].format(n=number) for number, pick in enumerate(picks))
    resume = {3: RETURN, 6: FAR_TEXT}
    return build(f"{code}\nend: hlt", resume=resume, pages=PAGES).machine()


@settings(max_examples=40, deadline=None)
@given(
    picks=st.lists(st.integers(0, len(STORES) - 1), min_size=1, max_size=12),
    piece=st.integers(1, 9),
    off=st.booleans(),
)
def test_whatever_stores(picks: list[int], piece: int, off: bool) -> None:
    machine = program(picks)
    if off:
        accessed_and_dirty_off(machine)
    dirty.clear(machine.state)
    before = machine.state.ram.copy()
    for number in range(60):
        machine.run(0, piece)
        assert changed(machine, before) <= written(machine), number
        if number % 3 == 0:
            dirty.clear(machine.state)
            before = machine.state.ram.copy()


@pytest.mark.parametrize("pick", range(len(STORES)))
def test_each_that_stores(pick: int) -> None:
    machine = program([pick, pick])
    accessed_and_dirty_off(machine)
    dirty.clear(machine.state)
    before = machine.state.ram.copy()
    machine.run(0, 200)
    assert changed(machine, before) <= written(machine)
    assert TABLES // PAGE in changed(machine, before)


def test_everything_at_once() -> None:
    machine = zoo()
    for seed in range(40):
        dirty.clear(machine.state)
        before = machine.state.ram.copy()
        make_runs(machine, seed, 20, numbers(seed))
        assert changed(machine, before) <= written(machine)


def test_the_booting_kernel(toy_boot: BootImage) -> None:
    machine = Machine(toy_boot, cores=4, command_line="load", ram_mib=8)
    dirty.clear(machine.state)
    for _ in range(30):
        before = machine.state.ram.copy()
        machine.drive(chooser.round_robin(500), instructions=40_000)
        machine.store(DATA, b"\x01\x02")
        assert changed(machine, before) <= written(machine)
        dirty.clear(machine.state)


def test_loads_are_not_stores() -> None:
    machine = build(f"mov rax, [{DATA}]\nmov rbx, [{DATA + 0x1000}]\nagain: jmp again").machine()
    dirty.clear(machine.state)
    machine.run(0, 50)
    assert not written(machine) & {DATA // PAGE, DATA // PAGE + 1}


def test_what_is_forgotten_is_seen_again() -> None:
    """The second store to a page is made by translated code alone, but for the flush."""
    machine = build(f"again: inc qword ptr [{DATA}]\njmp again").machine()
    for _ in range(3):
        dirty.clear(machine.state)
        assert not written(machine)
        machine.run(0, 10)
        assert DATA // PAGE in written(machine)


def test_tables_of_translations_are_known() -> None:
    machine = build(f"mov rax, [{DATA}]\nagain: jmp again").machine()
    dirty.clear(machine.state)
    machine.run(0, 5)
    flags = machine.state.dirty[TABLES // PAGE : TABLES // PAGE + 16]
    assert (flags & dirty.TABLE).sum() >= 4 * dirty.TABLE
