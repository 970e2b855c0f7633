"""What a kernel that boots by Multiboot 1 is told, as QEMU tells it.

    0x9000     memory map
    0x9500     multiboot_info, whose address the kernel finds in ebx
    behind it  the strings: command line and the boot loader's name, at the first multiple of 4096
               bytes from the kernel's first byte that lies behind the kernel (bss included)

The command line begins with the name of the kernel's file, without directories: a run must not
depend on where the file lies. There are no modules.
Sources: Multiboot Specification 0.6.96, section 3.3; QEMU 7.2 hw/i386/multiboot.c and
pc-bios/optionrom/multiboot.S.
"""

import struct
from collections.abc import Sequence

from emu.machine.bios import Area
from emu.machine.e820 import MEGABYTE, RAM, Range

MAGIC = 0x2BADB002
"""In eax at the entry."""

STACK = 0x6F08
"""esp at the entry. The specification leaves it open; QEMU leaves that of its BIOS."""

MEMORY_MAP = 0x9000
INFO = 0x9500
AREA_END = 0x9558
"""Physical addresses of what lies below the kernel."""

_MEMORY, _BOOT_DEVICE, _CMDLINE, _MODULES, _MMAP, _LOADER = (1 << bit for bit in (0, 1, 2, 3, 6, 9))
_FLAGS = _MEMORY | _BOOT_DEVICE | _CMDLINE | _MODULES | _MMAP | _LOADER
_FIRST_HARD_DISK = 0x8000FFFF  # no partition
_LOADER_NAME = b"qemu\0"
_MAP_ENTRY = struct.Struct("<I2QI")
_PAGE = 4096


def areas(
    name: str, kernel: tuple[int, int], line: bytes, ranges: Sequence[Range]
) -> tuple[list[Area], tuple[int, int]]:
    """Return the info for a kernel, and the physical range of the strings.

    Args:
        name: the kernel's file name without directories.
        kernel: physical addresses of its first byte and behind its last one.
        line: the command line with its NUL.
        ranges: the memory map.
    """
    start, end = kernel
    at = start + -(-(end - start) // _PAGE) * _PAGE
    line = name.encode(errors="replace") + b" " + line
    strings = line + _LOADER_NAME
    # The size at the head of an entry does not count itself.
    table = b"".join(_MAP_ENTRY.pack(20, r.start, r.end - r.start, r.type) for r in ranges)
    info = struct.pack(
        "<22I",
        *(_FLAGS, ranges[0].end >> 10, _upper(ranges) >> 10, _FIRST_HARD_DISK),
        *(at, 0, at, 0, 0, 0, 0),  # command line; modules: none, at an address; no symbols
        *(len(table), MEMORY_MAP, 0, 0, 0),  # no drives, no configuration table
        *(at + len(line), 0, 0, 0, 0, 0),  # boot loader's name; no APM, no VBE
    )
    areas = [(MEMORY_MAP, table), (INFO, info), (at, strings)]
    return areas, (at, at + len(strings))


def _upper(ranges: Sequence[Range]) -> int:
    """Return the bytes of RAM from 1 MiB up to the first hole."""
    return next((r.end - r.start for r in ranges if r.start == MEGABYTE and r.type == RAM), 0)
