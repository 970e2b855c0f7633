"""Lines of source files, found only below folders that somebody named.

Debug information of a stranger's image names any file it likes. A path is looked up below the
folders given, its last parts alone if need be (`kernels/toy/vfs.c`, `toy/vfs.c`, `vfs.c`); `..`
and links that lead out are refused, so no other file of this computer can be shown.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

MAX_SOURCE = 4 << 20
"""Bytes of a source file; what is longer is not read."""

MAX_FILES = 256
"""Files kept of one image."""

MAX_LINE = 400
"""Characters of a line."""

_MAX_PARTS = 32


class Sources:
    """The source files below folders; a file is read once.

    Args:
        folders: where to look, in this order.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._files: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str | None:
        """Return line `number` of the file that debug information calls `path`, or None."""
        if path not in self._files:
            if len(self._files) >= MAX_FILES:
                self._files.clear()
            self._files[path] = self._read(path)
        lines = self._files[path]
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _read(self, path: str) -> list[str]:
        parts = PurePosixPath(path).parts
        if ".." in parts or len(parts) > _MAX_PARTS:
            return []
        names = parts[1:] if path.startswith("/") else parts
        for folder in self._folders:
            for first in range(len(names)):
                found = _text(folder, folder.joinpath(*names[first:]))
                if found is not None:
                    return [_shown(line) for line in found.split("\n")]
        return []


def _text(folder: Path, path: Path) -> str | None:
    """Return a file's text; None if it is no file below `folder`."""
    try:
        real = path.resolve(strict=True)
        if not (real.is_relative_to(folder) and real.is_file()):
            return None
        if real.stat().st_size > MAX_SOURCE:
            return None
        return real.read_text("utf-8", "backslashreplace")
    except (OSError, ValueError, RuntimeError):  # absent, a NUL in its name, a loop of links
        return None


def _shown(line: str) -> str:
    """Return a line as it can be printed: nothing in it drives a terminal."""
    cut = line.rstrip("\r")[:MAX_LINE]
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1]
                   for char in cut)  # fmt: skip
