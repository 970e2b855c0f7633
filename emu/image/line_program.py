"""The line programs of .debug_line, versions 2 to 5: a machine that writes rows.

Source: DWARF 5, section 6.2. What a program emits is bounded by its length, what a header lists by
the bytes it has and MAX_FILES. Sequences that begin at address 0 are of functions the linker
dropped.
"""

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from emu.image.cursor import Cursor, Malformed, name_at
from emu.image.dwarf_form import read

MAX_FILES = 10_000
"""Files, and directories, of one program."""

_DW_LNCT_path, _DW_LNCT_directory_index = 1, 2
_STRINGS = {0x0E: ".debug_str", 0x1F: ".debug_line_str"}
_ADDRESS = (1 << 64) - 1


class Row(NamedTuple):
    """From `address` to the next row the code is of this line; path "": of none."""

    address: int
    path: str
    line: int
    is_stmt: bool


class _Header(NamedTuple):
    """What the machine needs to know."""

    version: int
    min_length: int
    default_is_stmt: bool
    line_base: int
    line_range: int
    opcode_lengths: bytes
    files: list[str]

    def path(self, number: int) -> str:
        """Return the path of a file, which DWARF 5 counts from 0."""
        index = number if self.version >= 5 else number - 1
        if not 0 <= index < len(self.files):
            raise Malformed(f"file {number} of a line program")
        return self.files[index]


def line_programs(sections: dict[str, bytes], folders: dict[int, str]) -> Iterator[Row]:
    """Yield the rows of all programs; folders: of the compiler, by offset of the program.

    Raises Malformed.
    """
    data = sections.get(".debug_line", b"")
    at = Cursor(data)
    while at.at < at.end:
        start = at.at
        length, offset_size = at.length()
        program = Cursor(data, at.at, min(at.at + length, at.end))
        at.skip(length)
        header = _header(program, sections, offset_size, folders.get(start, ""))
        yield from _run(program, header)


def _header(at: Cursor, sections: dict[str, bytes], offset_size: int, folder: str) -> _Header:
    """Read a header; leaves `at` behind it."""
    version = at.uint(2)
    if not 2 <= version <= 5:
        raise Malformed(f"version {version} of a line program")
    if version >= 5:
        at.skip(2)  # sizes of an address and a segment selector
    length = at.uint(offset_size)
    behind = at.at + length
    if behind > at.end:
        raise Malformed("the header of a line program is cut")
    part = Cursor(at.data, at.at, behind)
    min_length = part.uint(1)
    if version >= 4:
        part.skip(1)  # operations of an instruction: 1 but for VLIW
    is_stmt, line_base, line_range = part.uint(1) != 0, part.sint(1), part.uint(1)
    opcode_lengths = part.take(max(0, part.uint(1) - 1))
    if version >= 5:
        folders = [name for name, _ in _listed(part, sections, offset_size)]
        named = _listed(part, sections, offset_size)
    else:
        folders, named = [folder, *_names(part)], _named(part)
    files = [_path(folder or next(iter(folders), ""), folders, name, at) for name, at in named]
    at.at = behind
    return _Header(version, min_length, is_stmt, line_base, line_range, opcode_lengths, files)


def _names(at: Cursor) -> list[str]:
    """Return the include directories of DWARF 2 to 4."""
    found: list[str] = []
    while name := at.text():
        _count(len(found) + 1)
        found.append(name)
    return found


def _named(at: Cursor) -> list[tuple[str, int]]:
    """Return (name, directory) of the files of DWARF 2 to 4."""
    found: list[tuple[str, int]] = []
    while name := at.text():
        _count(len(found) + 1)
        found.append((name, at.uleb()))
        at.uleb()  # time
        at.uleb()  # length
    return found


def _listed(at: Cursor, sections: dict[str, bytes], offset_size: int) -> list[tuple[str, int]]:
    """Return (name, directory) of a table of DWARF 5: directories, or files."""
    formats = [(at.uleb(), at.uleb()) for _ in range(at.uint(1))]
    count = at.uleb()
    _count(count)
    if count * len(formats) > at.end - at.at:  # each part takes a byte at the least
        raise Malformed(f"a line program of {count} files of {len(formats)} parts")
    found = []
    for _ in range(count):
        name, folder = "", 0
        for content, wanted in formats:
            form, value = read(at, wanted, 8, offset_size)
            if content == _DW_LNCT_path:
                name = _text(form, value, sections)
            elif content == _DW_LNCT_directory_index and isinstance(value, int):
                folder = value
        found.append((name, folder))
    return found


def _count(files: int) -> None:
    if files > MAX_FILES:
        raise Malformed(f"a line program of over {MAX_FILES} files")


def _text(form: int, value: object, sections: dict[str, bytes]) -> str:
    if isinstance(value, str):
        return value
    if form not in _STRINGS or not isinstance(value, int):
        raise Malformed(f"a name of form {form:#x} in a line program")
    section = _STRINGS[form]
    return name_at(section, sections.get(section, b""), value)


def _path(base: str, folders: list[str], name: str, folder: int) -> str:
    """Return the path of a file: an absolute part drops what is in front of it.

    A folder that begins as a relative `base` does has been mapped by -ffile-prefix-map, as the base
    has, and does not lie in it.
    """
    within = folders[folder] if 0 <= folder < len(folders) else ""
    first = PurePosixPath(base).parts[:1]
    if first and first == PurePosixPath(within).parts[:1]:
        base = ""
    return posixpath.normpath(posixpath.join(base, within, name)) if name else "?"


def _run(at: Cursor, header: _Header) -> Iterator[Row]:
    """Yield the rows of a program, sequence by sequence."""
    sequence = _Sequence(header)
    while at.at < at.end:
        opcode = at.uint(1)
        if opcode:
            sequence.step(opcode, at)
            continue
        length = at.uleb()
        part = Cursor(at.data, at.at, min(at.at + length, at.end))
        at.skip(length)
        if sequence.extended(part):
            if sequence.rows[0].address:
                yield from sequence.rows
            sequence = _Sequence(header)


class _Sequence:
    """The registers of the machine, and the rows it has written."""

    def __init__(self, header: _Header) -> None:
        self.rows: list[Row] = []
        self._header = header
        self._base = len(header.opcode_lengths) + 1
        self._address, self._file, self._line = 0, 1, 1
        self._is_stmt = header.default_is_stmt

    def step(self, opcode: int, at: Cursor) -> None:
        """Carry out a special or standard opcode; `at` is behind it."""
        if opcode >= self._base:
            self._line += self._header.line_base + self._advance(opcode) % self._header.line_range
            self._write()
            return
        match opcode:
            case 1:  # DW_LNS_copy
                self._write()
            case 2:  # DW_LNS_advance_pc
                self._address += at.uleb() * self._header.min_length
            case 3:  # DW_LNS_advance_line
                self._line += at.sleb()
            case 4:  # DW_LNS_set_file
                self._file = at.uleb()
            case 6:  # DW_LNS_negate_stmt
                self._is_stmt = not self._is_stmt
            case 8:  # DW_LNS_const_add_pc
                self._advance(255)
            case 9:  # DW_LNS_fixed_advance_pc
                self._address += at.uint(2)
            case _:  # the column, and what nobody here needs
                for _ in range(self._header.opcode_lengths[opcode - 1]):
                    at.uleb()

    def extended(self, at: Cursor) -> bool:
        """Carry out an extended opcode; returns whether the sequence ends."""
        match at.uint(1):
            case 1:  # DW_LNE_end_sequence
                self.rows.append(Row(self._address & _ADDRESS, "", 0, is_stmt=False))
                return True
            case 2:  # DW_LNE_set_address
                self._address = at.uint(at.end - at.at)
            case 3:  # DW_LNE_define_file
                self._header.files.append(at.text())
        return False

    def _advance(self, opcode: int) -> int:
        """Move on as a special opcode does; returns it, counted from the first."""
        if not self._header.line_range:
            raise Malformed("a line program without a range of lines")
        adjusted = opcode - self._base
        self._address += adjusted // self._header.line_range * self._header.min_length
        return adjusted

    def _write(self) -> None:
        path = self._header.path(self._file)
        self.rows.append(Row(self._address & _ADDRESS, path, self._line, self._is_stmt))
