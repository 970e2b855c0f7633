"""Strings of C in memory: bytes up to a NUL, which nobody knows before it is read."""

from collections.abc import Callable

from emu.errors import TextpokeError
from emu.image.values import text

MAX_STRING = 4096
"""Bytes of a string behind a pointer."""

_CHUNK = 64  # divides a page, so a string read does not touch the next page before it must


def string_at(read: Callable[[int, int], bytes], address: int) -> str:
    """Return the string that `read` finds at an address, at most MAX_STRING bytes of it."""
    data = b""
    while b"\0" not in data and len(data) < MAX_STRING:
        at = address + len(data)
        try:
            data += read(at, _CHUNK - at % _CHUNK)
        except TextpokeError:  # the string may end where memory does
            data += read(at, 1)
    return text(data[:MAX_STRING])
