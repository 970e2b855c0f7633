"""What bytes of a type mean in Python.

Integers, enumerations and pointers are int, _Bool is bool, floats are float or complex, structures
dict, arrays list, an array of plain char str up to its NUL. How much is made at once is bounded.
Sources: IEEE 754-2008, section 3.4; SDM volume 1, section 4.2.2 (extended precision).
"""

import math
import struct

from emu.errors import TextpokeError, Unsupported
from emu.image.c_types import (
    ArrayType,
    EnumType,
    FloatType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
)

MAX_PARTS = 1 << 20
"""Numbers, texts, structures and arrays made by one call."""

_IEEE = {2: "<e", 4: "<f", 8: "<d"}
_QUAD_BIAS, _QUAD_FRACTION = 16383, 112
_X87_BIAS = 16383


def is_text(type_: Type) -> bool:
    """Return whether this is plain char, arrays of which are text: the other two are numbers."""
    return isinstance(type_, IntType) and type_.is_char and type_.name == "char"


def number(type_: IntType | EnumType | PointerType, data: bytes) -> int:
    """Return the integer that the bytes of a type are."""
    signed = not isinstance(type_, PointerType) and type_.signed
    return int.from_bytes(data, "little", signed=signed)


def bits(member: Member, data: bytes) -> int:
    """Return the integer in a bitfield, of which `data` is the storage."""
    assert member.bit_offset is not None
    assert member.bit_size is not None
    raw = int.from_bytes(data, "little") >> member.bit_offset & (1 << member.bit_size) - 1
    signed = isinstance(member.type, IntType | EnumType) and member.type.signed
    return raw - (1 << member.bit_size) if signed and raw >> (member.bit_size - 1) else raw


def text(data: bytes) -> str:
    """Return bytes up to their NUL as text; what is not UTF-8 is escaped."""
    return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def real(type_: FloatType, data: bytes) -> float | complex:
    """Return a floating-point number, rounded to a double if it is longer.

    Raises Unsupported for a decimal one.
    """
    if type_.parts == 2:
        half = len(data) // 2
        return complex(_real(type_, data[:half]), _real(type_, data[half:]))
    return _real(type_, data)


def value(type_: Type, data: bytes) -> object:
    """Return the value of a type that has these bytes.

    Raises:
        TextpokeError: it has over MAX_PARTS parts.
        TypeError: it has no value, as void and functions.
    """
    return _Maker().make(type_, data)


class _Maker:
    """Makes one value, of at most MAX_PARTS parts."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def make(self, type_: Type, data: bytes) -> object:
        self._left -= 1
        if self._left < 0:
            raise TextpokeError(f"there are over {MAX_PARTS} values in it: read its parts")
        match type_:
            case IntType():
                found = number(type_, data)
                return bool(found) if type_.is_bool else found
            case EnumType() | PointerType():
                return number(type_, data)
            case FloatType():
                return real(type_, data)
            case StructType():
                found_members: dict[str, object] = {}
                self._members(type_, data, found_members)
                return found_members
            case ArrayType() if is_text(type_.element):
                return text(data)
            case ArrayType():
                size = type_.stride
                return [self.make(type_.element, data[at : at + size])
                        for at in range(0, len(data), size or 1)]  # fmt: skip
        raise TypeError(f"{type_.name} has no value")

    def _members(self, type_: StructType, data: bytes, found: dict[str, object]) -> None:
        for member in type_.members:
            part = data[member.offset : member.offset + member.size]
            if member.bit_size is not None:
                found[member.name] = bits(member, part)
            elif not member.name and isinstance(member.type, StructType):
                self._left -= 1
                self._members(member.type, part, found)
            else:
                found[member.name] = self.make(member.type, part)


def _real(type_: FloatType, data: bytes) -> float:
    if type_.format == "integer":
        return float(int.from_bytes(data, "little", signed=True))
    if type_.format == "bfloat":
        return float(struct.unpack("<f", b"\0\0" + data[:2])[0])
    if type_.format == "x87" and len(data) >= 10:
        return _x87(int.from_bytes(data[:10], "little"))
    if type_.format == "ieee" and len(data) == 16:
        return _quad(int.from_bytes(data, "little"))
    if type_.format == "ieee" and len(data) in _IEEE:
        return float(struct.unpack(_IEEE[len(data)], data)[0])
    raise Unsupported(f"{type_.name} of {len(data)} bytes is not read")


def _x87(raw: int) -> float:
    """Return an extended-precision number: 64 bits of significand with its leading one."""
    significand, exponent, sign = raw & (1 << 64) - 1, raw >> 64 & 0x7FFF, raw >> 79
    if exponent == 0x7FFF:
        return _special(sign, significand & (1 << 63) - 1)
    return _scaled(sign, significand, max(exponent, 1) - _X87_BIAS - 63)


def _quad(raw: int) -> float:
    fraction, exponent = raw & (1 << _QUAD_FRACTION) - 1, raw >> _QUAD_FRACTION & 0x7FFF
    if exponent == 0x7FFF:
        return _special(raw >> 127, fraction)
    significand = fraction | (1 << _QUAD_FRACTION if exponent else 0)
    return _scaled(raw >> 127, significand, max(exponent, 1) - _QUAD_BIAS - _QUAD_FRACTION)


def _special(sign: int, fraction: int) -> float:
    return math.nan if fraction else -math.inf if sign else math.inf


def _scaled(sign: int, significand: int, exponent: int) -> float:
    try:
        found = math.ldexp(significand, exponent)
    except OverflowError:
        found = math.inf
    return -found if sign else found
