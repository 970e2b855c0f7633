from pathlib import Path

import pytest

from emu.errors import BadSymbol, TextpokeError
from emu.helpers.percpu import per_cpu, per_cpu_ptr
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.image.symbols import Symbol
from tests.helpers.lists import BASE, Memory, objects
from tests.image.compiled import compiled

SOURCE = """
unsigned long __per_cpu_offset[4] = { 0x1000, 0x2000, 0x3000, 0x4000 };
__attribute__((section(".percpu"))) int runs = 7;
int *pointer = &runs;
int outside;
asm(".globl __per_cpu_start, __per_cpu_end\\n__per_cpu_start = 0x10000\\n__per_cpu_end = 0x10100");
"""


def test_an_array_has_an_element_for_each_core(layout: ElfImage, memory: Memory) -> None:
    things = objects(layout.types, memory, Symbol("things", BASE, 272, "object"))["things"]
    second = per_cpu(things, 1)
    assert isinstance(second, Object)
    assert second.address_ == BASE + 136
    with pytest.raises(IndexError):
        per_cpu(things, 2)


def test_a_section_has_a_copy_for_each_core(tmp_path: Path) -> None:
    """As Linux has it: a variable's own address is that of a copy that nobody uses."""
    image = compiled(tmp_path, SOURCE, "-g", link=("--section-start=.percpu=0x10000",))
    start = image.symbols["runs"].address
    copies = {start + 0x1000 * core: 100 + core for core in range(1, 5)}

    def read(address: int, size: int) -> bytes:
        if address in copies:
            return copies[address].to_bytes(size, "little")
        assert address != start, "nobody uses this copy, and it may not be mapped"
        return image.read_virtual(address, size)

    found = Objects(image.symbols, image.types, read)
    assert [per_cpu(found.place("runs"), core) for core in range(4)] == [101, 102, 103, 104]
    pointer = found["pointer"]
    assert isinstance(pointer, Object)
    assert int(per_cpu_ptr(pointer, 2)) == start + 0x3000
    assert per_cpu_ptr(pointer, 2)[0] == 103
    for core in (-1, 4):
        with pytest.raises(IndexError):
            per_cpu(found.place("runs"), core)
    with pytest.raises(TextpokeError, match="neither an array nor a per-CPU variable"):
        per_cpu(found.place("outside"), 0)


def test_without_offsets_there_are_no_copies(layout: ElfImage, memory: Memory) -> None:
    pointer = objects(layout.types, memory).pointer("int", BASE)
    with pytest.raises(BadSymbol, match="__per_cpu_offset"):
        per_cpu_ptr(pointer, 0)
