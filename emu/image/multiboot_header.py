"""The Multiboot 1 header, by which a kernel says how it wants to be loaded.

Twelve 32-bit words somewhere in the first 8192 bytes of the file, at a multiple of four; words 3
to 7 count only if bit 16 of the flags is set. Of the other flags nothing follows here: modules
there are none, a memory map is always given, and a video mode is left out, as QEMU leaves it out.
Sources: Multiboot Specification 0.6.96, section 3.1; QEMU 7.2 hw/i386/multiboot.c.
"""

import struct
from typing import NamedTuple

SEARCHED = 8192
"""Bytes at the head of a file in which the header has to lie."""

MAGIC = 0x1BADB002
MULTIBOOT2_MAGIC = 0xE85250D6

_WORDS = struct.Struct("<8I")
_HAS_ADDRESSES = 1 << 16
_HEADER_SIZE = 48


class MultibootHeader(NamedTuple):
    """What the header says; the addresses are physical, and meant only if `has_addresses`.

    offset: of the header in the file.
    """

    offset: int
    flags: int
    header_addr: int
    load_addr: int
    load_end_addr: int
    bss_end_addr: int
    entry_addr: int

    @property
    def has_addresses(self) -> bool:
        """Return whether the header, and not ELF, says what to load (the "a.out kludge")."""
        return bool(self.flags & _HAS_ADDRESSES)


def find(data: bytes) -> MultibootHeader | None:
    """Return the first header in a file whose checksum is right, or None.

    Like QEMU, this leaves out a header that begins in the last 48 of the 8192 bytes; one that is
    cut by the end of a shorter file reads as if zeros followed.
    """
    head = data[:SEARCHED].ljust(SEARCHED, b"\0")
    at = head.find(MAGIC.to_bytes(4, "little"))
    while 0 <= at < SEARCHED - _HEADER_SIZE:
        magic, flags, checksum, *addresses = _WORDS.unpack_from(head, at)
        if at % 4 == 0 and (magic + flags + checksum) % (1 << 32) == 0:
            return MultibootHeader(at, flags, *addresses)
        at = head.find(MAGIC.to_bytes(4, "little"), at + 1)
    return None


def is_multiboot2(data: bytes) -> bool:
    """Return whether a file has the header of Multiboot 2, which QEMU does not boot."""
    head = data[: 4 * SEARCHED]
    at = head.find(MULTIBOOT2_MAGIC.to_bytes(4, "little"))
    return at >= 0 and at % 8 == 0
