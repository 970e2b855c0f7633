"""A Debian package, and the kernel in it.

The package is an `ar` archive of three members: debian-binary, control.tar and data.tar, the last
two compressed. Nothing of it is written anywhere, so no name in it can do harm.
Sources: deb(5); ar(5) (/usr/include/ar.h).
"""

from collections.abc import Iterable, Iterator

from emu.errors import BadImage
from emu.image import tar_stream, unpack
from emu.image.cursor import Malformed

MAGIC = b"!<arch>\n"

KERNEL = "boot/vmlinuz-"
"""How the name of the kernel begins, below the root."""

_HEADER = 60
_MAX_MEMBERS = 16


def kernel(name: str, data: bytes, limit: int) -> bytes:
    """Return the kernel in a package, a bzImage as a rule; never over `limit` bytes.

    Raises:
        BadImage: the package is damaged, or has no kernel.
    """
    try:
        found = tar_stream.find(_archive(data), _is_kernel, limit)
    except Malformed as error:
        raise BadImage(f"{name}: the package cannot be read: {error}: fetch it again") from None
    if found is None:
        raise BadImage(
            f"{name}: the package has no {KERNEL}*: take the linux-image package that has the "
            "kernel's version in its name"
        )
    return found[1]


def _is_kernel(name: str) -> bool:
    return name.removeprefix("./").removeprefix("/").startswith(KERNEL)


def _archive(data: bytes) -> Iterable[bytes]:
    """Return the tar archive of what the package installs, in pieces."""
    for name, start, end in _members(data):
        if name.startswith("data.tar"):
            member = data[start:end]
            return [member] if unpack.format_of(member) is None else unpack.Unpacked(member)
    raise Malformed("it has no data.tar")


def _members(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each member."""
    at = len(MAGIC)
    for _ in range(_MAX_MEMBERS):
        header = data[at : at + _HEADER]
        if not header:
            return
        size = header[48:58].rstrip(b" ")
        if header[58:] != b"`\n" or not size.isdigit():
            raise Malformed("no ar archive, or a damaged one")
        start, end = at + _HEADER, at + _HEADER + int(size)
        if end > len(data):
            raise Malformed(f"it has {len(data)} of {end} bytes")
        yield header[:16].decode("ascii", "replace").rstrip(" /"), start, end
        at = end + end % 2
