"""Types made by their place in debug information, whatever its format: DWARF and BTF are two.

Each is made once, when it is asked for. A type that contains itself, or nests too deep, or is too
large is Malformed, and the next one to ask is told the same. A sketch of a type has structures
without members, which is enough for the name of a pointer to it, so that names need no cycles.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Protocol

from emu.image.c_types import (
    ArrayType,
    EnumType,
    FunctionType,
    Member,
    Parameter,
    PointerType,
    StructType,
    Type,
    VoidType,
)
from emu.image.cursor import Malformed, malformed_is_bad
from emu.image.declare import declare

MAX_DEPTH = 64
"""Nesting of types within types, pointers not counted."""

MAX_TYPE_SIZE = 1 << 40
MAX_MEMBERS = 100_000
"""Members of a structure, those of its members counted, too."""


class TypeIndex(Protocol):
    """The places of types by name; BadImage or Malformed where debug information is malformed."""

    @property
    def types(self) -> Mapping[str, int]:
        """Types by the names that C uses: "struct task_struct", "u64"."""

    @property
    def enumerators(self) -> Mapping[str, int]:
        """Enumerations by the names of their values."""

    @property
    def functions(self) -> Mapping[str, int]:
        """Functions."""

    @property
    def variables(self) -> Iterable[str]:
        """The names of variables; what is known of them differs."""


class TypeMaker(ABC):
    """Makes types by their place: an offset, or a number. Who extends it has an index of names.

    Args:
        where: name of the image, for messages.
    """

    _index: TypeIndex

    def __init__(self, where: str) -> None:
        self._where = where
        self._parsed: dict[tuple[int, bool], Type | Malformed | None] = {}

    def type_named(self, name: str) -> Type | None:
        """Return the type C calls `name`, or None; BadImage if malformed."""
        place = self._index.types.get(name)
        return None if place is None else self._type_at(place)

    def function(self, name: str) -> FunctionType | None:
        """Return the type of the function `name`, or None; BadImage if malformed."""
        place = self._index.functions.get(name)
        kind = None if place is None else self._type_at(place)
        return kind if isinstance(kind, FunctionType) else None

    def enumerator(self, name: str) -> EnumType | None:
        """Return the enumeration that has a value called `name`, or None; BadImage if malformed."""
        place = self._index.enumerators.get(name)
        kind = None if place is None else self._type_at(place)
        return kind if isinstance(kind, EnumType) else None

    def type_names(self) -> Iterable[str]:
        """Return the names of all types: "struct task_struct", "unsigned long", "u64"."""
        return self._index.types

    def variable_names(self) -> Iterable[str]:
        """Return the names of all variables."""
        return self._index.variables

    def function_names(self) -> Iterable[str]:
        """Return the names of all functions."""
        return self._index.functions

    @abstractmethod
    def _made(self, place: int, depth: int, *, sketch: bool) -> Type:
        """Make the type at `place`; Malformed if that is not one."""

    def _type_at(self, place: int) -> Type:
        """Return the type at `place`; BadImage if it is malformed."""
        with malformed_is_bad(self._where):
            return self._parse(place, 0, sketch=False)

    def _parse(self, place: int, depth: int, *, sketch: bool) -> Type:
        """Return the type at `place`, or a sketch of it."""
        if depth > MAX_DEPTH:
            raise Malformed(f"nests over {MAX_DEPTH} types")
        key = place, sketch
        if key not in self._parsed:
            self._parsed[key] = None
            try:
                self._parsed[key] = self._made(place, depth, sketch=sketch)
            except Malformed as error:
                self._parsed[key] = error
                raise
        found = self._parsed[key]
        if found is None:
            raise Malformed("a type contains itself")
        if isinstance(found, Malformed):
            raise Malformed(str(found))
        return found

    def _pointer_to(self, target: int | None, size: int, *, sketch: bool) -> PointerType:
        """Return a pointer to the type at `target`, to void if that is None."""

        def find(sketch: bool = False) -> Type:
            if target is None:
                return VoidType("void", 0)
            with malformed_is_bad(self._where):
                return self._parse(target, 0, sketch=sketch)

        if sketch:
            return PointerType("*", size, partial(find, sketch=True))
        name = declare(PointerType("*", size, partial(find, sketch=True)), plain=True)
        return PointerType(name, size, find)


def checked_size(size: int) -> int:
    """Return the bytes of a type, if a type can be that large."""
    if not 0 <= size <= MAX_TYPE_SIZE:
        raise Malformed(f"a type of {size} bytes")
    return size


def array(
    found: Type, drawn: Type, counts: list[int | None], *, vector: bool, sketch: bool
) -> Type:
    """Return the array of `found` with these dimensions, the outermost first.

    drawn: a sketch of the element.
    """
    if len(counts) > MAX_DEPTH:
        raise Malformed("an array of too many dimensions")
    for count in reversed(counts):
        size = found.size * (count or 0)
        if not 0 <= size <= MAX_TYPE_SIZE:
            raise Malformed(f"an array of {count} elements")
        drawn = ArrayType("", size, drawn, count, vector)
        name = "" if sketch else declare(drawn, plain=True)
        found = ArrayType(name, size, found, count, vector)
    return found


def structure(name: str, size: int, members: Iterable[Member]) -> StructType:
    """Return the struct or union with these members, which all have to lie in it."""
    kept: list[Member] = []
    weight = 1
    for member in members:
        if member.offset < 0 or member.offset + member.size > size:
            raise Malformed(f"member {member.name!r} outside {name}")
        kept.append(member)
        weight += _weight(member.type)
        if weight > MAX_MEMBERS:
            raise Malformed(f"over {MAX_MEMBERS} members in {name}")
    return StructType(name, size, tuple(kept), weight)


def bitfield(name: str, first: int, width: int, kind: Type) -> Member:
    """Return the member of `width` bits, the lowest of which is bit `first` of the structure."""
    if not 0 < width <= 128 or not 0 <= first < 8 * MAX_TYPE_SIZE:
        raise Malformed(f"a bitfield {name!r} of {width} bits")
    size = (first % 8 + width + 7) // 8
    return Member(name, first // 8, size, kind, first % 8, width)


def function(
    result: Type, parameters: list[Parameter], drawn: Type | None, *, variadic: bool
) -> FunctionType:
    """Return the type of a function; drawn: a sketch of it, None if this is one."""
    name = "" if drawn is None else declare(drawn, plain=True)
    return FunctionType(name, 0, result, tuple(parameters), variadic)


def _weight(type_: Type) -> int:
    while isinstance(type_, ArrayType):
        type_ = type_.element
    return type_.weight if isinstance(type_, StructType) else 1
