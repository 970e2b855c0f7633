import struct
from dataclasses import replace

import pytest

from emu.errors import BadImage, TextpokeError
from emu.machine import acpi, linux_boot
from emu.machine.boot import BootImage, Segment, load
from emu.machine.setup_header import MAGIC, START, SetupHeader

MIB = 1 << 20
HEADER = SetupHeader.made_up(2 * MIB, 3 * MIB)
IMAGE = BootImage(
    "vmlinux",
    "0" * 64,
    "linux",
    2 * MIB,
    (Segment(2 * MIB, b"code", MIB),),
    setup_header=HEADER.data,
    initramfs=b"070701" * 1000,
)
PARAMS = linux_boot.BOOT_PARAMS


def place(image: BootImage = IMAGE, size: int = 64 * MIB, cmdline: str = "quiet") -> bytearray:
    ram = bytearray(size)
    assert load(image, memoryview(ram), cmdline, 2) == PARAMS
    return ram


def number(ram: bytearray, at: int, form: str) -> int:
    return int(struct.unpack_from(f"<{form}", ram, at)[0])


def test_boot_params_have_the_kernels_own_header_and_what_a_loader_fills_in() -> None:
    data = bytearray(HEADER.data)
    data[0x1F1 - START] = 39  # setup_sects: nothing but the header says so
    ram = place(replace(IMAGE, setup_header=bytes(data)))
    assert ram[PARAMS + 0x202 : PARAMS + 0x206] == MAGIC
    assert ram[PARAMS + 0x1F1] == 39
    assert ram[PARAMS + 0x1EF] == 0  # the sentinel: not 0 means that the page was not cleared
    assert ram[PARAMS + 0x210] == 0xFF
    assert number(ram, PARAMS + 0x1FA, "H") == 0xFFFF
    assert number(ram, PARAMS + 0x70, "Q") == acpi.RSDP
    line = number(ram, PARAMS + 0x228, "I")
    assert ram[line : line + 6] == b"quiet\0"


def test_the_memory_map_is_that_of_the_machine() -> None:
    ram = place()
    assert ram[PARAMS + 0x1E8] == 5
    entries = [struct.unpack_from("<2QI", ram, PARAMS + 0x2D0 + 20 * at) for at in range(5)]
    assert entries == [
        (0, 0x9FC00, 1),
        (0x9FC00, 0x400, 2),
        (0xF0000, 0x10000, 2),
        (0x100000, 63 * MIB, 1),
        (0xFFFC0000, 0x40000, 2),
    ]


def walk(ram: bytearray, address: int) -> tuple[int, int]:
    """Translate by the page tables; returns the physical address and the flags of the page."""
    table = linux_boot.PAGE_TABLES
    for shift in (39, 30):
        entry = number(ram, table + 8 * (address >> shift & 511), "Q")
        assert entry & 0xFFF == 3
        table = entry & ~0xFFF
    entry = number(ram, table + 8 * (address >> 21 & 511), "Q")
    return (entry & ~0xFFF) + address % (2 * MIB), entry & 0xFFF


@pytest.mark.parametrize("address", [0, 0x1FFFFF, 0x200000, 0x40000123, 0xFEE00020, 0xFFFFFFFF])
def test_the_first_4_gib_lie_where_they_are(address: int) -> None:
    assert walk(place(), address) == (address, 0x83)


def test_nothing_else_is_mapped() -> None:
    ram = place()
    tables = ram[linux_boot.PAGE_TABLES : linux_boot.AREA_END]
    assert sum(1 for (entry,) in struct.iter_unpack("<Q", tables) if entry) == 1 + 4 + 2048


def test_code_and_data_have_the_selectors_of_the_protocol() -> None:
    ram = place()
    assert linux_boot.GDT_LIMIT == 0x1F
    # Present, ring 0, accessed; L and not D for code, 4 GiB for both.
    assert number(ram, linux_boot.GDT + linux_boot.BOOT_CS, "Q") == 0x00AF9B000000FFFF
    assert number(ram, linux_boot.GDT + linux_boot.BOOT_DS, "Q") == 0x00CF93000000FFFF
    assert (linux_boot.BOOT_CS, linux_boot.BOOT_DS) == (0x10, 0x18)


def test_the_initramfs_ends_with_ram_and_begins_with_a_page() -> None:
    ram = place()
    at, size = number(ram, PARAMS + 0x218, "I"), number(ram, PARAMS + 0x21C, "I")
    assert (at, size) == (64 * MIB - 8192, 6000)
    assert bytes(ram[at : at + size]) == IMAGE.initramfs


def test_the_initramfs_stays_below_what_the_kernel_can_reach() -> None:
    data = bytearray(HEADER.data)
    struct.pack_into("<I", data, 0x22C - START, 0x37FFFFF - 0x2000)
    ram = place(replace(IMAGE, setup_header=bytes(data)))
    at = number(ram, PARAMS + 0x218, "I")
    assert at == 0x3800000 - 0x2000 - 8192


def test_no_initramfs_has_no_address() -> None:
    ram = place(replace(IMAGE, initramfs=b""))
    assert number(ram, PARAMS + 0x218, "Q") == 0


def test_kernel_and_initramfs_may_just_fit() -> None:
    place(replace(IMAGE, initramfs=bytes(MIB)), size=4 * MIB)


@pytest.mark.parametrize(("size", "initramfs"), [(3, 1), (4, MIB + 1), (2, 0)])
def test_too_little_ram_names_what_would_do(size: int, initramfs: int) -> None:
    image = replace(IMAGE, initramfs=bytes(initramfs))
    with pytest.raises(BadImage, match=r"^vmlinux: no room for the kernel up to 0x300000 ") as told:
        place(image, size=size * MIB)
    enough = int(str(told.value).rpartition("--ram ")[2])
    assert enough == -(-(3 * MIB + initramfs + linux_boot.WORKING) // MIB)
    place(image, size=enough * MIB)


def test_an_initramfs_that_no_ram_takes_is_told_so() -> None:
    data = bytearray(HEADER.data)
    struct.pack_into("<I", data, 0x22C - START, 3 * MIB + 0xFFF)
    with pytest.raises(BadImage, match=r"no room for its initramfs of 6000 bytes.*0x300fff"):
        place(replace(IMAGE, setup_header=bytes(data)))


def test_a_kernel_that_no_machine_takes_gets_no_advice() -> None:
    huge = replace(IMAGE, segments=(Segment(2 * MIB, b"", 1 << 39),))
    with pytest.raises(BadImage, match=r"64 MiB of RAM$"):
        place(huge)


def test_a_kernel_over_the_boot_parameters_is_refused() -> None:
    with pytest.raises(BadImage, match="overlaps"):
        place(replace(IMAGE, segments=(Segment(0x18FFF, b"", 0x10),)))


def test_a_long_command_line_is_refused() -> None:
    place(cmdline="x" * 2047)
    with pytest.raises(TextpokeError, match="2047"):
        place(cmdline="x" * 2048)


def test_a_header_that_claims_to_be_long_does_not_reach_the_memory_map() -> None:
    bzimage = bytearray(4096)
    bzimage[0x201] = 0xFF
    assert START + len(SetupHeader.of(bytes(bzimage)).data) == 0x290


def test_a_header_that_was_made_up_says_what_the_kernel_asks() -> None:
    assert HEADER.version == 0x20F
    assert (HEADER.pref_address, HEADER.init_size) == (2 * MIB, MIB)
    assert (HEADER.loadflags, HEADER.xloadflags, HEADER.initrd_addr_max) == (1, 1, 0x7FFFFFFF)
    assert (HEADER.setup_sects, HEADER.relocatable, HEADER.payload) == (4, False, (0, 0))
