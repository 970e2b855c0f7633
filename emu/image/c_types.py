"""C types as frozen values: sizes, members, signs. Where they come from is not said here.

A type is what it is: a typedef of int is an IntType, and equal to int. How the source spells it
(typedef, const, volatile, restrict, _Atomic) it remembers in `spelled`, for printing. The target
of a pointer is looked up when asked for, because structures point to themselves; everything else is
complete. All sizes and offsets are bytes unless a name says bits. `str(type)` is C (`declare`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from emu.errors import BadSymbol

_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d{1,9})\]")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the source calls a type.

    Attributes:
        keyword: "typedef" or a qualifier.
        name: of the typedef; "" for a qualifier.
        of: the type it is a name of, or qualifies.
    """

    keyword: Literal["typedef", "const", "volatile", "restrict", "_Atomic"]
    name: str
    of: "Type"


@dataclass(frozen=True, slots=True, repr=False)
class Type:
    """A C type.

    Attributes:
        name: as C writes it, without typedefs and qualifiers.
        size: bytes; 0 if unknown.
        spelled: how the source calls it; None if by its name.
    """

    name: str
    size: int
    spelled: Spelling | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __repr__(self) -> str:
        return f"<{self.called}, {self.size} bytes>"

    def __str__(self) -> str:
        """Return it in C: a definition with offsets, or a name."""
        from emu.image.declare import definition  # noqa: PLC0415 -- it imports this

        return definition(self)

    @property
    def called(self) -> str:
        """What the source calls it: "u32", "const char *"."""
        from emu.image.declare import declare  # noqa: PLC0415 -- it imports this

        return declare(self)


@dataclass(frozen=True, slots=True, repr=False)
class VoidType(Type):
    """void, or a structure that is only declared: nothing to read."""


@dataclass(frozen=True, slots=True, repr=False)
class IntType(Type):
    """An integer, character or boolean."""

    signed: bool
    is_char: bool = False
    is_bool: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class FloatType(Type):
    """A floating-point number; `format` says how its bits are meant.

    "ieee" is binary of 2, 4, 8 or 16 bytes, "x87" the extended format in 16 (or 12), "bfloat" the
    upper half of a float; "decimal" is not read. `parts` is 2 for a complex number.
    """

    format: str = "ieee"
    parts: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class EnumType(Type):
    """An enumeration; `names` pairs each value with its name."""

    signed: bool
    names: tuple[tuple[int, str], ...]

    def name_of(self, value: int) -> str | None:
        """Return the first name of `value`, or None."""
        return next((name for number, name in self.names if number == value), None)


@dataclass(frozen=True, slots=True, repr=False)
class PointerType(Type):
    """A pointer; equal pointers have equal names, so that cycles can be compared."""

    find_target: Callable[[], Type] = field(compare=False, repr=False)

    @property
    def target(self) -> Type:
        """What it points to."""
        return self.find_target()


@dataclass(frozen=True, slots=True, repr=False)
class ArrayType(Type):
    """`count` elements, `stride` bytes apart; None is a flexible array, or one of variable length.

    A vector of GNU C is an array that is computed with as a whole.
    """

    element: Type
    count: int | None
    is_vector: bool = field(default=False, compare=False)

    @property
    def stride(self) -> int:
        """Bytes from one element to the next."""
        return self.element.size


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function; name "" if the source gives none."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True, repr=False)
class FunctionType(Type):
    """A function: what it returns and takes, and whether more may follow."""

    result: Type
    parameters: tuple[Parameter, ...]
    variadic: bool = False


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


@dataclass(frozen=True, slots=True, repr=False)
class StructType(Type):
    """A struct or union; the members of anonymous members count as its own.

    weight: how many members there are with those of members, which bounds any walk over them.
    """

    members: tuple[Member, ...]
    weight: int = field(default=1, compare=False, repr=False)

    @property
    def is_union(self) -> bool:
        """Whether its members share their place."""
        return self.name.startswith("union ")

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
