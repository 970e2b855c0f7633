"""Symbols: from names to addresses and back.

Several symbols may share an address or a name (aliases, static functions). What a reader wants to
see is chosen by rank: functions before data before bare labels, global before local. Labels of
the compiler (`.L...`) and section and file symbols are dropped; absolute symbols are constants,
found by name but never by address. Source: System V gABI chapter 4, "Symbol Table".
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from emu.errors import BadSymbol
from emu.image.elf_file import SHN_ABS, SHN_UNDEF, SYM32, SYM64, name_at

Kind = Literal["func", "object", "percpu", "label", "absolute"]

_KINDS: dict[int, Kind] = {0: "label", 1: "object", 2: "func", 10: "func"}  # 10: STT_GNU_IFUNC
RANK: dict[Kind, int] = {"func": 0, "percpu": 1, "object": 2, "label": 3, "absolute": 4}
"""Of two symbols with one name, or with one address, the one of the lower rank is meant.

Per-CPU variables come before others, because BTF knows the types of no others.
"""

NOWHERE: tuple[Kind, ...] = ("percpu", "absolute")
"""Kinds of symbols whose value is no address of the image."""

_MAX_NESTING = 8
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name for an address.

    Attributes:
        name: as linked.
        address: link (virtual) address.
        size: bytes; 0 for a label of assembly.
        kind: "func", "object", "label" (no type), "absolute" (a constant), "percpu" (an offset
            in the area of each core, of which the image has the initial values at most).
        is_global: visible to other files (bindings GLOBAL and WEAK).
    """

    name: str
    address: int
    size: int
    kind: Kind
    is_global: bool = True


class Symbols:
    """The symbols of an image; iterates in the order of addresses.

    Args:
        symbols: in any order.
        where: name of the image, for messages.
    """

    def __init__(self, symbols: Iterable[Symbol], where: str = "") -> None:
        self._where = where
        by_name: dict[str, Symbol] = {}
        ordered = sorted(symbols, key=_order)
        for symbol in sorted(ordered, key=_rank):
            by_name.setdefault(symbol.name, symbol)
        self._all: Sequence[Symbol] = ordered
        self._by_name: Mapping[str, Symbol] = by_name
        self._places: Sequence[Symbol] = _visible(ordered)
        self._starts = [symbol.address for symbol in self._places]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Symbol]:
        return iter(self._all)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Symbol:
        """Return the symbol called `name`, the best one of several; else BadSymbol."""
        try:
            return self._by_name[name]
        except KeyError:
            raise BadSymbol.unknown("symbol", name, self._by_name, self._where) from None

    def get(self, name: str) -> Symbol | None:
        """Return the symbol called `name`, or None."""
        return self._by_name.get(name)

    def function(self, name: str) -> Symbol:
        """Return the function called `name`.

        Raises:
            BadSymbol: no function has this name; functions with names close to it are suggested.
        """
        found = self._by_name.get(name)
        if found is None or found.kind != "func":
            names = (symbol.name for symbol in self._all if symbol.kind == "func")
            raise BadSymbol.unknown("function", name, names, self._where)
        return found

    def all(self, name: str) -> tuple[Symbol, ...]:
        """Return every symbol called `name`, in the order of addresses."""
        return tuple(symbol for symbol in self._all if symbol.name == name)

    def slid(self, offset: int) -> "Symbols":
        """Return the same symbols at addresses that are higher; those of `NOWHERE` stay."""
        moved = (
            each if each.kind in NOWHERE else replace(each, address=each.address + offset)
            for each in self
        )
        return Symbols(moved, self._where)

    def at(self, address: int) -> tuple[Symbol, int] | None:
        """Return the symbol that contains `address` and the offset in it, or None.

        A label without size reaches up to the next symbol.
        """
        last = bisect_right(self._starts, address)
        for index in range(last - 1, max(-1, last - 1 - _MAX_NESTING), -1):
            symbol = self._places[index]
            offset = address - symbol.address
            if offset < symbol.size or (symbol.size == 0 and index == last - 1):
                return symbol, offset
        return None

    def near(self, address: int) -> str | None:
        """Return `vfs_read+0x5` or `vfs_read`, None where nothing is that a name stands for.

        A label without size stands for a page at the most.
        """
        found = self.at(address)
        if found is None or found[1] >= (found[0].size or _PAGE):
            return None
        symbol, offset = found
        return f"{symbol.name}+{offset:#x}" if offset else symbol.name

    def describe(self, address: int) -> str:
        """Return `vfs_read+0x5` as `near` does, or the address in hex."""
        return self.near(address) or f"{address:#x}"


def read_symbols(table: bytes, strings: bytes, *, wide: bool = True) -> Iterator[Symbol]:
    """Yield the symbols of an Elf64_Sym table (Elf32_Sym if not `wide`); names: `strings`.

    Entries that name nothing (sections, files, undefined, compiler labels) are left out.
    """
    form = SYM64 if wide else SYM32
    for fields in form.iter_unpack(table[: len(table) - len(table) % form.size]):
        if wide:
            at, info, _, section, value, size = fields
        else:
            at, value, size, info, _, section = fields
        kind = _KINDS.get(info & 0xF)
        if kind is None or section == SHN_UNDEF:
            continue
        name = name_at(strings, at)
        if not name or name.startswith((".L", "$", "L0\x01")):
            continue
        if section == SHN_ABS:
            kind = "absolute"
        yield Symbol(name, value, size, kind, is_global=info >> 4 != 0)


def _rank(symbol: Symbol) -> tuple[int, bool, int]:
    return RANK[symbol.kind], not symbol.is_global, symbol.address


def _order(symbol: Symbol) -> tuple[int, int, bool, str]:
    return symbol.address, RANK[symbol.kind], not symbol.is_global, symbol.name


def _visible(ordered: list[Symbol]) -> list[Symbol]:
    """Return the symbols to describe addresses by, one an address.

    Labels inside a sized symbol are left out: an address behind one belongs to the function.
    """
    places: list[Symbol] = []
    covered = 0
    for symbol in ordered:
        if symbol.kind in NOWHERE or (places and places[-1].address == symbol.address):
            continue
        if symbol.size == 0 and symbol.address < covered:
            continue
        places.append(symbol)
        covered = max(covered, symbol.address + symbol.size)
    return places
