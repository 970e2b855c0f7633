"""Symbols of a stripped Linux kernel, from the tables the kernel itself prints /proc/kallsyms from.

A name is stored as tokens, the first of which begins with the letter of nm(1); sizes are not
stored, so a symbol reaches to the next address, as the kernel counts, too. Where several symbols
share an address, the first stands for it: scripts/kallsyms.c sorts the best one first, and the
kernel prints that. Per-CPU symbols of kernels up to 6.14 are offsets in the area of each core, kind
"percpu". Sources: kernel/kallsyms.c (kallsyms_expand_symbol, get_symbol_pos), nm(1).
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from emu.image.elf_file import ElfFile
from emu.image.kallsyms_tables import Tables, find_tables
from emu.image.symbols import RANK, Kind, Symbol, Symbols

MAX_TEXT = 1 << 25
"""Characters of all names together."""

_KINDS: tuple[Kind, ...] = ("object", "func", "percpu")
_OBJECT, _FUNCTION, _PERCPU = range(3)
_WEAK = tuple(b"Ww")
_CODE = np.zeros(256, bool)
_CODE[list(b"TtIi")] = True  # all others are of data
_LOCAL = np.zeros(256, bool)
_LOCAL[list(b"abcdefghijklmnopqrstxyz")] = True  # of the small ones u, v and w are global
_TEXT = (("_stext", "_etext"), ("_sinittext", "_einittext"))


def read_kallsyms(file: ElfFile, name: str) -> Symbols:
    """Return the symbols that the kernel in `file` has of itself; none if it is no such kernel.

    name: of the image, for messages.
    """
    tables = find_tables(file)
    names = None if tables is None else _names(tables)
    if tables is None or names is None:
        return Symbols((), name)
    return KernelSymbols(tables.addresses, names, name)


class KernelSymbols(Symbols):
    """The symbols of a kernel of 100,000 and more, each made when it is asked for.

    Args:
        addresses: in rising order.
        names: each begins with its letter.
        where: name of the image, for messages.
    """

    def __init__(self, addresses: NDArray[np.uint64], names: Sequence[str], where: str) -> None:
        self._where = where
        self._plain = plain = [name[1:] for name in names]
        initials = "".join([name[:1] or "?" for name in names]).encode("ascii", "replace")
        letters = np.frombuffer(initials, np.uint8)
        is_global = ~_LOCAL[letters]
        kinds = _kinds(addresses, letters, plain)
        table = _Table(plain, addresses, _sizes(addresses, kinds), kinds, is_global)
        ranks = np.array([RANK[kind] for kind in _KINDS])[kinds]
        best = np.argsort(2 * ranks + ~is_global, kind="stable")[::-1].tolist()
        self._all: _Rows = _Rows(table, range(len(plain)))
        self._by_name: _Names = _Names(
            table, dict(zip(map(plain.__getitem__, best), best, strict=True))
        )
        first = np.append(True, addresses[1:] != addresses[:-1])
        visible = np.flatnonzero(first & (kinds != _PERCPU))
        self._places: _Rows = _Rows(table, visible.tolist())
        self._starts = addresses[visible].tolist()

    def slid(self, offset: int) -> "KernelSymbols":
        """Return the same symbols at addresses that are higher; per-CPU ones stay."""
        table, other = self._all.table, copy.copy(self)
        moved = np.where(table.kinds == _PERCPU, 0, offset).astype(np.uint64)
        table = replace(table, addresses=table.addresses + moved)
        other.__dict__.update(
            _all=replace(self._all, table=table),
            _places=replace(self._places, table=table),
            _by_name=replace(self._by_name, table=table),
            _starts=[start + offset for start in self._starts],
        )
        return other

    def all(self, name: str) -> tuple[Symbol, ...]:
        """Return every symbol called `name`, in the order of addresses."""
        return tuple(self._all[row] for row, each in enumerate(self._plain) if each == name)


@dataclass(frozen=True, slots=True)
class _Table:
    """The symbols, one array for each attribute."""

    names: list[str]
    addresses: NDArray[np.uint64]
    sizes: NDArray[np.uint64]
    kinds: NDArray[np.int64]
    is_global: NDArray[np.bool_]

    def symbol(self, row: int) -> Symbol:
        """Return one."""
        return Symbol(
            self.names[row],
            int(self.addresses[row]),
            int(self.sizes[row]),
            _KINDS[self.kinds[row]],
            bool(self.is_global[row]),
        )


@dataclass(frozen=True, slots=True)
class _Rows(Sequence[Symbol]):
    """Some symbols of a table, in an order."""

    table: _Table
    rows: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Symbol: ...
    @overload
    def __getitem__(self, index: slice) -> "_Rows": ...
    def __getitem__(self, index: int | slice) -> "Symbol | _Rows":
        if isinstance(index, slice):
            return _Rows(self.table, self.rows[index])
        return self.table.symbol(self.rows[index])

    def __iter__(self) -> Iterator[Symbol]:
        table, which = self.table, np.array(self.rows)
        return map(
            Symbol,
            map(table.names.__getitem__, self.rows),
            table.addresses[which].tolist(),
            table.sizes[which].tolist(),
            map(_KINDS.__getitem__, table.kinds[which].tolist()),
            table.is_global[which].tolist(),
        )


@dataclass(frozen=True, slots=True)
class _Names(Mapping[str, Symbol]):
    """The best symbol of each name."""

    table: _Table
    rows: dict[str, int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Symbol:
        return self.table.symbol(self.rows[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)


def _names(tables: Tables) -> list[str] | None:
    """Return the names, each behind its letter; None if they are longer than any kernel's."""
    begin, empty = len(tables.tokens), len(tables.tokens) + 1
    tokens = (*tables.tokens, b"\0", b"")
    codes = tables.names.astype(np.intp)
    wide = codes[tables.starts] > 0x7F
    codes[tables.starts] = begin
    codes[tables.starts[wide] + 1] = empty
    lengths = np.array([len(token) for token in tokens])
    firsts = np.cumsum(lengths) - lengths
    sizes = lengths[codes]
    ends = np.cumsum(sizes)
    if ends[-1] > MAX_TEXT:
        return None
    places = np.repeat((firsts[codes] - ends + sizes).astype(np.int32), sizes)
    places += np.arange(ends[-1], dtype=np.int32)
    text: bytes = np.frombuffer(b"".join(tokens), np.uint8)[places].tobytes()
    return text.decode("utf-8", "backslashreplace").split("\0")[1:]


def _kinds(
    addresses: NDArray[np.uint64], letters: NDArray[np.uint8], plain: list[str]
) -> NDArray[np.int64]:
    """Return the kind of each symbol; a weak one is a function if it lies between functions.

    What lies below the kernel is an offset: make_percpus_absolute of scripts/kallsyms.c.
    """
    kinds = np.where(_CODE[letters], _FUNCTION, _OBJECT)
    weak = np.isin(letters, _WEAK)
    for start, end in _TEXT:
        if start in plain and end in plain:
            low, high = addresses[plain.index(start)], addresses[plain.index(end)]
            kinds[weak & (addresses >= low) & (addresses < high)] = _FUNCTION
    kinds[addresses >> np.uint64(32) == 0] = _PERCPU
    return kinds


def _sizes(addresses: NDArray[np.uint64], kinds: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return how far it is from each address to the next, 0 for the last of its kind of address."""
    sizes = np.zeros(len(addresses), np.uint64)
    for which in (kinds == _PERCPU, kinds != _PERCPU):
        rows = np.flatnonzero(which)
        known = addresses[rows]
        following = np.searchsorted(known, known, side="right")
        inner = following < len(known)
        sizes[rows[inner]] = known[following[inner]] - known[inner]
    return sizes
