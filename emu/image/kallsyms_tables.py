"""Where a Linux kernel keeps the names of its symbols: the tables of kallsyms, found by their form.

A stripped vmlinux has no symbol that says where they are, and their order has changed, so each is
recognised by what it must be, and all of them must agree:

    token_index   256 increasing u16, the first 0: where each token begins in
    token_table   256 strings, directly before it
    markers       increasing u32, the first 0: where each 256th name begins in
    names         length in ULEB128 of one or two bytes, then a token a byte
    num_syms      u32 in 8 bytes, directly before the names
    addresses     one of four forms (`_FORMS`): before num_syms up to 6.3, else behind token_index

A table of sequence numbers (6.2 on) may stand between any of them; nobody needs it here. Every
table begins at a multiple of 8. Sources: Linux scripts/kallsyms.c, write_src; kernel/kallsyms.c,
kallsyms_sym_address. Limits: 64-bit kernels of 257 to MAX_SYMBOLS symbols.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.image.elf_file import ElfFile

MAX_SYMBOLS = 1 << 20
"""Symbols of a kernel; one with everything in it has half as many."""

_TOKENS, _GROUP, _ALIGN = 256, 256, 8
_MAX_TOKEN = 512  # KSYM_NAME_LEN: nothing is longer than a name
_SHORTEST, _LONGEST = 2, 2 + _MAX_TOKEN  # bytes of a name with its length
_BACK = 4 * MAX_SYMBOLS + MAX_SYMBOLS // 64  # markers and sequence numbers, before the tokens

_Bytes = NDArray[np.uint8]
_Numbers = NDArray[np.int64]
_Addresses = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Tables:
    """What the tables of kallsyms hold.

    Attributes:
        addresses: link address of each symbol, in their order; per-CPU ones may be offsets.
        names: the compressed names, each behind its length, and nothing else.
        starts: offset in `names` of the length of each name.
        tokens: what each byte of a name stands for.
    """

    addresses: _Addresses
    names: _Bytes
    starts: _Numbers
    tokens: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """The part of a segment that is in the file, and the link addresses of the whole kernel."""

    data: _Bytes
    start: int
    lowest: int
    highest: int


def find_tables(file: ElfFile) -> Tables | None:
    """Return the tables of kallsyms in a file; None if there are none that agree."""
    ends = [(load.vaddr, load.vaddr + load.memsz) for load in file.loads if load.vaddr >> 32]
    if not ends:
        return None
    for load in file.loads:
        skip = -load.vaddr % _ALIGN
        data = np.frombuffer(file.bytes_of(load), np.uint8)[skip:]
        data = data[: len(data) // _ALIGN * _ALIGN]
        place = _Place(data, load.vaddr + skip, min(ends)[0], max(end for _, end in ends))
        for at in _token_indexes(data):
            found = _tables(place, at)
            if found is not None:
                return found
    return None


def _tables(place: _Place, index: int) -> Tables | None:
    """Return the tables around what may be a token_index at offset `index`, or None."""
    found = _token_table(place.data, index)
    if found is None:
        return None
    table, tokens = found
    for names_at, starts, end in _names(place.data, table):
        for addresses in _addresses(place, names_at - _ALIGN, index + 2 * _TOKENS, len(starts)):
            return Tables(addresses, place.data[names_at:end], starts, tokens)
    return None


def _token_indexes(data: _Bytes) -> list[int]:
    """Return the offsets of all that may be a token_index."""
    words = data.view(np.uint16)
    first = words.reshape(-1, 4)
    zero = np.flatnonzero(first[:, 0] == 0)  # a first look at the numbers that decide most
    some = first[zero]
    rising = (some[:, 1] > 0) & (some[:, 2] > some[:, 1]) & (some[:, 3] > some[:, 2])
    places = zero[rising] * 4
    places = places[places + _TOKENS <= len(words)]
    rows = words[places[:, None] + np.arange(_TOKENS)]
    return [2 * int(at) for at in places[(rows[:, 1:] > rows[:, :-1]).all(axis=1)]]


def _token_table(data: _Bytes, index: int) -> tuple[int, tuple[bytes, ...]] | None:
    """Return where the strings begin that a token_index tells the offsets of, and the strings."""
    offsets = data[index : index + 2 * _TOKENS].view(np.uint16).astype(np.int64)
    last = int(offsets[-1])
    latest = (index - last - 1) // _ALIGN * _ALIGN
    for table in range(latest, max(latest - _MAX_TOKEN - _ALIGN, -1), -_ALIGN):
        ends = np.flatnonzero(data[table:index] == 0)
        if len(ends) < _TOKENS or not np.array_equal(ends[: _TOKENS - 1] + 1, offsets[1:]):
            continue
        padding = index - table - int(ends[_TOKENS - 1])
        if padding <= _ALIGN and len(ends) == _TOKENS + padding - 1:
            strings = data[table:index].tobytes().split(b"\0")
            return table, tuple(strings[:_TOKENS])
    return None


def _names(data: _Bytes, table: int) -> Iterator[tuple[int, _Numbers, int]]:
    """Yield (offset, where in it each name begins, end) of what may be names before a table."""
    back = max(0, table - _BACK) // _ALIGN * _ALIGN
    numbers = data[back:table].view(np.uint32).astype(np.int64)
    step = np.diff(numbers)
    rising = (step >= _GROUP * _SHORTEST) & (step <= _GROUP * _LONGEST)
    stops = np.append(np.flatnonzero(~rising), len(step))
    for first in np.flatnonzero((numbers[:-1] == 0) & rising)[::-1].tolist():
        if first % 2:
            continue
        stop = int(stops[np.searchsorted(stops, first)])
        for count in range(stop - first + 1, max(stop - first - 3, 1), -1):
            markers = numbers[first : first + count]
            yield from _names_before(data, back + 4 * first, markers)


def _names_before(data: _Bytes, end: int, markers: _Numbers) -> Iterator[tuple[int, _Numbers, int]]:
    """Yield what may be the names that end before their markers: those that num_syms precedes."""
    latest = end - int(markers[-1]) - _SHORTEST
    earliest = max(_ALIGN, latest - _GROUP * _LONGEST)
    counts = data[: max(end, 0)].view(np.uint64)
    first, last = earliest // _ALIGN - 1, latest // _ALIGN
    near = counts[first:last]
    groups = (near.astype(np.int64) + _GROUP - 1) // _GROUP
    for found in np.flatnonzero(groups == len(markers)).tolist():
        at = (first + found + 1) * _ALIGN
        walked = _starts(data[at:end], markers, int(near[found]))
        if walked is not None:
            yield at, walked[0], at + walked[1]


def _starts(names: _Bytes, markers: _Numbers, count: int) -> tuple[_Numbers, int] | None:
    """Return where each of `count` names begins, and where the last one ends.

    None if they do not end where the markers and the end of `names` say, but for padding.
    """
    starts = np.empty((_GROUP, len(markers)), np.int64)
    at = markers.copy()
    in_last = count - _GROUP * (len(markers) - 1)
    end = 0
    for row in range(_GROUP):  # a name of every group at once
        if row == in_last:
            end, at = int(at[-1]), at[:-1]
        if len(at) and int(at.max()) + 1 >= len(names):
            return None
        starts[row, : len(at)] = at
        size = names[at].astype(np.int64)
        wide = size > 0x7F
        size[wide] = size[wide] & 0x7F | names[at[wide] + 1].astype(np.int64) << 7
        if not size.all():
            return None
        at = at + 1 + wide + size
    if in_last == _GROUP:
        end, at = int(at[-1]), at[:-1]
    padding = names[end:]
    if not np.array_equal(at, markers[1:]) or len(padding) >= _ALIGN or padding.any():
        return None
    return starts.T.reshape(-1)[:count], end


def _addresses(place: _Place, before: int, behind: int, count: int) -> Iterator[_Addresses]:
    """Yield the addresses of `count` symbols, from each form and place that makes sense.

    before: offset of num_syms, before which they may be. behind: the end of token_index.
    """
    data = place.data
    for width, base_size, form in _FORMS:
        size = -(-width * count // _ALIGN) * _ALIGN
        for at in (before - size - base_size, behind):
            end = at + size + base_size
            if at < 0 or end > len(data):
                continue
            numbers = data[at : at + width * count].view(np.int32 if width == 4 else np.int64)
            base = int(data[end - _ALIGN : end].view(np.uint64)[0])
            found = form(numbers.astype(np.int64), base, place.start + at)
            if _sensible(found, place):
                yield found


def _sensible(addresses: _Addresses, place: _Place) -> bool:
    """Return whether addresses rise, and lie in the kernel but for the small ones, per-CPU."""
    if not (addresses[1:] >= addresses[:-1]).all():
        return False
    high = addresses[addresses >> np.uint64(32) != 0]
    return len(high) > 0 and int(high[0]) >= place.lowest and int(high[-1]) <= place.highest


def _percpu_absolute(offsets: _Numbers, base: int, _: int) -> _Addresses:
    """CONFIG_KALLSYMS_ABSOLUTE_PERCPU: what is not negative is absolute."""
    relative = np.uint64(base) - np.uint64(1) - offsets.astype(np.uint64)
    return np.where(offsets >= 0, offsets.astype(np.uint64), relative)


def _relative(offsets: _Numbers, base: int, _: int) -> _Addresses:
    """CONFIG_KALLSYMS_BASE_RELATIVE alone: the base is the lowest address."""
    return offsets.astype(np.uint64) + np.uint64(base)


def _place_relative(offsets: _Numbers, _: int, at: int) -> _Addresses:
    """Offsets from where each stands, without a base (offset_to_ptr)."""
    places = np.uint64(at) + np.arange(0, 4 * len(offsets), 4, dtype=np.uint64)
    return offsets.astype(np.uint64) + places


def _absolute(addresses: _Numbers, _: int, __: int) -> _Addresses:
    """kallsyms_addresses, of kernels without CONFIG_KALLSYMS_BASE_RELATIVE."""
    return addresses.astype(np.uint64)


_Form = Callable[[_Numbers, int, int], _Addresses]
_FORMS: tuple[tuple[int, int, _Form], ...] = (
    (4, _ALIGN, _percpu_absolute),
    (4, _ALIGN, _relative),
    (4, 0, _place_relative),
    (8, 0, _absolute),
)
"""Bytes of a number and of the base behind them, and how addresses are made of them."""
