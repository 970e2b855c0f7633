"""The kernel's first file system: one of our own, and a look at what a user brings.

Ours has an init, its script, and what else a test needs, with the directories they lie in. A
user's is passed on as it is. The kernel takes any number of archives one behind another, each plain
or compressed, with zeros between them (so has Debian's: the processor's microcode comes first, and
plain); one that it would refuse, it refuses after seconds, on its console. So that is said at once.
Source: Linux init/initramfs.c (unpack_to_rootfs).
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from emu.errors import BadImage
from emu.image import cpio, unpack
from emu.image.cursor import Malformed

MAX_UNPACKED = 512 << 20
"""Bytes that all compressed archives may have together when they are unpacked."""

_FIELDS = 4  # an archive begins at a multiple of this
_EXECUTABLE = 0o755
_NONZERO = re.compile(rb"[^\0]")


def build(init: bytes, script: bytes = b"", files: Mapping[str, bytes] | None = None) -> bytes:
    """Return an initramfs.

    Args:
        init: the program /init.
        script: what it finds in /script; without one there is none.
        files: contents by path ("/modules/a.ko"); all can be executed.

    Raises:
        BadImage: a path is none for a file, or taken.
    """
    entries = {"dev/console": cpio.character_device("dev/console", 5, 1)}
    wanted = {"/init": init, **({"/script": script} if script else {})}
    for path, data in (*wanted.items(), *(files or {}).items()):
        name = _name(path)
        if name in entries:
            raise BadImage(f"initramfs: two files for {path}")
        entries[name] = cpio.file(name, data, _EXECUTABLE)
    for name in list(entries):
        for parent in list(PurePosixPath(name).parents)[:-1]:
            above = entries.setdefault(str(parent), cpio.directory(str(parent)))
            if above != cpio.directory(str(parent)):
                raise BadImage(f"initramfs: /{parent} cannot be a file and hold /{name}")
    try:
        return cpio.write(entry for _, entry in sorted(entries.items()))
    except ValueError as error:
        raise BadImage(f"initramfs: {error}") from None


def check(name: str, data: bytes) -> None:
    """Raise BadImage unless the kernel can read `data`, a file called `name`."""
    try:
        _check(data, MAX_UNPACKED)
    except Malformed as error:
        raise BadImage(f"{name}: not an initramfs that the kernel takes: {error}") from None


def _check(data: bytes, left: int, *, packed: bool = False) -> None:
    """Read archives, one behind another, and unpack up to `left` bytes.

    packed: `data` was unpacked itself, so there may be nothing compressed in it.
    """
    at, archives = _nonzero(data, 0), 0
    while at < len(data):
        if cpio.is_archive(data, at):
            if at % _FIELDS:
                raise Malformed(f"the archive at byte {at} does not begin at a multiple of 4")
            at = _end(data, at)
        elif packed or unpack.format_of(data, at) is None:
            what = "what was unpacked has" if packed else "there is"
            raise Malformed(f"{what} no cpio archive (newc) at byte {at}")
        elif unpack.format_of(data, at) == "lzo":
            return  # the kernel can, we cannot
        else:
            stream = unpack.Unpacked(data, at)
            unpacked = stream.all(left)
            _check(unpacked, 0, packed=True)
            at, left = stream.end, left - len(unpacked)
        archives += 1
        at = _nonzero(data, at)
    if not archives:
        raise Malformed("it is empty")


def _end(data: bytes, at: int) -> int:
    """Return the offset behind an archive."""
    entries = cpio.read(data, at)
    while True:
        try:
            next(entries)
        except StopIteration as end:
            return int(end.value)


def _nonzero(data: bytes, at: int) -> int:
    """Return the offset of the next byte that is not 0, the end if there is none."""
    found = _NONZERO.search(data, at)
    return found.start() if found else len(data)


def _name(path: str) -> str:
    """Return the name of an entry for a path; BadImage if it leads nowhere."""
    parts = [part for part in PurePosixPath(path).parts if not part.startswith("/")]
    name = "/".join(parts)
    if not name or ".." in parts or "\0" in name:
        raise BadImage(f"initramfs: {path!r} is no path of a file")
    return name
