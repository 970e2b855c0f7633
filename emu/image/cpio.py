"""The archive format of an initramfs: cpio, "newc", as the kernel reads it.

An archive is entries one behind another, each a header of 110 characters, a name and data, both
filled up with zeros to a multiple of 4; the last one is called TRAILER!!!. What is written is the
same for the same entries, on any computer: no times, no users, inode numbers in order.
Sources: Linux Documentation/driver-api/early-userspace/buffer-format.rst; init/initramfs.c.
"""

import stat
import struct
from collections.abc import Generator, Iterable
from dataclasses import dataclass

from emu.image.cursor import Malformed

MAGIC, MAGIC_CRC = b"070701", b"070702"
"""How an entry begins; with the second, it has the sum of its data."""

_TRAILER = "TRAILER!!!"
_HEADER = struct.Struct("6s" + 13 * "8s")
_MAX_NAME = 4096  # PATH_MAX, with the NUL
_MAX_DATA = (1 << 32) - 1
_MAX_ENTRIES = 1 << 20
_DIGITS = b"0123456789abcdefABCDEF"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory, link or device.

    Attributes:
        name: path without a slash before it.
        mode: kind and permissions, as in st_mode.
        data: of a file; of a symbolic link, where it leads.
        device: major and minor number of a device.
    """

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(name: str, data: bytes, permissions: int = 0o644) -> Entry:
    """Return a regular file."""
    return Entry(name, stat.S_IFREG | permissions, data)


def directory(name: str, permissions: int = 0o755) -> Entry:
    """Return a directory."""
    return Entry(name, stat.S_IFDIR | permissions)


def character_device(name: str, major: int, minor: int, permissions: int = 0o600) -> Entry:
    """Return a character device."""
    return Entry(name, stat.S_IFCHR | permissions, device=(major, minor))


def write(entries: Iterable[Entry]) -> bytes:
    """Return an archive of `entries`, in their order.

    Raises:
        ValueError: a name or a file is too long for the format, or a name has a NUL.
    """
    archive = bytearray()
    for inode, entry in enumerate((*entries, Entry(_TRAILER, 0)), start=1):
        name = entry.name.encode("utf-8", "surrogateescape")
        if not 0 < len(name) < _MAX_NAME or b"\0" in name or len(entry.data) > _MAX_DATA:
            raise ValueError(f"no entry of an archive: {entry.name[:80]!r}")
        links = 2 if stat.S_ISDIR(entry.mode) else 1
        fields = (
            *(inode, entry.mode, 0, 0, links, 0, len(entry.data)),  # by root, made in 1970
            *(0, 0, *entry.device, len(name) + 1, 0),
        )
        archive += MAGIC + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        archive += bytes(-len(archive) % 4)
        archive += entry.data
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def read(data: bytes, at: int = 0) -> Generator[Entry, None, int]:
    """Yield the entries of the archive at offset `at`; return the offset behind it.

    Raises:
        Malformed: no archive, a damaged one, or one that is cut.
    """
    for _ in range(_MAX_ENTRIES):
        entry, at = _entry(data, at)
        if entry.name == _TRAILER:
            return at
        yield entry
    raise Malformed(f"an archive of over {_MAX_ENTRIES} entries")


def is_archive(data: bytes, at: int = 0) -> bool:
    """Return whether an archive begins at `at`."""
    return data.startswith((MAGIC, MAGIC_CRC), at)


def _entry(data: bytes, at: int) -> tuple[Entry, int]:
    """Return the entry at an offset, and the offset behind it and its padding."""
    start = at + _HEADER.size
    if start > len(data):
        raise Malformed(f"the archive is cut at byte {len(data)}: {_TRAILER} is missing")
    magic, *fields = _HEADER.unpack_from(data, at)
    if magic not in (MAGIC, MAGIC_CRC):
        raise Malformed(f"no entry of an archive at byte {at}: make it with cpio -H newc")
    if any(field.strip(_DIGITS) for field in fields):
        raise Malformed(f"the archive's entry at byte {at} is damaged")
    _, mode, _, _, _, _, size, _, _, major, minor, name_size, total = (
        int(field, 16) for field in fields
    )
    if not 0 < name_size <= _MAX_NAME:
        raise Malformed(f"the archive's entry at byte {at} has a name of {name_size} bytes")
    body = _aligned(start + name_size)
    end = body + size
    if end > len(data):
        raise Malformed(f"the archive is cut at byte {len(data)}: its entry ends at {end}")
    name, content = data[start : start + name_size], data[body:end]
    if name[-1]:
        raise Malformed(f"the archive's entry at byte {at} has a name without an end")
    if magic == MAGIC_CRC and stat.S_ISREG(mode) and sum(content) % (1 << 32) != total:
        raise Malformed(f"the archive's entry at byte {at} has the wrong sum")
    text = name.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return Entry(text, mode, content, (major, minor)), min(_aligned(end), len(data))


def _aligned(at: int) -> int:
    return -(-at // 4) * 4
