import struct
from dataclasses import replace

import numpy as np
import pytest

from emu.errors import BadImage, TextpokeError
from emu.machine.boot import (
    COMMAND_LINE,
    MAX_RAM,
    MEMORY_MAP,
    START_INFO,
    BootImage,
    Segment,
    load,
)

MIB = 1 << 20
IMAGE = BootImage("k.elf", "0" * 64, "pvh", 0x200000, (Segment(0x200000, b"code", 0x10),))


def place(*segments: Segment, size: int = 4 * MIB, cmdline: str = "") -> memoryview:
    ram = memoryview(bytearray(b"\xee" * size))
    load(replace(IMAGE, segments=segments), ram, cmdline)
    return ram


def test_segments_are_placed_and_followed_by_zeros() -> None:
    ram = place(Segment(0x200000, b"code", 0x10))
    assert bytes(ram[0x1FFFFF:0x200011]) == b"\xeecode" + bytes(12) + b"\xee"


def test_start_info_is_the_structure_of_the_xen_header() -> None:
    ram = bytearray(4 * MIB)
    address = load(IMAGE, memoryview(ram), "selftest passes=3")
    assert address == START_INFO
    magic, version, flags, modules = struct.unpack_from("<4I", ram, address)
    modlist, cmdline, rsdp, memmap = struct.unpack_from("<4Q", ram, address + 16)
    entries, reserved = struct.unpack_from("<2I", ram, address + 48)
    assert (magic, version) == (0x336EC578, 1)
    assert (flags, modules, modlist, rsdp, reserved) == (0, 0, 0, 0, 0)
    assert (cmdline, memmap, entries) == (COMMAND_LINE, MEMORY_MAP, 4)
    assert ram[cmdline : cmdline + 18] == b"selftest passes=3\0"
    table = [struct.unpack_from("<2Q2I", ram, memmap + 24 * number) for number in range(4)]
    assert table == [
        (0, 0x9FC00, 1, 0),
        (0x9FC00, 0x400, 2, 0),
        (0xA0000, 0x60000, 2, 0),
        (0x100000, 3 * MIB, 1, 0),
    ]


def test_ram_may_be_a_numpy_array() -> None:
    ram = np.zeros(4 * MIB, np.uint8)
    load(IMAGE, ram, "quiet")
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
    with pytest.raises(BadImage, match="0x200000-0x200010 overlaps a segment at 0x20000f"):
        place(Segment(0x20000F, b"", 1), Segment(0x200000, b"", 0x10))


def test_nothing_is_changed_on_error() -> None:
    ram = bytearray(4 * MIB)
    with pytest.raises(BadImage):
        load(
            replace(IMAGE, segments=(IMAGE.segments[0], Segment(5 * MIB, b"x", 1))),
            memoryview(ram),
            "",
        )
    assert not any(ram)


def test_the_longest_command_line() -> None:
    ram = place(IMAGE.segments[0], cmdline="x" * 2047)
    assert bytes(ram[COMMAND_LINE + 2046 : COMMAND_LINE + 2049]) == b"x\0\xee"


@pytest.mark.parametrize("cmdline", ["x" * 2048, "a\0b", "\udc80"])
def test_an_impossible_command_line_is_refused(cmdline: str) -> None:
    with pytest.raises(TextpokeError, match="command line"):
        place(cmdline=cmdline)


def test_too_little_ram_is_refused() -> None:
    with pytest.raises(TextpokeError, match=f"--ram takes 2 to {MAX_RAM >> 20} MiB"):
        place(size=MIB)
