"""One kernel object: a typed place in memory, or a pointer that was computed.

Its memory is read when it is asked for something, each time anew; see `objects` for the whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Union, overload

from emu.errors import BadSymbol, TextpokeError, Unsupported
from emu.image.c_string import string_at
from emu.image.c_types import (
    ArrayType,
    EnumType,
    FloatType,
    FunctionType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
)
from emu.image.format import render
from emu.image.number import Number
from emu.image.types import array_of
from emu.image.values import bits, number, text, value

if TYPE_CHECKING:
    from emu.image.objects import Objects

MAX_READ = 1 << 20
"""Bytes of one read."""

Value = Union[Number, "Object"]


class Object:
    """A typed place in memory, or a pointer as a value.

    Members are attributes (through a pointer too) or items with a name, elements are items. Two
    objects are equal if type and address are; pointers and floats if their values are.

    Attributes:
        type_: its type.
        prog_: the objects it belongs to.
    """

    __slots__ = ("_address", "_pointer", "prog_", "type_")

    def __init__(self, type_: Type, address: int, prog: "Objects") -> None:
        self.type_ = type_
        self.prog_ = prog
        self._address: int | None = address
        self._pointer = 0

    @classmethod
    def pointer_(cls, type_: PointerType, value: int, prog: "Objects") -> "Object":
        """Return the pointer `value`, which lies nowhere."""
        made = cls(type_, 0, prog)
        made._address, made._pointer = None, value & (1 << 8 * type_.size) - 1
        return made

    @property
    def address_(self) -> int:
        """Its virtual address; TextpokeError if it is a pointer that was computed."""
        if self._address is None:
            raise TextpokeError(f"this {self.type_.called} was computed: it has no address")
        return self._address

    def __repr__(self) -> str:
        if self._address is None:
            return f"<{self.type_.called} {self._pointer:#x}>"
        return f"<{self.type_.called} at {self._address:#x}>"

    def __str__(self) -> str:
        return self.format_()

    def __eq__(self, other: object) -> bool:
        if isinstance(self.type_, PointerType | FloatType):
            return self.value_() == (other.value_() if isinstance(other, Object) else other)
        if not isinstance(other, Object):
            return False
        return (self.type_, self._address) == (other.type_, other._address)

    def __hash__(self) -> int:
        if isinstance(self.type_, PointerType | FloatType):
            return hash(self.value_())
        return hash(self._address)

    def __lt__(self, other: "Object | int") -> bool:
        return self._decayed_() < _decayed(other)

    def __le__(self, other: "Object | int") -> bool:
        return self._decayed_() <= _decayed(other)

    def __gt__(self, other: "Object | int") -> bool:
        return self._decayed_() > _decayed(other)

    def __ge__(self, other: "Object | int") -> bool:
        return self._decayed_() >= _decayed(other)

    def __add__(self, count: int) -> "Object":
        """Return a pointer `count` elements behind what this points to, or the array begins at."""
        target, address = self._target_()
        return self.prog_.pointer(target, address + count * _step(target))

    __radd__ = __add__

    @overload
    def __sub__(self, other: int) -> "Object": ...
    @overload
    def __sub__(self, other: "Object") -> int: ...
    def __sub__(self, other: "Object | int") -> "Object | int":
        """Return a pointer `other` elements before, or the elements between two pointers."""
        if not isinstance(other, Object):
            return self + -other
        (target, address), (others, start) = self._target_(), other._target_()
        if target != others:
            raise TypeError(f"{other.type_.name} cannot be subtracted from {self.type_.name}")
        return (address - start) // _step(target)

    def __getattr__(self, name: str) -> Value:
        try:
            return self.member_(name)
        except BadSymbol as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        type_ = self.type_.target if isinstance(self.type_, PointerType) else self.type_
        members = type_.names() if isinstance(type_, StructType) else ()
        return [*super().__dir__(), *members]

    @overload
    def __getitem__(self, index: slice) -> "Object": ...
    @overload
    def __getitem__(self, index: int | str) -> Value: ...
    def __getitem__(self, index: int | str | slice) -> Value:
        """Return a member by name, an element of an array or behind a pointer, or a slice.

        A slice is an array again: `tasks[2:5]`. Behind a pointer its end has to be given.
        """
        if isinstance(index, str):
            return self.member_(index)
        if not isinstance(self.type_, ArrayType | PointerType):
            raise TypeError(f"{self.type_.name} is not an array")
        target, address = self._target_()
        count = self.type_.count if isinstance(self.type_, ArrayType) else None
        if isinstance(index, slice):
            start, stop = _ends(index, count, self.type_)
            kind = array_of(target, stop - start)
            return Object(kind, address + start * target.size, self.prog_)
        if isinstance(self.type_, ArrayType) and (index < 0 or (count and index >= count)):
            raise IndexError(f"[{index}] is outside {self.type_.name}")
        return Object(target, address + index * target.size, self.prog_).resolve_()

    def __len__(self) -> int:
        if not isinstance(self.type_, ArrayType):
            raise TypeError(f"{self.type_.name} has no length")
        return self.type_.count or 0

    def __bool__(self) -> bool:
        return bool(self.value_()) if isinstance(self.type_, PointerType | FloatType) else True

    def __iter__(self) -> Iterator[Value]:
        return (self[index] for index in range(len(self)))

    def __int__(self) -> int:
        """Return the number held by an integer, an enumeration or a pointer."""
        if self._address is None:
            return self._pointer
        if not isinstance(self.type_, IntType | EnumType | PointerType):
            raise TypeError(f"{self.type_.name} is not a number")
        return number(self.type_, self.bytes_())

    __index__ = __int__

    def __float__(self) -> float:
        """Return the number held by a float."""
        found = self.value_() if isinstance(self.type_, FloatType) else None
        if not isinstance(found, float):
            raise TypeError(f"{self.type_.name} is not a floating-point number")
        return found

    def resolve_(self) -> Value:
        """Return the Number that an integer or enumeration is; any other object itself."""
        if isinstance(self.type_, IntType | EnumType):
            return Number(int(self), self.type_, self.prog_, self._address)
        return self

    def value_(self) -> object:
        """Return it in Python: int, float, str, a dict of its members, a list of its elements.

        Raises:
            TextpokeError: it is too large.
            TypeError: it has no value, as a function.
        """
        return value(self.type_, self.bytes_())

    def format_(self) -> str:
        """Return it as C writes an initialiser, `(struct list){ .next = ... }`."""
        return render(self)

    def member_(self, path: str) -> Value:
        """Return the member at `path` ("text[2].len"), as a Number or Object; else BadSymbol."""
        member, base = self._member_(path)
        place = Object(member.type, base + member.offset, self.prog_)
        if member.bit_size is None:
            return place.resolve_()
        if not isinstance(member.type, IntType | EnumType):
            raise Unsupported(f"a bitfield of {member.type.name} is not read")
        storage = self.prog_.read(place.address_, member.size)
        return Number(bits(member, storage), member.type, self.prog_)

    @overload
    def address_of_(self) -> "Object": ...
    @overload
    def address_of_(self, path: str) -> int: ...
    def address_of_(self, path: str | None = None) -> "Object | int":
        """Return a pointer to it; with a path the address of that member, else BadSymbol."""
        if path is None:
            return self.prog_.pointer(self.type_, self.address_)
        member, base = self._member_(path)
        return base + member.offset

    def deref_(self) -> "Object":
        """Return the object a pointer points to."""
        if not isinstance(self.type_, PointerType):
            raise TypeError(f"{self.type_.name} is not a pointer")
        return Object(self.type_.target, int(self), self.prog_)

    def cast_(self, type_: str | Type) -> Value:
        """Return it converted as C does: pointers, numbers, and what decays to a pointer.

        Raises:
            TypeError: C cannot convert it.
            BadSymbol: no such type.
        """
        if isinstance(self.type_, FloatType):
            return self.prog_.cast(type_, int(float(self)))
        return self.prog_.cast(type_, self._decayed_())

    def reinterpret_(self, type_: str | Type) -> Value:
        """Return what is at its address as another type; a computed pointer is converted."""
        if self._address is None:
            return self.cast_(type_)
        return self.prog_.at(type_, self._address).resolve_()

    def container_of_(self, type_: str | Type, member: str) -> "Object":
        """Return the `type_` whose `member` it is; for a pointer to that, a pointer."""
        if not isinstance(self.type_, PointerType):
            return self.prog_.container_of(self.address_, type_, member)
        return self.prog_.container_of(int(self), type_, member).address_of_()

    def bytes_(self) -> bytes:
        """Return its bytes; TextpokeError if there are over MAX_READ."""
        if self._address is None:
            return self._pointer.to_bytes(self.type_.size, "little")
        if self.type_.size > MAX_READ:
            raise TextpokeError(f"{self.type_.name} has over {MAX_READ} bytes: read its parts")
        data = self.prog_.read(self._address, self.type_.size)
        if len(data) != self.type_.size:
            raise TextpokeError(f"{self.type_.name} at {self._address:#x} cannot be read")
        return data

    def string_(self) -> str:
        """Return a char array up to its NUL, or the string a char pointer points to.

        What is not UTF-8 is escaped. A string of unknown length ends after MAX_STRING bytes.
        """
        type_ = self.type_
        if not isinstance(type_, ArrayType | PointerType) or self._target_()[0].size > 1:
            raise TypeError(f"{type_.name} is not a string")
        if isinstance(type_, PointerType):
            return string_at(self.prog_.read, int(self))
        if not type_.count:
            return string_at(self.prog_.read, self.address_)
        return text(self.prog_.read(self.address_, min(type_.size, MAX_READ)))

    def store_(self, path: str, value: int) -> tuple[int, bytes]:
        """Return (address, bytes) of a store of `value` to the member at `path`.

        Raises:
            BadSymbol: no such member.
            Unsupported: it is a bitfield, or not a number.
            TextpokeError: the value does not fit.
        """
        member, base = self._member_(path)
        kind = member.type
        if member.bit_size is not None or not isinstance(kind, IntType | EnumType | PointerType):
            raise Unsupported(f"{self.type_.name}.{path} cannot be stored to: not a whole number")
        can_sign = not isinstance(kind, PointerType) and kind.signed
        if value < 0 and not can_sign:
            raise TextpokeError(f"{value} does not fit into {kind.name}: it has no sign")
        try:
            data = int(value).to_bytes(kind.size, "little", signed=can_sign)
        except OverflowError:
            raise TextpokeError(f"{value} does not fit into {kind.name}") from None
        return base + member.offset, data

    def _decayed_(self) -> int:
        """Return it as a number: arrays and functions become their address."""
        return self.address_ if isinstance(self.type_, ArrayType | FunctionType) else int(self)

    def _target_(self) -> tuple[Type, int]:
        """Return what a pointer points to, or an array consists of, and where that is."""
        if isinstance(self.type_, PointerType):
            return self.type_.target, int(self)
        if isinstance(self.type_, ArrayType):
            return self.type_.element, self.address_
        raise TypeError(f"{self.type_.name} is not a pointer")

    def _member_(self, path: str) -> tuple[Member, int]:
        """Return a member and the address of the structure this is, or points to."""
        pointer = isinstance(self.type_, PointerType)
        type_ = self.type_.target if isinstance(self.type_, PointerType) else self.type_
        if not isinstance(type_, StructType):
            raise BadSymbol(f"{type_.name} has no member {path!r}")
        return type_.member(path), int(self) if pointer else self.address_


def _decayed(other: Object | int) -> int:
    return other._decayed_() if isinstance(other, Object) else int(other)


def _step(target: Type) -> int:
    """Return the bytes that a pointer moves by; GNU C counts void and functions as 1."""
    if target.name == "void" or isinstance(target, FunctionType):
        return 1
    if not target.size:
        raise TypeError(f"the size of {target.name} is not known")
    return target.size


def _ends(index: slice, count: int | None, type_: Type) -> tuple[int, int]:
    """Return the ends of a slice of `count` elements, None if nobody knows how many."""
    start, stop = index.start or 0, count if index.stop is None else index.stop
    if index.step not in (None, 1) or stop is None:
        raise TypeError(f"a slice of {type_.name} needs an end, and goes by one")
    if not 0 <= start <= stop or (count is not None and stop > count):
        raise IndexError(f"[{start}:{stop}] is outside {type_.name}")
    return int(start), int(stop)
