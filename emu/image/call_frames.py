"""Call frame information: for an address the rules by which its caller is found.

From .debug_frame, which gcc makes with -g, and .eh_frame. One pass finds all functions; the
instructions of a function are executed when somebody asks for an address in it. In both sections
the augmentation "S" is what gas makes of .cfi_signal_frame. Not read: 64-bit DWARF, and functions
whose CIE has an augmentation nobody knows. CIEs that share bytes are malformed, so that what is
remembered is not more than what the file has.
Sources: DWARF 5, section 6.4.1; Linux Standard Base 5.0, sections 10.5 and 10.6 (.eh_frame).
"""

from bisect import bisect_right
from typing import Final, NamedTuple

from emu.image.cursor import Cursor, Malformed, malformed_is_bad
from emu.image.frame_program import Common, Row, execute
from emu.image.frame_rules import COLUMNS, Rules

MAX_BYTES = 16 << 20
"""Of a section; the toy kernel has 8 KiB. Of a larger one, nothing is read."""

_WHAT = "call frame information"
_CIE_IN_DEBUG, _CIE_IN_EH = 0xFFFFFFFF, 0
_ABSOLUTE, _RELATIVE = 0x00, 0x10  # DW_EH_PE_absptr and _pcrel, in the high half of an encoding
_SIZES: Final = {0x00: (8, False), 0x02: (2, False), 0x03: (4, False), 0x04: (8, False),
                 0x0A: (2, True), 0x0B: (4, True), 0x0C: (8, True)}  # fmt: skip


class _Cie(NamedTuple):
    """A CIE. encoding: of its functions' addresses. sized: they have augmentation data."""

    common: Common
    encoding: int
    sized: bool


class _Function(NamedTuple):
    """An FDE: the addresses it is about, and its instructions."""

    begin: int
    end: int
    common: Common
    program: bytes


class CallFrames:
    """The call frame information of an image; none if it has no such section.

    Args:
        where: name of the image, for messages.
        debug_frame: the section's bytes.
        eh_frame: the section's bytes.
        eh_address: where that one is linked.

    Raises:
        BadImage: the sections are malformed.
    """

    def __init__(
        self, where: str, debug_frame: bytes, eh_frame: bytes = b"", eh_address: int = 0
    ) -> None:
        self._where = where
        found = []
        for section in (_Section(debug_frame), _Section(eh_frame, eh_address, eh=True)):
            with malformed_is_bad(where, _WHAT):
                found += section.functions()
        self._functions = sorted(found, key=lambda each: each.begin)
        self._begins = [each.begin for each in self._functions]
        self._rows: dict[int, tuple[list[int], list[Row]]] = {}

    def __len__(self) -> int:
        return len(self._functions)

    def begins(self) -> tuple[int, ...]:
        """Return where the functions begin, ascending."""
        return tuple(self._begins)

    def at(self, address: int) -> Rules | None:
        """Return the rules at a link address, None if nothing is known of it.

        Raises:
            BadImage: the instructions for its function are malformed.
        """
        index = bisect_right(self._begins, address) - 1
        if index < 0 or address >= self._functions[index].end:
            return None
        if index not in self._rows:
            function = self._functions[index]
            with malformed_is_bad(self._where, _WHAT):
                rows = execute(function.common, function.program, function.begin)
            self._rows[index] = [row.address for row in rows], rows
        addresses, rows = self._rows[index]
        return rows[bisect_right(addresses, address) - 1].rules

    def span(self, address: int) -> tuple[int, int] | None:
        """Return begin and end of the function that contains an address; None if none does."""
        index = bisect_right(self._begins, address) - 1
        if index < 0 or address >= self._functions[index].end:
            return None
        return self._functions[index].begin, self._functions[index].end


class _Section:
    """One of the two sections: they differ in how a CIE and addresses are written."""

    def __init__(self, data: bytes, address: int = 0, *, eh: bool = False) -> None:
        self._data, self._address, self._eh = data, address, eh
        self._known: dict[int, _Cie | None] = {}
        self._left = len(data)  # bytes of CIEs not seen yet

    def functions(self) -> list[_Function]:
        """Return all functions."""
        found: list[_Function] = []
        at = 0
        while len(self._data) <= MAX_BYTES and at < len(self._data):
            length = Cursor(self._data, at).uint(4)
            if length == 0:  # the end of .eh_frame; padding in .debug_frame
                at += 4
                continue
            if length >= 0xFFFFFFF0:
                raise Malformed("64-bit DWARF")
            entry = Cursor(self._data, at + 4, at + 4 + length)
            identity = entry.uint(4)
            if identity != (_CIE_IN_EH if self._eh else _CIE_IN_DEBUG):
                cie = self._cie(at + 4 - identity if self._eh else identity)
                function = self._function(entry, cie) if cie else None
                if function and function.begin < function.end:
                    found.append(function)
            at = entry.end
        return found

    def _cie(self, at: int) -> _Cie | None:
        """Return the CIE at an offset; None if its augmentation is not known."""
        if at not in self._known:
            head = Cursor(self._data, at)
            length = head.uint(4)
            entry = Cursor(self._data, head.at, head.at + length)
            if entry.uint(4) != (_CIE_IN_EH if self._eh else _CIE_IN_DEBUG):
                raise Malformed("a function without CIE")
            self._left -= length
            if self._left < 0:
                raise Malformed("CIEs overlap")
            self._known[at] = self._read_cie(entry)
        return self._known[at]

    def _read_cie(self, entry: Cursor) -> _Cie | None:
        version, augmentation = entry.uint(1), entry.text()
        if version not in (1, 3, 4) or augmentation.strip("zRSPL"):
            return None
        size = 8
        if version == 4:
            size = entry.uint(1)
            if size not in (4, 8) or entry.uint(1):
                return None
        code_align, data_align = entry.uleb(), entry.sleb()
        column = entry.uint(1) if version == 1 else entry.uleb()
        if column >= COLUMNS:
            raise Malformed(f"return address in column {column}")
        encoding, sized = _ABSOLUTE, augmentation.startswith("z")
        if sized:
            length = entry.uleb()
            encoding = self._encoding(augmentation, Cursor(self._data, entry.at, entry.end))
            entry.take(length)
        elif augmentation not in ("", "S"):
            return None
        program = entry.take(entry.end - entry.at)
        signal = "S" in augmentation
        common = Common(program, code_align, data_align, column, signal, size)
        return _Cie(common, encoding, sized)

    def _encoding(self, augmentation: str, data: Cursor) -> int:
        """Return how addresses are written, from the data of an augmentation."""
        for letter in augmentation[1:]:
            if letter == "R":
                return data.uint(1)
            if letter == "L":
                data.uint(1)
            elif letter == "P":
                self._pointer(data, data.uint(1) & 0x7F, 8)
        return _ABSOLUTE

    def _function(self, entry: Cursor, cie: _Cie) -> _Function:
        size = cie.common.address_size
        begin = self._pointer(entry, cie.encoding, size)
        count = self._pointer(entry, cie.encoding & 0x0F, size)
        if cie.sized:
            entry.take(entry.uleb())
        program = entry.take(entry.end - entry.at)
        return _Function(begin, begin + count, cie.common, program)

    def _pointer(self, cursor: Cursor, encoding: int, absolute: int) -> int:
        """Return an address, written as a DW_EH_PE_... says."""
        place = self._address + cursor.at
        if encoding & 0x0F not in _SIZES or encoding & 0xF0 not in (_ABSOLUTE, _RELATIVE):
            raise Malformed(f"addresses are encoded as {encoding:#x}")
        size, signed = _SIZES[encoding & 0x0F]
        size = size if encoding & 0x0F else absolute
        value = cursor.sint(size) if signed else cursor.uint(size)
        return value + (place if encoding & 0xF0 else 0) & (1 << 64) - 1
