"""Entries of DWARF debug information (DIEs): attributes, references, children.

`Entries` walks forward only, so it ends for any input, and it counts what it reads: whoever reads
types reads each entry a few times, so a file in which much more has to be read is malformed.
Sources: DWARF 5, sections 2.3 and 7.5.
"""

from bisect import bisect_right
from collections.abc import Iterator

from emu.image import dwarf_names as dw
from emu.image.cursor import Cursor, Malformed, name_at
from emu.image.dwarf_form import Value, read
from emu.image.dwarf_unit import Abbreviation, Unit, units

AGGREGATES = {
    dw.DW_TAG_structure_type: "struct",
    dw.DW_TAG_class_type: "struct",
    dw.DW_TAG_union_type: "union",
    dw.DW_TAG_enumeration_type: "enum",
}
"""The keyword that is part of the name of a type, by tag."""

_OFTEN = 32  # how often an entry is read, at the most, on average
_STRX = (dw.DW_FORM_strx, dw.DW_FORM_strx1, dw.DW_FORM_strx2, dw.DW_FORM_strx3, dw.DW_FORM_strx4)
_IN_UNIT = (
    dw.DW_FORM_ref1,
    dw.DW_FORM_ref2,
    dw.DW_FORM_ref4,
    dw.DW_FORM_ref8,
    dw.DW_FORM_ref_udata,
)
_ELSEWHERE = (
    dw.DW_FORM_GNU_ref_alt,
    dw.DW_FORM_GNU_strp_alt,
    dw.DW_FORM_ref_sup4,
    dw.DW_FORM_ref_sup8,
    dw.DW_FORM_strp_sup,
)
_STRINGS = {dw.DW_FORM_strp: ".debug_str", dw.DW_FORM_line_strp: ".debug_line_str"}


class Entry:
    """One entry.

    Attributes:
        offset: in .debug_info; identifies it.
        unit: its unit.
        tag: what it is.
        has_children: whether entries below it follow.
        attributes: (form, value) by attribute.
        end: offset behind it.
    """

    __slots__ = ("attributes", "end", "has_children", "offset", "tag", "unit")

    def __init__(self, unit: Unit, offset: int, abbreviation: Abbreviation, at: Cursor) -> None:
        self.offset, self.unit = offset, unit
        self.tag, self.has_children = abbreviation.tag, abbreviation.has_children
        self.attributes: dict[int, tuple[int, Value]] = {}
        for name, form, constant in abbreviation.attributes:
            if form == dw.DW_FORM_implicit_const:
                self.attributes[name] = form, constant
            else:
                self.attributes[name] = read(at, form, unit.address_size, unit.offset_size)
        self.end = at.at

    def __contains__(self, attribute: int) -> bool:
        return attribute in self.attributes

    def number(self, attribute: int, default: int = 0) -> int:
        """Return a constant; what is none (a block, text) is malformed."""
        found = self.attributes.get(attribute)
        if found is None:
            return default
        if not isinstance(found[1], int):
            raise Malformed(f"attribute {attribute:#x} at {self.offset:#x} is no number")
        return found[1]

    def expression(self, attribute: int) -> bytes | None:
        """Return a block or expression, or None if there is none."""
        value = self.attributes.get(attribute, (0, None))[1]
        return value if isinstance(value, bytes) else None


class Entries:
    """All entries of an image.

    Attributes:
        units: in the order of the file.

    Raises:
        Malformed: here, and by every method.
    """

    def __init__(self, sections: dict[str, bytes]) -> None:
        self._sections = sections
        self._data = sections.get(".debug_info", b"") + sections.get(".debug_types", b"")
        self.units = tuple(units(sections))
        self._starts = [unit.start for unit in self.units]
        self._signatures = {unit.signature: unit for unit in self.units if unit.signature}
        self._tops: dict[int, Entry | None] = {}
        self._left = 10_000

    def allow(self, entries: int) -> None:
        """Let so many entries be read, each as often as reading types takes."""
        self._left += _OFTEN * entries

    def at(self, offset: int) -> Entry:
        """Return the entry at `offset`."""
        index = bisect_right(self._starts, offset) - 1
        unit = self.units[index] if index >= 0 else None
        found = self._read(unit, offset) if unit and unit.first <= offset < unit.end else None
        if found is None:
            raise Malformed(f"no entry at {offset:#x}")
        return found

    def top(self, unit: Unit) -> Entry | None:
        """Return the first entry of a unit, which describes it; None of an empty one."""
        if unit.start not in self._tops:
            self._tops[unit.start] = self._read(unit, unit.first)
        return self._tops[unit.start]

    def children(self, parent: Entry) -> Iterator[Entry]:
        """Yield the children of an entry, in order."""
        if not parent.has_children:
            return
        at, depth, unit = parent.end, 0, parent.unit
        while at < unit.end:
            found = self._read(unit, at)
            if found is None:
                at = self._null(unit, at)
                depth -= 1
                if depth < 0:
                    return
                continue
            at = found.end
            if depth == 0:
                yield found
            if found.has_children:
                ahead = unit.start + found.number(dw.DW_AT_sibling)
                if at < ahead <= unit.end:
                    at = ahead
                else:
                    depth += 1

    def walk(self, wanted: frozenset[int]) -> Iterator[tuple[Entry, tuple[Entry, ...]]]:
        """Yield every entry whose tag is wanted, and those of the wanted ones it lies in."""
        for unit in self.units:
            parents: list[Entry | None] = []
            cursor = Cursor(self._data, unit.first, unit.end)
            while cursor.at < unit.end:
                offset = cursor.at
                number = cursor.uleb()
                if not number:
                    if parents:
                        parents.pop()
                    continue
                abbreviation = _abbreviation(unit, number)
                entry = None
                size = unit.sizes.get(number)
                if abbreviation.tag in wanted or size is None:
                    entry = Entry(unit, offset, abbreviation, cursor)
                else:
                    cursor.skip(size)
                if abbreviation.tag not in wanted:
                    entry = None
                if entry is not None:
                    yield entry, tuple(each for each in parents if each is not None)
                if abbreviation.has_children:
                    parents.append(entry)

    def reference(self, entry: Entry, attribute: int) -> Entry | None:
        """Return the entry that an attribute refers to, None without the attribute."""
        found = entry.attributes.get(attribute)
        if found is None:
            return None
        form, value = found
        if form in _ELSEWHERE:
            raise Malformed("a part is in a supplementary file (dwz -m), which is not read")
        if not isinstance(value, int):
            raise Malformed(f"attribute {attribute:#x} at {entry.offset:#x} is no reference")
        if form in _IN_UNIT:
            return self.at(entry.unit.start + value)
        if form == dw.DW_FORM_ref_sig8:
            unit = self._signatures.get(value)
            if unit is None:
                raise Malformed(f"no type has the signature {value:#x}")
            return self.at(unit.start + unit.type_offset)
        # DWARF 2 to 3 of some compilers: data4 and data8 are no references, ref_addr is
        return self.at(value)

    def name(self, entry: Entry) -> str:
        """Return DW_AT_name, or "" for an entry without one."""
        return self.text(entry, dw.DW_AT_name)

    def full_name(self, entry: Entry) -> str:
        """Return the name as C writes it: "struct task", "unsigned long"."""
        keyword = AGGREGATES.get(entry.tag)
        name = self.name(entry)
        return name if keyword is None else f"{keyword} {name or '(anonymous)'}"

    def text(self, entry: Entry, attribute: int) -> str:
        """Return an attribute that is text, "" without it."""
        form, value = entry.attributes.get(attribute, (0, ""))
        if isinstance(value, str):
            return value
        if form in _ELSEWHERE:
            raise Malformed("a name is in a supplementary file (dwz -m), which is not read")
        if not isinstance(value, int):
            raise Malformed(f"attribute {attribute:#x} at {entry.offset:#x} is no text")
        section = _STRINGS.get(form, ".debug_str")
        if form in _STRX:
            value = self._indexed(
                entry.unit, ".debug_str_offsets", dw.DW_AT_str_offsets_base, value
            )
        elif form not in _STRINGS:
            raise Malformed(f"attribute {attribute:#x} at {entry.offset:#x} is no text")
        return name_at(section, self._sections.get(section, b""), value)

    def address(self, unit: Unit, expression: bytes) -> int | None:
        """Return the address that a location gives, None if it is no plain address."""
        at = Cursor(expression)
        if not expression:
            return None
        operation = at.uint(1)
        if operation == dw.DW_OP_addr:
            address = at.uint(unit.address_size)
        elif operation == dw.DW_OP_addrx:
            address = self._indexed(unit, ".debug_addr", dw.DW_AT_addr_base, at.uleb())
        else:
            return None
        return address if at.at == at.end else None

    def _indexed(self, unit: Unit, section: str, base: int, index: int) -> int:
        """Return entry `index` of a unit's table of offsets or addresses."""
        top = self.top(unit)
        start = top.number(base) if top else 0
        size = unit.offset_size if base == dw.DW_AT_str_offsets_base else unit.address_size
        table = self._sections.get(section, b"")
        at = start + index * size
        if at < 0 or at + size > len(table):
            raise Malformed(f"index {index} of {section}")
        return int.from_bytes(table[at : at + size], "little")

    def _read(self, unit: Unit, offset: int) -> Entry | None:
        """Return the entry at `offset`, None for the null entry that ends children."""
        self._left -= 1
        if self._left < 0:
            raise Malformed("entries nest without end")
        at = Cursor(self._data, offset, unit.end)
        number = at.uleb()
        return Entry(unit, offset, _abbreviation(unit, number), at) if number else None

    def _null(self, unit: Unit, offset: int) -> int:
        at = Cursor(self._data, offset, unit.end)
        at.uleb()
        return at.at


def _abbreviation(unit: Unit, number: int) -> Abbreviation:
    try:
        return unit.abbreviations[number]
    except KeyError:
        raise Malformed(f"abbreviation {number} does not exist") from None
