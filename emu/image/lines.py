"""Source lines: from an address to the line of C or assembly it was made from.

The line programs of DWARF 2 to 5, read by pyelftools in one pass when first asked. They are for
reports, which must not take minutes: of an image with more than MAX_BYTES of them, nothing is read.
Source: DWARF 5, section 6.2.
"""

from bisect import bisect_right
from itertools import islice
from pathlib import PurePosixPath

from elftools.dwarf.lineprogram import LineProgram

from emu.image.dwarf_index import MAX_UNITS, dwarf, malformed_is_bad

MAX_BYTES = 4 << 20
"""Of .debug_line; the toy kernel has 22 KiB, a Debian vmlinux 40 MiB."""

_END = ""


class Lines:
    """The source lines of an image; none if it has no debug information.

    Args:
        where: name of the image, for messages.
        sections: bytes by section name.

    Raises:
        BadImage: the debug information is malformed.
    """

    def __init__(self, where: str, sections: dict[str, bytes]) -> None:
        rows: list[tuple[int, str]] = []
        if 0 < len(sections.get(".debug_line", b"")) <= MAX_BYTES and ".debug_info" in sections:
            with malformed_is_bad(where):
                found = dwarf(sections)
                for unit in islice(found.iter_CUs(), MAX_UNITS):
                    program = found.line_program_for_CU(unit)
                    if program is not None:
                        rows += _rows(program)
        # where one sequence ends and another begins, the beginning comes last and counts
        rows.sort(key=lambda row: (row[0], row[1] != _END))
        self._addresses = [address for address, _ in rows]
        self._places = [place for _, place in rows]

    def at(self, address: int) -> str | None:
        """Return `sched.c:120` for a link address, or None."""
        index = bisect_right(self._addresses, address) - 1
        return self._places[index] or None if index >= 0 else None


def _rows(program: LineProgram) -> list[tuple[int, str]]:
    """Return (address, place) of a line program: the place holds up to the next address."""
    files = program.header["file_entry"]
    first = 0 if program.header["version"] >= 5 else 1
    names = [PurePosixPath(entry.name.decode("utf-8", "backslashreplace")).name for entry in files]
    rows = []
    for each in program.get_entries():
        state = each.state
        if state is not None:
            place = _END if state.end_sequence else f"{names[state.file - first]}:{state.line}"
            rows.append((state.address, place))
    return rows
