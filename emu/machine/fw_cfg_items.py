"""What fw_cfg answers: the items of QEMU's PC that a kernel may ask for.

Left out are those by which QEMU hands kernel, initrd and ACPI blobs to its firmware: no firmware
runs here. There is one file, etc/e820: the RAM. Every item has QEMU's number and layout, numbers
are little-endian, those in the file directory big-endian.
Sources: QEMU docs/specs/fw_cfg.rst, include/standard-headers/linux/qemu_fw_cfg.h and
hw/i386/fw_cfg.c (fw_cfg_arch_create).
"""

import struct

from emu.machine.e820 import RAM

SIGNATURE, ID, UUID, RAM_SIZE, NOGRAPHIC, NB_CPUS = range(6)
NUMA, BOOT_MENU, MAX_CPUS = 0x0D, 0x0E, 0x0F
CMDLINE_SIZE, CMDLINE_DATA = 0x14, 0x15
FILE_DIR, FILE_FIRST = 0x19, 0x20
IRQ0_OVERRIDE = 0x8002
"""Keys, as QEMU names them without the prefix FW_CFG_."""

Item = tuple[int, bytes]
"""A key and the bytes that are read under it."""

_TRADITIONAL = 1  # interface version bits: byte by byte; no DMA
_FILE = struct.Struct(">I2H56s")


def items(cores: int, ram: int, line: bytes) -> list[Item]:
    """Return every item by ascending key.

    Args:
        cores: processors.
        ram: bytes of RAM.
        line: the command line with its NUL.
    """
    files = [("etc/e820", struct.pack("<2QI", 0, ram, RAM))]
    return [
        (SIGNATURE, b"QEMU"),
        (ID, struct.pack("<I", _TRADITIONAL)),
        (UUID, bytes(16)),
        (RAM_SIZE, struct.pack("<Q", ram)),
        (NOGRAPHIC, struct.pack("<H", 0)),
        (NB_CPUS, struct.pack("<H", cores)),
        (NUMA, bytes(8 * (1 + cores))),  # no nodes; every processor in node 0
        (BOOT_MENU, struct.pack("<H", 0)),
        (MAX_CPUS, struct.pack("<H", cores)),
        (CMDLINE_SIZE, struct.pack("<I", len(line))),
        (CMDLINE_DATA, line),
        (FILE_DIR, _directory(files)),
        *((FILE_FIRST + number, data) for number, (_, data) in enumerate(files)),
        (IRQ0_OVERRIDE, struct.pack("<I", 1)),
    ]


def table(content: list[Item]) -> bytes:
    """Return items as native code reads them (`fw_cfg`).

    Numbers are little-endian and of 16 bits: how many items; of each its key and where in the
    table its bytes begin and end; then all the bytes.
    """
    at = 2 + 6 * len(content)
    index = struct.pack("<H", len(content))
    for key, data in content:
        index += struct.pack("<3H", key, at, at + len(data))
        at += len(data)
    return index + b"".join(data for _, data in content)


def _directory(files: list[tuple[str, bytes]]) -> bytes:
    """Return the file directory: files in the order of their names, numbered from FILE_FIRST."""
    entries = [
        _FILE.pack(len(data), FILE_FIRST + number, 0, name.encode())
        for number, (name, data) in enumerate(files)
    ]
    return struct.pack(">I", len(entries)) + b"".join(entries)
