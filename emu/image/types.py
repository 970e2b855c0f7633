"""C types as frozen values: sizes, members, signs. Where they come from is not said here.

Typedefs, const and volatile are stripped when a type is made. The target of a pointer is looked
up when asked for, because structures point to themselves; everything else is complete. All sizes
and offsets are bytes unless a name says bits. `Types` finds types by their C name and remembers
them; a `TypeReader` (DWARF here, BTF later) makes them.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from emu.errors import BadSymbol

_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d{1,9})\]")


@dataclass(frozen=True, slots=True)
class Type:
    """A C type: `name` as C writes it and `size` in bytes (0 if unknown)."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class VoidType(Type):
    """void, a function, or a structure that is only declared: nothing to read."""


@dataclass(frozen=True, slots=True)
class IntType(Type):
    """An integer, character or boolean."""

    signed: bool
    is_char: bool = False


@dataclass(frozen=True, slots=True)
class FloatType(Type):
    """A floating-point number; its value is not read."""


@dataclass(frozen=True, slots=True)
class EnumType(Type):
    """An enumeration; `names` pairs each value with its name."""

    signed: bool
    names: tuple[tuple[int, str], ...]

    def name_of(self, value: int) -> str | None:
        """Return the first name of `value`, or None."""
        return next((name for number, name in self.names if number == value), None)


@dataclass(frozen=True, slots=True)
class PointerType(Type):
    """A pointer; equal pointers have equal names, so that cycles can be compared."""

    find_target: Callable[[], Type] = field(compare=False, repr=False)

    @property
    def target(self) -> Type:
        """What it points to."""
        return self.find_target()


@dataclass(frozen=True, slots=True)
class ArrayType(Type):
    """`count` elements, `stride` bytes apart; count 0 is a flexible array."""

    element: Type
    count: int

    @property
    def stride(self) -> int:
        """Bytes from one element to the next."""
        return self.element.size


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure.

    Attributes:
        name: as written; a path ("text[2].len") if found by one; "" for an anonymous one.
        offset: bytes from the start of the structure to the (storage of the) member.
        size: bytes.
        type: its type.
        bit_offset: lowest bit within the little-endian storage at `offset`; None if no bitfield.
        bit_size: width of a bitfield in bits, or None.
    """

    name: str
    offset: int
    size: int
    type: Type
    bit_offset: int | None = None
    bit_size: int | None = None


@dataclass(frozen=True, slots=True)
class StructType(Type):
    """A struct or union; the members of anonymous members count as its own."""

    members: tuple[Member, ...]

    def member(self, path: str) -> Member:
        """Return the member at `path`, such as "refs", "list.next" or "text[2].len".

        The offset is counted from the start of this structure.

        Raises:
            BadSymbol: a name is not a member, or an index is outside the array.
        """
        found, at = Member("", 0, self.size, self), 0
        while at < len(path):
            step = _STEP.match(path, at)
            if step is None or (at == 0 and step.group()[0] in ".["):
                raise BadSymbol(f"{path!r} is not a path of members of {self.name}")
            name, index = step.groups()
            found = _element(found, int(index)) if index else _child(found, name)
            at = step.end()
        return replace(found, name=path)

    def names(self) -> tuple[str, ...]:
        """Return the names of the members, with those of anonymous members in their place."""
        return tuple(
            name
            for member in self.members
            for name in (
                (member.name,)
                if member.name
                else member.type.names()
                if isinstance(member.type, StructType)
                else ()
            )
        )


class TypeReader(Protocol):
    """Makes types by name from one format of debug information."""

    def type_named(self, name: str) -> Type | None:
        """Return the type C calls `name` ("struct task"), or None."""

    def variable(self, name: str) -> Type | None:
        """Return the type of the global variable `name`, or None."""

    def type_names(self) -> Iterable[str]:
        """Return the names of all types."""

    def variable_names(self) -> Iterable[str]:
        """Return the names of all global variables."""


class Types:
    """The types of an image: `types["struct task"]`, `types.variable("tasks")`."""

    def __init__(self, reader: TypeReader) -> None:
        self._reader = reader
        self._types: dict[str, Type] = {}
        self._variables: dict[str, Type] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._types or self._reader.type_named(name) is not None

    def __getitem__(self, name: str) -> Type:
        """Return the type C calls `name`; else BadSymbol. BadImage if it is malformed."""
        return _remember(
            self._types, "type", name, self._reader.type_named, self._reader.type_names
        )

    def struct(self, name: str) -> StructType:
        """Return the struct or union `name`, with or without the keyword.

        Raises:
            BadSymbol: there is none.
            BadImage: it is malformed.
        """
        for full in (name, f"struct {name}", f"union {name}"):
            found = self._reader.type_named(full) if full not in self._types else None
            if full in self._types or found is not None:
                kind = self[full]
                if isinstance(kind, StructType):
                    return kind
        raise BadSymbol.unknown("struct", name, self._reader.type_names())

    def variable(self, name: str) -> Type:
        """Return the type of the global variable `name`; else BadSymbol."""
        return _remember(
            self._variables, "variable", name, self._reader.variable, self._reader.variable_names
        )


def _remember(
    known: dict[str, Type],
    kind: str,
    name: str,
    make: Callable[[str], Type | None],
    names: Callable[[], Iterable[str]],
) -> Type:
    """Return known[name], made on first use; BadSymbol if it cannot be made."""
    if name not in known:
        made = make(name)
        if made is None:
            raise BadSymbol.unknown(kind, name, names())
        known[name] = made
    return known[name]


def _child(parent: Member, name: str) -> Member:
    """Return the member `name` of the structure `parent`, offset from where parent's is."""
    kind = parent.type
    if not isinstance(kind, StructType):
        raise BadSymbol(f"{kind.name} has no members, so no {name!r}")
    for member in kind.members:
        if member.name == name:
            return replace(member, offset=parent.offset + member.offset)
        if not member.name and isinstance(member.type, StructType) and name in member.type.names():
            return _child(replace(member, offset=parent.offset + member.offset), name)
    raise BadSymbol.unknown("member", name, kind.names(), kind.name)


def _element(parent: Member, index: int) -> Member:
    """Return element `index` of the array `parent`."""
    kind = parent.type
    if not isinstance(kind, ArrayType):
        raise BadSymbol(f"{kind.name} is not an array, so it has no [{index}]")
    if kind.count and index >= kind.count:
        raise BadSymbol(f"[{index}] is outside {kind.name}")
    offset = parent.offset + index * kind.stride
    return Member("", offset, kind.stride, kind.element)
