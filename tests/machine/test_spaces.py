"""Cores with page tables of their own share the engine, but nothing of each other's mappings."""

import itertools

import pytest

from emu.machine import unicorn_layout
from tests.machine.guest_builder import build, runs
from tests.machine.guest_tables import (
    DATA,
    FAR_TEXT,
    NX,
    PRESENT,
    WRITABLE,
    identity_pages,
    page_tables,
)

OWN = 0x50000000  # a page of code, and behind it one of data: other frames on each core
OTHER_TABLES = 0x140000
ADD = {0: bytes.fromhex("4883c001c3"), 1: bytes.fromhex("4883c040c3")}  # add rax, 1 or 0x40; ret

LOOP = f"""
    mov ebx, {OWN}
    mov ecx, 300
    xor eax, eax
    xor edx, edx
again:
    call rbx
    add rdx, [rbx + 0x1000]
    mov [rbx + 0x1008], rdx
    dec ecx
    jnz again
    hlt
"""


def own_pages(core: int) -> dict[int, int]:
    """Return where OWN leads on a core."""
    return {
        OWN: FAR_TEXT + 0x1000 * core | PRESENT,
        OWN + 0x1000: DATA + 0x1000 * core | PRESENT | WRITABLE | NX,
    }


@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (7, 2), (1000, 1)], ids=str)
def test_the_same_address_is_another_page_on_each_core(sizes: tuple[int, int]) -> None:
    other = page_tables({**identity_pages(), **own_pages(1)}, OTHER_TABLES)
    machine = build(
        LOOP,
        f"mov eax, {OTHER_TABLES}; mov cr3, rax; {LOOP}",
        pages=own_pages(0),
        data={
            OTHER_TABLES: other,
            FAR_TEXT: ADD[0],
            FAR_TEXT + 0x1000: ADD[1],
            DATA: (3).to_bytes(8, "little"),
            DATA + 0x1000: (1000).to_bytes(8, "little"),
        },
    ).machine()
    turns = itertools.cycle(enumerate(sizes))
    for core, size in itertools.islice(turns, 10_000):
        machine.run(core, size)
    assert not runs(machine, 0)
    assert not runs(machine, 1)
    for core, (step, each) in enumerate(((1, 3), (0x40, 1000))):
        assert machine.register(core, unicorn_layout.RAX) == 300 * step
        assert machine.register(core, unicorn_layout.RDX) == 300 * each
        at = DATA + 0x1000 * core + 8
        assert int.from_bytes(machine.read(at, 8), "little") == 300 * each
        assert machine.translate(OWN, core) == FAR_TEXT + 0x1000 * core
