"""The map of physical memory, as the BIOS of QEMU's PC gives it to a kernel.

Source: the entries a guest finds on QEMU 7.2 (machine type pc). Two of them are missing here: the
128 KiB below the end of RAM, where SeaBIOS keeps ACPI tables (ours lie in the BIOS area), and
the HyperTransport hole of AMD processors near 1 TiB.
"""

from typing import NamedTuple

RAM, RESERVED = 1, 2
"""Types of a range, the same in e820, PVH and Multiboot."""

EBDA, VGA, BIOS, MEGABYTE = 0x9FC00, 0xA0000, 0xF0000, 0x100000
"""Where the extended BIOS data area, video memory, the BIOS and extended memory begin."""

_FLASH, _END_32 = 0xFFFC0000, 1 << 32


class Range(NamedTuple):
    """Physical addresses [start, end) of one type."""

    start: int
    end: int
    type: int


def memory_map(size: int) -> tuple[Range, ...]:
    """Return the ranges in a machine with `size` bytes of RAM, by ascending address.

    Video memory is in none of them, as on a PC.
    """
    return (
        Range(0, EBDA, RAM),
        Range(EBDA, VGA, RESERVED),
        Range(BIOS, MEGABYTE, RESERVED),
        Range(MEGABYTE, size, RAM),
        Range(_FLASH, _END_32, RESERVED),
    )
