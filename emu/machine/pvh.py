"""What a kernel that boots by PVH is told: `hvm_start_info`, whose address it finds in ebx.

Layout: xen/include/public/arch-x86/hvm/start_info.h, version 1. Everything lies in one page, at
addresses that never change (QEMU keeps the same things in the memory of its option ROM):

    0x1000  hvm_start_info (56 bytes)
    0x1100  memory map: hvm_memmap_table_entry, 24 bytes each
    0x1800  command line, NUL-terminated, at most 2048 bytes with the NUL
"""

import struct
from collections.abc import Sequence

from emu.machine.acpi import RSDP
from emu.machine.bios import Area
from emu.machine.e820 import Range

START_INFO = 0x1000
MEMORY_MAP = 0x1100
COMMAND_LINE = 0x1800
AREA_END = 0x2000
"""Physical addresses of the start info and its parts; the page ends at AREA_END."""

_MAGIC = 0x336EC578  # XEN_HVM_START_MAGIC_VALUE
_VERSION = 1  # the first with a memory map

_START_INFO = struct.Struct("<4I4Q2I")
_MAP_ENTRY = struct.Struct("<2Q2I")


def areas(line: bytes, ranges: Sequence[Range]) -> list[Area]:
    """Return the start info for a command line (with its NUL) and a memory map."""
    info = _START_INFO.pack(
        *(_MAGIC, _VERSION, 0, 0, 0, COMMAND_LINE, RSDP, MEMORY_MAP, len(ranges), 0)
    )
    entries = b"".join(_MAP_ENTRY.pack(r.start, r.end - r.start, r.type, 0) for r in ranges)
    return [(START_INFO, info), (MEMORY_MAP, entries), (COMMAND_LINE, line)]
