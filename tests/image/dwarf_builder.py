"""Debug information made by hand, for files that no compiler makes."""

import struct
from collections.abc import Sequence

from emu.image import dwarf_names as dw

REF, BYTE, TEXT, WORD = dw.DW_FORM_ref4, dw.DW_FORM_data1, dw.DW_FORM_string, dw.DW_FORM_data8
FIRST = 11
"""Offset of the first entry of a unit of DWARF 4."""


class Unit:
    """A unit of DWARF 4 whose entries are added one by one; `at` is the offset of the next."""

    def __init__(self) -> None:
        self.abbreviations = b""
        self.entries = b""
        self._numbers: dict[tuple[int, bool, tuple[tuple[int, int], ...]], int] = {}
        self.add(dw.DW_TAG_compile_unit, children=True)

    @property
    def at(self) -> int:
        """Offset of the next entry."""
        return FIRST + len(self.entries)

    def add(self, tag: int, *values: tuple[int, int, object], children: bool = False) -> int:
        """Add an entry with (attribute, form, value) each; returns its offset."""
        key = (tag, children, tuple((name, form) for name, form, _ in values))
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            pairs = b"".join(_uleb(name) + _uleb(form) for name, form in key[2])
            self.abbreviations += (
                _uleb(self._numbers[key]) + _uleb(tag) + bytes([children]) + pairs + b"\0\0"
            )
        at = self.at
        self.entries += _uleb(self._numbers[key])
        self.entries += b"".join(_value(form, value) for _, form, value in values)
        return at

    def end(self) -> None:
        """End the children of the last entry that has some."""
        self.entries += b"\0"

    def sections(self) -> dict[str, bytes]:
        """Return the sections."""
        body = struct.pack("<HIB", 4, 0, 8) + self.entries
        return {
            ".debug_info": struct.pack("<I", len(body)) + body,
            ".debug_abbrev": self.abbreviations + b"\0",
        }


def line_program(version: int, header: bytes, program: bytes = b"") -> dict[str, bytes]:
    """Return the sections of one line program; the header from min_inst_length on."""
    body = struct.pack("<H", version) + (b"\x08\0" if version >= 5 else b"")
    body += struct.pack("<I", len(header)) + header + program
    return {".debug_line": struct.pack("<I", len(body)) + body, ".debug_info": Unit().sections()[
        ".debug_info"], ".debug_abbrev": Unit().sections()[".debug_abbrev"]}  # fmt: skip


def _uleb(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def _value(form: int, value: object) -> bytes:
    if isinstance(value, str):
        return value.encode() + b"\0"
    if isinstance(value, Sequence):
        return bytes(value)
    assert isinstance(value, int)
    return value.to_bytes({REF: 4, BYTE: 1, WORD: 8}[form], "little")
