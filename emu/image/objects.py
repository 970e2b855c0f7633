"""Kernel objects: memory with a type, read when asked.

`objects["bp_desc"].refs` is an integer, `objects["tp_vec"][3].rel_addr` too; structures, arrays
and pointers are `Object`s. Names of members are attributes, so every name of our own ends with an
underscore, as in drgn. Nothing is cached and nothing is written: `store_` returns what to store,
because every store into a running kernel is a step of the patcher. A read is at most MAX_READ
bytes.
"""

from collections.abc import Iterator
from typing import Protocol, Union

from emu.errors import BadSymbol, TextpokeError, Unsupported
from emu.image.symbols import Symbols
from emu.image.types import (
    ArrayType,
    EnumType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
    Types,
)

MAX_READ = 1 << 20
MAX_STRING = 4096
"""Bytes of one read, and of a string behind a pointer."""

_CHUNK = 64  # divides a page, so a string read does not touch the next page before it must

Value = Union[int, "Object"]


class Reader(Protocol):
    """Reads guest memory."""

    def __call__(self, address: int, size: int) -> bytes:
        """Return `size` bytes at virtual `address`."""


class Objects:
    """The objects of a kernel: `objects["name"]` is the global variable `name`.

    Args:
        symbols: where variables are.
        types: what they are.
        read: how memory is read.
    """

    def __init__(self, symbols: Symbols, types: Types, read: Reader) -> None:
        self._symbols = symbols
        self._types = types
        self._read = read

    def __getitem__(self, name: str) -> Value:
        """Return the global variable `name`: an integer, or an Object.

        Raises:
            BadSymbol: no such variable, or nothing says its type.
        """
        address = self._symbols[name].address
        return Object(self._types.variable(name), address, self._read).value_()

    def at(self, type_: str | Type, address: int) -> "Object":
        """Return the object of `type_` at `address`: `objects.at("struct task", 0xffff...)`."""
        found = self._types[type_] if isinstance(type_, str) else type_
        return Object(found, address, self._read)

    def address(self, name: str) -> int:
        """Return the address of the variable `name`; else BadSymbol."""
        return self._symbols[name].address


class Object:
    """A typed place in memory.

    Members are attributes (through a pointer too), elements are items. Two objects are equal if
    type and address are; a pointer equals the address it holds.

    Attributes:
        type_: its type.
        address_: its virtual address.
    """

    __slots__ = ("_read", "address_", "type_")

    def __init__(self, type_: Type, address: int, read: Reader) -> None:
        self.type_ = type_
        self.address_ = address
        self._read = read

    def __repr__(self) -> str:
        return f"<{self.type_.name} at {self.address_:#x}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Object):
            return (self.type_, self.address_) == (other.type_, other.address_)
        return isinstance(self.type_, PointerType) and int(self) == other

    def __hash__(self) -> int:
        return hash(self.address_)

    def __getattr__(self, name: str) -> Value:
        try:
            return self.get_(name)
        except BadSymbol as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        type_ = self._struct_()[0] if isinstance(self.type_, PointerType) else self.type_
        members = type_.names() if isinstance(type_, StructType) else ()
        return [*super().__dir__(), *members]

    def __getitem__(self, index: int) -> Value:
        """Return element `index` of an array, or the object `index` places behind a pointer."""
        if isinstance(self.type_, PointerType):
            target = self.type_.target
            return Object(target, int(self) + index * target.size, self._read).value_()
        if not isinstance(self.type_, ArrayType):
            raise TypeError(f"{self.type_.name} is not an array")
        if index < 0 or (self.type_.count and index >= self.type_.count):
            raise IndexError(f"[{index}] is outside {self.type_.name}")
        element = self.type_.element
        return Object(element, self.address_ + index * element.size, self._read).value_()

    def __len__(self) -> int:
        if not isinstance(self.type_, ArrayType):
            raise TypeError(f"{self.type_.name} has no length")
        return self.type_.count

    def __bool__(self) -> bool:
        return bool(int(self)) if isinstance(self.type_, PointerType) else True

    def __iter__(self) -> Iterator[Value]:
        return (self[index] for index in range(len(self)))

    def __int__(self) -> int:
        """Return the number held by an integer, an enumeration or a pointer."""
        if not isinstance(self.type_, IntType | EnumType | PointerType):
            raise TypeError(f"{self.type_.name} is not a number")
        signed = not isinstance(self.type_, PointerType) and self.type_.signed
        return int.from_bytes(self.bytes_(), "little", signed=signed)

    __index__ = __int__

    def value_(self) -> Value:
        """Return the number of an integer or enumeration; any other object itself."""
        return int(self) if isinstance(self.type_, IntType | EnumType) else self

    def get_(self, path: str) -> Value:
        """Return the member at `path` ("text[2].len"), as an integer or Object; else BadSymbol."""
        member, base = self._member_(path)
        place = Object(member.type, base + member.offset, self._read)
        if member.bit_size is None or member.bit_offset is None:
            return place.value_()
        raw = int.from_bytes(self._read(place.address_, member.size), "little")
        field = raw >> member.bit_offset & (1 << member.bit_size) - 1
        signed = isinstance(member.type, IntType | EnumType) and member.type.signed
        if signed and field >> (member.bit_size - 1):
            field -= 1 << member.bit_size
        return field

    def address_of_(self, path: str) -> int:
        """Return the address of the member at `path`; else BadSymbol."""
        member, base = self._member_(path)
        return base + member.offset

    def deref_(self) -> "Object":
        """Return the object a pointer points to."""
        if not isinstance(self.type_, PointerType):
            raise TypeError(f"{self.type_.name} is not a pointer")
        return Object(self.type_.target, int(self), self._read)

    def bytes_(self) -> bytes:
        """Return its bytes; TextpokeError if there are over MAX_READ."""
        if self.type_.size > MAX_READ:
            raise TextpokeError(f"{self.type_.name} has over {MAX_READ} bytes: read its parts")
        data = self._read(self.address_, self.type_.size)
        if len(data) != self.type_.size:
            raise TextpokeError(f"{self.type_.name} at {self.address_:#x} cannot be read")
        return data

    def string_(self) -> str:
        """Return a char array up to its NUL, or the string a char pointer points to.

        What is not UTF-8 is escaped. A string behind a pointer ends after MAX_STRING bytes.
        """
        if isinstance(self.type_, ArrayType):
            size = min(self.type_.size, MAX_READ)
            data = self._read(self.address_, size)
        else:
            data = self._string_behind_()
        return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")

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
        signed = value < 0
        if signed and (isinstance(kind, PointerType) or not kind.signed):
            raise TextpokeError(f"{value} does not fit into {kind.name}: it has no sign")
        try:
            data = value.to_bytes(kind.size, "little", signed=signed or _is_signed(kind))
        except OverflowError:
            raise TextpokeError(f"{value} does not fit into {kind.name}") from None
        return base + member.offset, data

    def _string_behind_(self) -> bytes:
        if not isinstance(self.type_, PointerType):
            raise TypeError(f"{self.type_.name} is not a string")
        start, data = int(self), b""
        while b"\0" not in data and len(data) < MAX_STRING:
            at = start + len(data)
            data += self._read(at, _CHUNK - at % _CHUNK)
        return data[:MAX_STRING]

    def _struct_(self) -> tuple[Type, int]:
        """Return type and address of the structure this is or points to."""
        if isinstance(self.type_, PointerType):
            return self.type_.target, int(self)
        return self.type_, self.address_

    def _member_(self, path: str) -> tuple[Member, int]:
        type_, address = self._struct_()
        if not isinstance(type_, StructType):
            raise BadSymbol(f"{type_.name} has no member {path!r}")
        return type_.member(path), address


def _is_signed(kind: IntType | EnumType | PointerType) -> bool:
    return not isinstance(kind, PointerType) and kind.signed
