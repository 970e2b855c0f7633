"""A tar archive that is read from its beginning on, while it is unpacked, for one of its members.

Nothing is written, and names only serve to choose. Names of over 100 bytes come in records of their
own (GNU and pax), which are skipped like any other: the name that follows them is cut then.
Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from collections.abc import Callable, Iterable

from emu.image.cursor import Malformed

MAX_ARCHIVE = 2 << 30
"""Bytes of an archive that are looked at; a kernel's package unpacks to 400 MiB."""

_BLOCK = 512
_SUM = slice(148, 156)
_REGULAR = (b"0", b"\0")


def find(
    pieces: Iterable[bytes], wanted: Callable[[str], bool], limit: int
) -> tuple[str, bytes] | None:
    """Return the name and the bytes of the first regular file whose name is wanted.

    Args:
        pieces: the archive; no more is taken of it than is needed.
        wanted: is given the name as it is in the archive, with any "./" before it.
        limit: the most bytes that a wanted file may have.

    Raises:
        Malformed: no tar archive, a damaged or a cut one, or the file is too large.
    """
    archive = _Archive(pieces)
    while any(header := archive.take(_BLOCK)):
        name, size = _name(header), _size(header)
        if header[156:157] in _REGULAR and wanted(name):
            if size > limit:
                raise Malformed(f"{name} has {size} bytes, over {limit >> 20} MiB")
            return name, archive.take(size)
        archive.skip(-(-size // _BLOCK) * _BLOCK)
    return None


class _Archive:
    """The bytes of an archive, in order."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._have = b""
        self._at = 0
        self._taken = 0

    def take(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            self._more()
            part = self._have[self._at : self._at + size - len(found)]
            found += part
            self._at += len(part)
        return bytes(found)

    def skip(self, size: int) -> None:
        while size:
            self._more()
            step = min(len(self._have) - self._at, size)
            self._at += step
            size -= step

    def _more(self) -> None:
        """Have at least a byte, or raise Malformed."""
        while self._at == len(self._have):
            piece = next(self._pieces, None)
            if piece is None:
                raise Malformed("the archive is cut")
            self._have, self._at = piece, 0
            self._taken += len(piece)
            if self._taken > MAX_ARCHIVE:
                raise Malformed(f"the archive unpacks to over {MAX_ARCHIVE >> 20} MiB")


def _name(header: bytes) -> str:
    """Return the name of a member; Malformed if the header's sum is wrong."""
    blank = header[: _SUM.start] + b" " * 8 + header[_SUM.stop :]
    if _octal(header[_SUM]) != sum(blank):
        raise Malformed("no tar archive, or a damaged one")
    name, prefix = header[:100], header[345:500] if header[257:263] == b"ustar\0" else b""
    parts = (part.partition(b"\0")[0] for part in (prefix, name))
    return b"/".join(filter(None, parts)).decode("utf-8", "backslashreplace")


def _size(header: bytes) -> int:
    return _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise Malformed(f"the archive has the number {digits!r}")
    return int(digits or b"0", 8)
