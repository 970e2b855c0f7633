"""What a Linux kernel is told that is started in long mode, by the 64-bit boot protocol.

The kernel finds the address of boot_params in rsi, long mode switched on, and low memory mapped as
it is. All of this lies at addresses that never change, but for the initramfs:

    0x10000  boot_params ("zero page"), 4096 bytes
    0x11000  command line, NUL-terminated, at most 2048 bytes with the NUL
    0x12000  GDT: the segments the boot protocol asks for
    0x13000  page tables: the first 4 GiB at their physical addresses, by pages of 2 MiB
    top      the initramfs: at the end of RAM, or below `initrd_addr_max`; begins with a page

Everything below 1 MiB is the kernel's to use again; it copies what it needs before it does so.
Sources: Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"; struct boot_params in
arch/x86/include/uapi/asm/bootparam.h.
"""

import struct
from collections.abc import Sequence

from emu.machine import setup_header
from emu.machine.acpi import RSDP
from emu.machine.bios import Area
from emu.machine.e820 import Range
from emu.machine.setup_header import SetupHeader

BOOT_PARAMS = 0x10000
"""Physical address of boot_params, for rsi."""

COMMAND_LINE = 0x11000

GDT = 0x12000
BOOT_CS, BOOT_DS = 0x10, 0x18
"""__BOOT_CS and __BOOT_DS: the selectors of code and data at the entry."""

PAGE_TABLES = 0x13000
"""Physical address of the first page table (PML4), for CR3."""

AREA_END = 0x19000

_DESCRIPTORS = struct.pack("<4Q", 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF)
GDT_LIMIT = len(_DESCRIPTORS) - 1

WORKING = 32 << 20
"""Bytes of RAM that are advised beside kernel and initramfs: half of it took Debian's cloud kernels
6.1 and 6.12 to a small init, with one CPU."""

_PAGE = 4096
_LARGE_PAGE = 2 << 20
_PRESENT_WRITABLE, _LARGE = 0x3, 0x80

_ACPI_RSDP_ADDR, _E820_ENTRIES, _E820_TABLE = 0x70, 0x1E8, 0x2D0
_E820_ENTRY = struct.Struct("<2QI")
_UNKNOWN_LOADER, _NORMAL_VIDEO = 0xFF, 0xFFFF


def areas(header: SetupHeader, line: bytes, ranges: Sequence[Range], initramfs: Area) -> list[Area]:
    """Return what the protocol places in RAM.

    Args:
        header: of the kernel.
        line: the command line with its NUL.
        ranges: the memory map.
        initramfs: the physical address that `initramfs_address` gave it, and its bytes.
    """
    return [
        (BOOT_PARAMS, _boot_params(header, ranges, initramfs)),
        (COMMAND_LINE, line),
        (GDT, _DESCRIPTORS),
        (PAGE_TABLES, _identity_map()),
        initramfs,
    ]


def initramfs_address(header: SetupHeader, kernel_end: int, initramfs: int, ram: int) -> int | None:
    """Return the physical address of an initramfs of `initramfs` bytes in `ram` bytes of RAM.

    kernel_end: the physical address behind the kernel, and behind all it needs to unpack itself.
    None if there is no room for both.
    """
    start = (min(ram, header.initrd_addr_max + 1) - initramfs) // _PAGE * _PAGE
    return start if start >= kernel_end else None


def _boot_params(header: SetupHeader, ranges: Sequence[Range], initramfs: Area) -> bytes:
    """Return boot_params: the kernel's own header, with what a boot loader fills in."""
    page = bytearray(_PAGE)
    page[setup_header.START : setup_header.START + len(header.data)] = header.data
    address, data = initramfs
    for at, form, value in (
        (_ACPI_RSDP_ADDR, "<Q", RSDP),
        (_E820_ENTRIES, "<B", len(ranges)),
        (setup_header.VID_MODE, "<H", _NORMAL_VIDEO),
        (setup_header.TYPE_OF_LOADER, "<B", _UNKNOWN_LOADER),
        (setup_header.RAMDISK_IMAGE, "<I", address if data else 0),
        (setup_header.RAMDISK_SIZE, "<I", len(data)),
        (setup_header.CMD_LINE_PTR, "<I", COMMAND_LINE),
    ):
        struct.pack_into(form, page, at, value)
    for number, each in enumerate(ranges):
        at = _E820_TABLE + number * _E820_ENTRY.size
        _E820_ENTRY.pack_into(page, at, each.start, each.end - each.start, each.type)
    return bytes(page)


def _identity_map() -> bytes:
    """Return the page tables: PML4, PDPT and four page directories."""
    directories = [PAGE_TABLES + (2 + number) * _PAGE for number in range(4)]
    return b"".join(
        struct.pack("<512Q", *entries, *(0,) * (512 - len(entries)))
        for entries in (
            [(PAGE_TABLES + _PAGE) | _PRESENT_WRITABLE],
            [directory | _PRESENT_WRITABLE for directory in directories],
            *(
                [
                    page * _LARGE_PAGE | _PRESENT_WRITABLE | _LARGE
                    for page in range(number * 512, (number + 1) * 512)
                ]
                for number in range(4)
            ),
        )
    )
