"""The bytes of a section with debug information or call frames, read in order, believed in nothing.

Every read is checked against the end of what may be read, so what is malformed is `Malformed` and
nothing else; a reader makes BadImage of it, which says in which file. Source: DWARF 5, 7.6.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from emu.errors import BadImage

MAX_NAME = 4096
"""Bytes of a name; what is longer is cut."""

_MAX_LEB128 = 10


class Malformed(ValueError):  # noqa: N818 -- the name says what happened
    """A section breaks its own format."""


@contextmanager
def malformed_is_bad(where: str, what: str = "debug information") -> Iterator[None]:
    """Make BadImage of Malformed in the block; `where` is the name of the image."""
    try:
        yield
    except Malformed as error:
        raise BadImage(f"{where}: {what} is malformed: {error}") from None


class Cursor:
    """A place in a section that moves on as it is read.

    Attributes:
        data: the whole section.
        at: offset of the next byte.
        end: offset behind the last byte that may be read.
    """

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        if not 0 <= at <= self.end <= len(data):
            raise Malformed(f"bytes {at:#x} to {self.end:#x} are outside their {len(data):#x}")

    def __bool__(self) -> bool:
        """Return whether something is left."""
        return self.at < self.end

    def uint(self, size: int) -> int:
        """Return an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def sint(self, size: int) -> int:
        """Return a signed number of `size` bytes."""
        return int.from_bytes(self.take(size), "little", signed=True)

    def uleb(self) -> int:
        """Return an unsigned LEB128 number."""
        return self._leb()[0]

    def sleb(self) -> int:
        """Return a signed LEB128 number."""
        value, bits = self._leb()
        return value - (1 << bits) if value >> (bits - 1) else value

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        start = self.at
        self.skip(size)
        return self.data[start : self.at]

    def skip(self, size: int) -> None:
        """Move on by `size` bytes."""
        if not 0 <= size <= self.end - self.at:
            raise Malformed(f"{size} bytes are missing at {self.at:#x}")
        self.at += size

    def text(self) -> str:
        """Return a NUL-terminated string as text, whatever bytes it has."""
        end = self.data.find(b"\0", self.at, self.end)
        if end < 0:
            raise Malformed(f"a string without an end at {self.at:#x}")
        start, self.at = self.at, end + 1
        return self.data[start : min(end, start + MAX_NAME)].decode("utf-8", "backslashreplace")

    def length(self) -> tuple[int, int]:
        """Return (length, size of an offset) of a unit: 32-bit or 64-bit DWARF, section 7.4."""
        value = self.uint(4)
        if value == 0xFFFFFFFF:
            return self.uint(8), 8
        if value >= 0xFFFFFFF0:
            raise Malformed(f"a length of {value:#x}")
        return value, 4

    def _leb(self) -> tuple[int, int]:
        value = bits = 0
        for at in range(self.at, min(self.end, self.at + _MAX_LEB128)):
            byte = self.data[at]
            value |= (byte & 0x7F) << bits
            bits += 7
            if byte < 0x80:
                self.at = at + 1
                return value, bits
        raise Malformed(f"a number without an end at {self.at:#x}")


def name_at(section: str, strings: bytes, at: int) -> str:
    """Return the name at an offset of a section of strings, of which no more is looked at."""
    part = strings[at : at + MAX_NAME] if at >= 0 else b""
    end = part.find(b"\0")
    if end < 0 and len(part) < MAX_NAME:
        raise Malformed(f"a name at {at:#x} of {section}")
    return part[: end if end >= 0 else MAX_NAME].decode("utf-8", "backslashreplace")
