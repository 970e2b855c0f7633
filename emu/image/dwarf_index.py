"""The names in DWARF debug information: one pass over all entries of all units.

What is at the top of a unit comes before what is declared in functions, a definition that other
files see before a static one; among equals the first counts.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from emu.image import dwarf_names as dw
from emu.image.dwarf_entry import AGGREGATES, Entries, Entry

_TYPES = frozenset({dw.DW_TAG_base_type, dw.DW_TAG_typedef, *AGGREGATES})
_WANTED = _TYPES | {dw.DW_TAG_enumerator, dw.DW_TAG_variable, dw.DW_TAG_subprogram}


@dataclass(frozen=True, slots=True)
class Found:
    """A variable.

    Attributes:
        offset: of its entry.
        address: link address, None if it has none.
        file: the name of its unit without directories.
        function: what it is static in, or "".
        is_global: visible to other files.
    """

    offset: int
    address: int | None
    file: str
    function: str
    is_global: bool


class Index:
    """Entries by name.

    Attributes:
        types: offset of the definition by the name C uses ("struct task", "u64").
        enumerators: offset of the enumeration by the names of its values.
        variables: variables with a place by name, the best one first.
        functions: offset of functions by name, of those that other files see first.
        at: (name, variable) by address.

    Raises:
        Malformed: while it is made.
    """

    def __init__(self, entries: Entries) -> None:
        self.types: dict[str, int] = {}
        self.enumerators: dict[str, int] = {}
        self.variables: dict[str, list[Found]] = {}
        self.functions: dict[str, int] = {}
        self.at: dict[int, tuple[str, Found]] = {}
        self._entries = entries
        self._files: dict[int, str] = {}
        self._local: dict[str, int] = {}
        self._global = set[str]()  # names of functions that other files see
        for entry, parents in entries.walk(_WANTED):
            entries.allow(1)
            self._add(entry, parents)
        for name, offset in self._local.items():
            self.types.setdefault(name, offset)
        for found in self.variables.values():
            found.sort(key=_goodness)

    def _add(self, entry: Entry, parents: tuple[Entry, ...]) -> None:
        if dw.DW_AT_declaration in entry:
            return
        name, is_global = self._described(entry)
        if not name:
            return
        if entry.tag == dw.DW_TAG_enumerator:
            if parents:
                self.enumerators.setdefault(name, parents[-1].offset)
            return
        if entry.tag in _TYPES:
            inside = any(parent.tag == dw.DW_TAG_subprogram for parent in parents)
            full = self._entries.full_name(entry)
            (self._local if inside else self.types).setdefault(full, entry.offset)
            return
        if entry.tag == dw.DW_TAG_subprogram:
            self._add_function(name, entry, is_global=is_global)
            return
        function = next((each for each in parents if each.tag == dw.DW_TAG_subprogram), None)
        where = entry.expression(dw.DW_AT_location)
        address = None if where is None else self._entries.address(entry.unit, where)
        if function is not None and address is None:
            return  # it lives on the stack or in a register
        within = self._described(function)[0] if function is not None else ""
        found = Found(entry.offset, address, self._file(entry), within, is_global)
        self.variables.setdefault(name, []).append(found)
        if address is not None:
            self.at.setdefault(address, (name, found))

    def _add_function(self, name: str, entry: Entry, *, is_global: bool) -> None:
        if name not in self.functions or (is_global and name not in self._global):
            self.functions[name] = entry.offset
        if is_global:
            self._global.add(name)

    def _described(self, entry: Entry) -> tuple[str, bool]:
        """Return (name, whether other files see it), which a declaration elsewhere may say."""
        is_global = dw.DW_AT_external in entry
        name = self._entries.name(entry)
        for attribute in (dw.DW_AT_specification, dw.DW_AT_abstract_origin):
            origin = None if name else self._entries.reference(entry, attribute)
            if origin is not None:
                name = self._entries.name(origin)
                is_global = is_global or dw.DW_AT_external in origin
        return name, is_global

    def _file(self, entry: Entry) -> str:
        unit = entry.unit
        if unit.start not in self._files:
            top = self._entries.top(unit)
            path = self._entries.name(top) if top is not None else ""
            self._files[unit.start] = PurePosixPath(path).name
        return self._files[unit.start]


def _goodness(found: Found) -> tuple[bool, bool, bool]:
    return found.address is None, bool(found.function), not found.is_global
