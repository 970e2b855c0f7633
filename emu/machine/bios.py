"""What a BIOS leaves in memory for a kernel: data area, descriptors, ACPI and MP tables.

No BIOS runs in this machine; its traces are written into RAM before the first instruction:

    0x00400  BIOS data area: the words kernels read
    0x9fc00  extended BIOS data area, 1 KiB; its first byte is its size in KiB
    0xf0000  ACPI tables (`acpi`)
    0xf0400  MP tables (`mp_table`)
    0xf0800  GDT: the segments a core starts with

Sources: SeaBIOS src/std/bda.h; the values are those of QEMU 7.2. There the GDT lies in an option
ROM (pc-bios/optionrom/optionrom.h), in the same order of descriptors.
"""

import struct

from emu.machine import acpi, mp_table
from emu.machine.e820 import EBDA, VGA

Area = tuple[int, bytes]
"""Bytes at a physical address."""

GDT = 0xF0800
"""Physical address of the descriptors; a kernel that has none of its own yet may load these."""

_DESCRIPTORS = struct.pack(
    "<5Q",
    0,
    0x00CF9B000000FFFF,  # 0x08: code, 32 bits, 4 GiB
    0x00CF93000000FFFF,  # 0x10: data, 4 GiB
    0x00009F000000FFFF,  # 0x18: conforming code, 16 bits, 64 KiB
    0x000093000000FFFF,  # 0x20: data, 64 KiB
)
GDT_LIMIT = len(_DESCRIPTORS) - 1

_COM1, _EBDA_SEGMENT, _BASE_MEMORY = 0x400, 0x40E, 0x413


def areas(cores: int) -> list[Area]:
    """Return everything the BIOS of a machine with `cores` processors leaves in memory."""
    kib = 1 << 10
    return [
        (_COM1, struct.pack("<H", 0x3F8)),
        (_EBDA_SEGMENT, struct.pack("<H", EBDA >> 4)),
        (_BASE_MEMORY, struct.pack("<H", EBDA // kib)),
        (EBDA, bytes([(VGA - EBDA) // kib])),
        *acpi.tables(cores),
        *mp_table.tables(cores),
        (GDT, _DESCRIPTORS),
    ]
