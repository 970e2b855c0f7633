"""Numbers one after the other, as DWARF writes them, and never a byte beyond the end.

Source: DWARF 5, sections 7.5.1 and 7.6 (LEB128). What does not fit raises ValueError.
"""

_MAX_LEB = 10  # bytes: 64 bits


class Cursor:
    """A place in some bytes. at: the next byte. end: the first that does not belong to it."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at = data, at
        self.end = len(data) if end is None else end
        if not 0 <= at <= self.end <= len(data):
            raise ValueError("a part outside its section")

    def __bool__(self) -> bool:
        """Return whether something is left."""
        return self.at < self.end

    def block(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        at = self.at
        if not 0 <= size <= self.end - at:
            raise ValueError("cut")
        self.at = at + size
        return self.data[at : at + size]

    def number(self, size: int, *, signed: bool = False) -> int:
        """Return a number of `size` bytes."""
        return int.from_bytes(self.block(size), "little", signed=signed)

    def uleb(self) -> int:
        """Return an unsigned LEB128."""
        return self._leb()[0]

    def sleb(self) -> int:
        """Return a signed LEB128."""
        value, bits = self._leb()
        return value - (1 << bits) if value >> bits - 1 else value

    def text(self) -> bytes:
        """Return the bytes up to a NUL, which is passed."""
        stop = self.data.find(b"\0", self.at, self.end)
        if stop < 0:
            raise ValueError("a text without an end")
        found, self.at = self.data[self.at : stop], stop + 1
        return found

    def _leb(self) -> tuple[int, int]:
        """Return the value of an LEB128 and its width in bits."""
        value = 0
        for bits in range(0, 7 * _MAX_LEB, 7):
            byte = self.number(1)
            value |= (byte & 0x7F) << bits
            if byte < 0x80:
                return value, bits + 7
        raise ValueError("a number of more than 64 bits")
