"""Source lines: from an address to the line of C or assembly it was made from, and back.

Read in one pass when first asked. Of an image with more than MAX_BYTES of line programs nothing is
read: reports, which use them, must not take minutes.
"""

from bisect import bisect_right
from pathlib import PurePosixPath
from typing import NamedTuple

from emu.errors import BadSymbol
from emu.image import dwarf_names as dw
from emu.image.cursor import malformed_is_bad
from emu.image.dwarf_entry import Entries
from emu.image.line_program import Row, line_programs

MAX_BYTES = 4 << 20
"""Of .debug_line; the toy kernel has 22 KiB, a Debian vmlinux 40 MiB."""


class Place(NamedTuple):
    """A line of a source file; `path` is as the compiler noted it."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{PurePosixPath(self.path).name}:{self.line}"


class Lines:
    """The source lines of an image; none if it has no debug information.

    Args:
        where: name of the image, for messages.
        sections: bytes by section name.

    Raises:
        BadImage: the debug information is malformed.
    """

    def __init__(self, where: str, sections: dict[str, bytes]) -> None:
        self._where = where
        rows: list[Row] = []
        if 0 < len(sections.get(".debug_line", b"")) <= MAX_BYTES and ".debug_info" in sections:
            with malformed_is_bad(where):
                rows = list(line_programs(sections, _folders(sections)))
        # where one sequence ends and another begins, the beginning comes last and counts
        rows.sort(key=lambda row: (row.address, bool(row.path)))
        self._rows = rows
        self._addresses = [row.address for row in rows]

    def at(self, address: int) -> str | None:
        """Return `sched.c:120` for a link address, or None."""
        place = self.place(address)
        return None if place is None else str(place)

    def place(self, address: int) -> Place | None:
        """Return the source line for a link address, or None."""
        index = bisect_right(self._addresses, address) - 1
        row = self._rows[index] if index >= 0 else None
        if row is None or not row.path or row.line < 1:
            return None  # nothing was compiled here, or not from a line
        return Place(row.path, row.line)

    def addresses(self, place: str) -> tuple[int, ...]:
        """Return where the code of `vfs.c:120` begins, ascending: inlined code in several places.

        As much of the path may be given as tells the file from others.

        Raises:
            BadSymbol: there is no such file, or no code was made from the line.
        """
        path, _, number = place.rpartition(":")
        if not path or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise BadSymbol(f"{place!r} is no source line: FILE:LINE is, for example vfs.c:120")
        paths = {row.path for row in self._rows if _is(row.path, path)}
        if not paths:
            files = {PurePosixPath(row.path).name for row in self._rows if row.path}
            raise BadSymbol.unknown("source file", path, files, self._where)
        line, before, found = int(number), Place("", 0), set()
        for row in self._rows:
            here = Place(row.path, row.line)
            if row.line == line and row.path in paths and row.is_stmt and here != before:
                found.add(row.address)
            before = here
        if not found:
            near = min((row.line for row in self._rows if row.path in paths and row.line > line),
                       default=0)  # fmt: skip
            hint = f": the next line with code is {near}" if near else ""
            raise BadSymbol(f"no code was made from line {line} of {path}{hint}")
        return tuple(sorted(found))


def _is(path: str, wanted: str) -> bool:
    return path == wanted or path.endswith(f"/{wanted}")


def _folders(sections: dict[str, bytes]) -> dict[int, str]:
    """Return the folder of the compiler by line program: relative names of DWARF 4 count from it.

    Raises Malformed.
    """
    entries = Entries(sections)
    found: dict[int, str] = {}
    for unit in entries.units:
        top = entries.top(unit)
        if top is not None and dw.DW_AT_stmt_list in top:
            found[top.number(dw.DW_AT_stmt_list)] = entries.text(top, dw.DW_AT_comp_dir)
    return found
