import itertools
import struct
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from emu.errors import BadImage, TextpokeError
from emu.machine import acpi, bios, multiboot, pvh
from emu.machine.boot import MAX_RAM, BootImage, Segment, load
from emu.machine.e820 import EBDA, MEGABYTE

MIB = 1 << 20
IMAGE = BootImage("k.elf", "0" * 64, "pvh", 0x200000, (Segment(0x200000, b"code", 0x10),))


def place(
    *segments: Segment, size: int = 4 * MIB, cmdline: str = "", image: BootImage = IMAGE
) -> memoryview:
    ram = memoryview(bytearray(b"\xee" * size))
    load(replace(image, segments=segments), ram, cmdline, 1)
    return ram


def test_segments_are_placed_and_followed_by_zeros() -> None:
    ram = place(Segment(0x200000, b"code", 0x10))
    assert bytes(ram[0x1FFFFF:0x200011]) == b"\xeecode" + bytes(12) + b"\xee"


def test_start_info_is_the_structure_of_the_xen_header() -> None:
    ram = bytearray(4 * MIB)
    address = load(IMAGE, memoryview(ram), "selftest passes=3", 1)
    assert address == pvh.START_INFO
    magic, version, flags, modules = struct.unpack_from("<4I", ram, address)
    modlist, cmdline, rsdp, memmap = struct.unpack_from("<4Q", ram, address + 16)
    entries, reserved = struct.unpack_from("<2I", ram, address + 48)
    assert (magic, version) == (0x336EC578, 1)
    assert (flags, modules, modlist, rsdp, reserved) == (0, 0, 0, acpi.RSDP, 0)
    assert (cmdline, memmap, entries) == (pvh.COMMAND_LINE, pvh.MEMORY_MAP, 5)
    assert ram[cmdline : cmdline + 18] == b"selftest passes=3\0"
    table = [struct.unpack_from("<2Q2I", ram, memmap + 24 * number) for number in range(5)]
    assert table == [
        (0, 0x9FC00, 1, 0),
        (0x9FC00, 0x400, 2, 0),
        (0xF0000, 0x10000, 2, 0),
        (0x100000, 3 * MIB, 1, 0),
        (0xFFFC0000, 0x40000, 2, 0),
    ]


def test_ram_may_be_a_numpy_array() -> None:
    ram = np.zeros(4 * MIB, np.uint8)
    load(IMAGE, ram, "quiet", 1)
    assert ram[0x200000:0x200004].tobytes() == b"code"


def test_a_segment_outside_ram_says_how_much_is_needed() -> None:
    with pytest.raises(BadImage, match=r"k\.elf.*0x3ff000-0x400001.*4 MiB.*--ram 5$"):
        place(Segment(0x3FF000, b"", 0x1001))


def test_a_segment_may_end_with_ram() -> None:
    place(Segment(0x3FF000, b"", 0x1000))


@pytest.mark.parametrize("paddr", [0x1000, 0x1FFF, 0xFF0, 0x9FC00, 0xA0000, 0xFFFFF])
def test_a_segment_over_the_start_info_or_the_bios_is_refused(paddr: int) -> None:
    with pytest.raises(BadImage, match="overlaps"):
        place(Segment(paddr, b"", 0x100))


@pytest.mark.parametrize("paddr", [0, 0x2000, 0x9FB00, 0x100000])
def test_a_segment_beside_them_is_not(paddr: int) -> None:
    place(Segment(paddr, b"", 0x100))


def test_segments_that_overlap_are_refused() -> None:
    with pytest.raises(BadImage, match="0x200000-0x200010 overlaps segment at 0x20000f"):
        place(Segment(0x20000F, b"", 1), Segment(0x200000, b"", 0x10))


def test_nothing_is_changed_on_error() -> None:
    ram = bytearray(4 * MIB)
    with pytest.raises(BadImage):
        load(
            replace(IMAGE, segments=(IMAGE.segments[0], Segment(5 * MIB, b"x", 1))),
            memoryview(ram),
            "",
            1,
        )
    assert not any(ram)


def test_the_longest_command_line() -> None:
    ram = place(IMAGE.segments[0], cmdline="x" * 2047)
    assert bytes(ram[pvh.COMMAND_LINE + 2046 : pvh.COMMAND_LINE + 2049]) == b"x\0\xee"


@pytest.mark.parametrize("cmdline", ["x" * 2048, "a\0b", "\udc80"])
def test_an_impossible_command_line_is_refused(cmdline: str) -> None:
    with pytest.raises(TextpokeError, match="command line"):
        place(cmdline=cmdline)


def test_too_little_ram_is_refused() -> None:
    with pytest.raises(TextpokeError, match=f"--ram takes 2 to {MAX_RAM >> 20} MiB"):
        place(size=MIB)


MULTIBOOT = replace(IMAGE, protocol="multiboot")
CODE = Segment(0x200000, b"code", 0x1001)


def test_multiboot_info_is_where_qemu_puts_it() -> None:
    ram = bytearray(4 * MIB)
    image = replace(MULTIBOOT, segments=(CODE, Segment(0x100000, b"", 1)))
    assert load(image, memoryview(ram), "a b", 1) == multiboot.INFO == 0x9500
    words = struct.unpack_from("<22I", ram, 0x9500)
    behind = 0x202000  # what lies behind the last of two pages from 0x100000 on
    assert words[:7] == (0x24F, 639, 3 * 1024, 0x8000FFFF, behind, 0, behind)
    assert words[11:13] == (5 * 24, 0x9000)
    assert ram[behind : behind + 16] == b"k.elf a b\0qemu\0\0"
    assert words[16] == behind + 10


def test_multiboot_strings_have_to_be_in_ram() -> None:
    end = Segment(0x3FF000, b"", 0x1000)
    with pytest.raises(BadImage, match=r"the command line 0x400000-0x40000c .* --ram 5$"):
        place(end, image=MULTIBOOT)


@pytest.mark.parametrize("paddr", [0x8FFF, 0x9557])
def test_a_segment_over_the_multiboot_info_is_refused(paddr: int) -> None:
    with pytest.raises(BadImage, match="overlaps"):
        place(Segment(paddr, b"", 2), CODE, image=MULTIBOOT)


def test_multiboot_strings_may_not_lie_over_the_bios() -> None:
    with pytest.raises(BadImage, match="the BIOS area at 0x9fc00-0x100000 overlaps the command"):
        place(Segment(0x9F800, b"", 1), image=MULTIBOOT)


def test_where_pvh_has_its_start_info_multiboot_has_nothing() -> None:
    place(Segment(pvh.START_INFO, b"", 0x1000), image=MULTIBOOT)


def test_a_name_that_is_no_text_is_told_all_the_same() -> None:
    ram = place(CODE, image=replace(MULTIBOOT, name="k\udc80"))
    assert bytes(ram[0x202000:0x202004]) == b"k? \0"


@pytest.mark.parametrize("protocol", ["pvh", "multiboot"])
@pytest.mark.parametrize("cores", range(1, 9))
def test_what_is_placed_lies_apart(protocol: Literal["pvh", "multiboot"], cores: int) -> None:
    areas = sorted((at, at + len(data)) for at, data in bios.areas(cores))
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(areas))
    assert all(end <= 0x500 or (start >= EBDA and end <= MEGABYTE) for start, end in areas)
    ram = bytearray(4 * MIB)
    load(replace(IMAGE, protocol=protocol), memoryview(ram), "quiet", cores)
    for at, data in bios.areas(cores):
        assert ram[at : at + len(data)] == data


def test_a_kernel_may_lie_over_the_bios_data_area() -> None:
    assert bytes(place(Segment(0x400, b"mine", 4), CODE)[0x400:0x404]) == b"mine"
