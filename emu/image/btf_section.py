"""The records of a .BTF section by number: one pass over all, then each when it is asked for.

A record is three words (name, info, size or type), then what its kind adds. Types are numbered from
1, and 0 is void; a module's section goes on behind the kernel's, for numbers and for strings.
Sources: Linux include/uapi/linux/btf.h; Documentation/bpf/btf.rst.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emu.image.cursor import Malformed, name_at

KIND_INT, KIND_PTR, KIND_ARRAY, KIND_STRUCT, KIND_UNION, KIND_ENUM, KIND_FWD = range(1, 8)
KIND_TYPEDEF, KIND_VOLATILE, KIND_CONST, KIND_RESTRICT, KIND_FUNC, KIND_FUNC_PROTO = range(8, 14)
KIND_VAR, KIND_DATASEC, KIND_FLOAT, KIND_DECL_TAG, KIND_TYPE_TAG, KIND_ENUM64 = range(14, 20)

MAGIC = 0xEB9F

_HEADER = struct.Struct("<HBB5I")
_WORDS = 3
_MORE = {KIND_INT: 1, KIND_ARRAY: 3, KIND_VAR: 1, KIND_DECL_TAG: 1}
_EACH = {
    KIND_STRUCT: 3, KIND_UNION: 3, KIND_ENUM: 2, KIND_FUNC_PROTO: 2, KIND_DATASEC: 3,
    KIND_ENUM64: 3,
}  # fmt: skip
"""Words behind the three of a record, for each kind: once, and for each of its `vlen` parts."""


class Record(NamedTuple):
    """One type, function or variable.

    Attributes:
        kind: KIND_INT to KIND_ENUM64.
        name: "" if it has none.
        flag: kind_flag: bitfields in a structure, a sign in an enumeration, a union in a FWD.
        vlen: how many parts it has.
        value: size in bytes, or number of another record; which, the kind says.
        more: the words behind.
    """

    kind: int
    name: str
    flag: bool
    vlen: int
    value: int
    more: Sequence[int]

    def parts(self) -> list[Sequence[int]]:
        """Return the words of each part: a member, an enumerator, a parameter."""
        width = _EACH.get(self.kind, 0)
        return [self.more[at : at + width] for at in range(0, width * self.vlen, width or 1)]


class BtfSection:
    """A .BTF section.

    Args:
        data: its bytes.
        base: the kernel's, for the section of a module.

    Attributes:
        first: number of its first record.
        end: number behind its last.
        strings_end: offset behind the last string.

    Raises:
        Malformed: it is.
    """

    def __init__(self, data: bytes, base: "BtfSection | None" = None) -> None:
        self._base = base
        self.first: int = 1 if base is None else base.end
        self._strings_from: int = 0 if base is None else base.strings_end
        types, self._strings = _parts(data)
        self.strings_end: int = self._strings_from + len(self._strings)
        words = np.frombuffer(types, "<u4")
        self._words = words
        self._starts = np.array(_walk(words.tolist()), np.int64)
        self.end: int = self.first + len(self._starts)
        info = words[self._starts + 1]
        self._kinds = info >> 24 & 0x1F
        self._names = words[self._starts]

    def record(self, number: int) -> Record:
        """Return a record by its number, which is not 0; Malformed if there is none."""
        if not self.first <= number < self.end:
            if self._base is None or number >= self.end:
                raise Malformed(f"a type {number}, of {self.end - 1}")
            return self._base.record(number)
        at = int(self._starts[number - self.first])
        name, info, value = self._words[at : at + _WORDS].tolist()
        kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
        end = at + _size(kind, vlen)
        more = self._words[at + _WORDS : end].tolist()
        return Record(kind, self.string(name), bool(info >> 31), vlen, value, more)

    def string(self, at: int) -> str:
        """Return the string at an offset; Malformed if there is none."""
        if at < self._strings_from and self._base is not None:
            return self._base.string(at)
        return name_at(".BTF", self._strings, at - self._strings_from)

    def named(self, kind: int) -> list[tuple[str, int]]:
        """Return (name, number) of the records of a kind that have names."""
        found = np.flatnonzero(self._kinds == kind)
        names = map(self.string, self._names[found].tolist())
        numbers = (found + self.first).tolist()
        return [(name, number) for name, number in zip(names, numbers, strict=True) if name]

    def of_kind(self, kind: int) -> list[int]:
        """Return the numbers of the records of a kind."""
        numbers: list[int] = (np.flatnonzero(self._kinds == kind) + self.first).tolist()
        return numbers


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """Return the records and the strings of a section."""
    if len(data) < _HEADER.size:
        raise Malformed("its BTF header is cut")
    magic, version, _, size, types_at, types_size, strings_at, strings_size = _HEADER.unpack_from(
        data
    )
    if magic != MAGIC or version != 1:
        raise Malformed(f"not little-endian BTF of version 1 ({magic:#x}, {version})")
    if size < _HEADER.size or types_size % 4:
        raise Malformed("its BTF header makes no sense")
    for at, length in ((types_at, types_size), (strings_at, strings_size)):
        if size + at + length > len(data):
            raise Malformed(f"BTF of {len(data)} bytes ends at {size + at + length}")
    types = data[size + types_at : size + types_at + types_size]
    strings = data[size + strings_at : size + strings_at + strings_size]
    if strings and strings[-1]:
        raise Malformed("BTF whose last string has no end")
    return types, strings


def _size(kind: int, vlen: int) -> int:
    """Return the words of a record."""
    return _WORDS + _MORE.get(kind, 0) + _EACH.get(kind, 0) * vlen


def _walk(words: list[int]) -> list[int]:
    """Return where each record begins."""
    once = [_size(kind, 0) for kind in range(32)]
    each = [_size(kind, 1) - _size(kind, 0) if kind in _EACH else 0 for kind in range(32)]
    starts: list[int] = []
    at, end = 0, len(words)
    while at < end - 1:
        info = words[at + 1]
        kind = info >> 24 & 0x1F
        if not KIND_INT <= kind <= KIND_ENUM64:
            raise Malformed(f"type {len(starts) + 1} of a kind {kind}, which nobody knows")
        starts.append(at)
        at += once[kind] + each[kind] * (info & 0xFFFF)
    if at != end:
        raise Malformed("its last type is cut")
    return starts
