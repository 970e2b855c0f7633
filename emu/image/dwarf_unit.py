"""Units of .debug_info and .debug_types, and the abbreviations their entries are written in.

The two sections are read as one, .debug_types behind .debug_info, so that one offset means one
entry. Units need all be of DWARF 2 to 5 for one machine, as gcc writes them; partial units (dwz,
-flto) are units like others. Split DWARF (-gsplit-dwarf) has its types in other files and is
refused. Source: DWARF 5, sections 7.5.1 to 7.5.3; DWARF 4, section 7.5.1 (type units).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from emu.image import dwarf_names as dw
from emu.image.cursor import Cursor, Malformed
from emu.image.dwarf_form import fixed_size

MAX_UNITS = 20_000
"""Compilation units; a Debian vmlinux has about 3,000."""

MAX_ATTRIBUTES = 64
"""Attributes of an entry; gcc writes 20 at the most."""

_SPLIT = (dw.DW_UT_skeleton, dw.DW_UT_split_compile, dw.DW_UT_split_type)


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """How entries with one number are written.

    Attributes:
        tag: what the entry is.
        has_children: whether entries below it follow, up to a 0.
        attributes: (attribute, form, value of DW_FORM_implicit_const) each.
    """

    tag: int
    has_children: bool
    attributes: tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class Unit:
    """One unit.

    Attributes:
        start: offset of its header; references within the unit count from here.
        first: offset of its first entry.
        end: offset behind its last.
        version: of DWARF, 2 to 5.
        address_size: bytes of an address.
        offset_size: bytes of an offset, 4 or 8.
        abbreviations: by number.
        signature: of a type unit, else None.
        type_offset: offset of the type in a type unit.
        sizes: by number of abbreviation, the bytes of its attributes where that is fixed.
    """

    start: int
    first: int
    end: int
    version: int
    address_size: int
    offset_size: int
    abbreviations: dict[int, Abbreviation]
    signature: int | None = None
    type_offset: int = 0
    sizes: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, abbreviation in self.abbreviations.items():
            total = 0
            for _, form, _ in abbreviation.attributes:
                size = fixed_size(form, self.address_size, self.offset_size)
                if size is None:
                    break
                total += size
            else:
                self.sizes[number] = total


class _Tables:
    """Tables of abbreviations by offset; together they cannot have more bytes than there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = 2 * len(data) + 1
        self._known: dict[int, dict[int, Abbreviation]] = {}

    def at(self, offset: int) -> dict[int, Abbreviation]:
        if offset not in self._known:
            if not 0 <= offset <= len(self._data):
                raise Malformed(f"abbreviations at {offset:#x}")
            at = Cursor(self._data, offset)
            self._known[offset] = _abbreviations(at)
            self._left -= at.at - offset
            if self._left < 0:
                raise Malformed("tables of abbreviations overlap")
        return self._known[offset]


def units(sections: dict[str, bytes]) -> Iterator[Unit]:
    """Yield the units of .debug_info, then those of .debug_types, offset by the size of the first.

    Raises Malformed, after any number of them.
    """
    info, types = sections.get(".debug_info", b""), sections.get(".debug_types", b"")
    tables = _Tables(sections.get(".debug_abbrev", b""))
    data, at, count = info + types, 0, 0
    while at < len(data):
        in_types = at >= len(info)
        unit = _unit(Cursor(data, at, len(data) if in_types else len(info)), tables, in_types)
        count += 1
        if count > MAX_UNITS:
            raise Malformed(f"over {MAX_UNITS} units")
        yield unit
        at = unit.end


def _unit(at: Cursor, tables: _Tables, in_types: bool) -> Unit:
    start = at.at
    length, offset_size = at.length()
    if length > at.end - at.at:
        raise Malformed(f"a unit of {length} bytes at {start:#x}, which are not there")
    at = Cursor(at.data, at.at, at.at + length)
    version = at.uint(2)
    kind, signature, type_offset = dw.DW_UT_type if in_types else dw.DW_UT_compile, None, 0
    if not 2 <= version <= 5:
        raise Malformed(f"version {version} of DWARF")
    if version == 5:
        kind, address_size, table = at.uint(1), at.uint(1), at.uint(offset_size)
    else:
        table, address_size = at.uint(offset_size), at.uint(1)
    if kind in _SPLIT:
        raise Malformed("the types are in other files: build without -gsplit-dwarf")
    if kind == dw.DW_UT_type:
        signature, type_offset = at.uint(8), at.uint(offset_size)
    if address_size not in (4, 8):
        raise Malformed(f"addresses of {address_size} bytes")
    return Unit(
        start, at.at, at.end, version, address_size, offset_size, tables.at(table), signature,
        type_offset,
    )  # fmt: skip


def _abbreviations(at: Cursor) -> dict[int, Abbreviation]:
    found: dict[int, Abbreviation] = {}
    while number := at.uleb():
        tag, has_children = at.uleb(), at.uint(1) != 0
        attributes: list[tuple[int, int, int]] = []
        while True:
            name, form = at.uleb(), at.uleb()
            constant = at.sleb() if form == dw.DW_FORM_implicit_const else 0
            if not name and not form:
                break
            attributes.append((name, form, constant))
            if len(attributes) > MAX_ATTRIBUTES:
                raise Malformed(f"an entry of over {MAX_ATTRIBUTES} attributes")
        found[number] = Abbreviation(tag, has_children, tuple(attributes))
    return found
