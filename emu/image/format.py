"""Objects as C writes initialisers, with types and names: what a debugger prints.

`(struct list){ .next = (struct list *)head+0x0 = 0xffff..., ... }`, laid out as drgn lays it out.
Pointers into something with a symbol begin with it, a char pointer ends with its string, zeros at
the end of an array are left out. At most MAX_PARTS values are printed; then follows `...`.
"""

from typing import TYPE_CHECKING

from emu.errors import TextpokeError
from emu.image.c_types import (
    ArrayType,
    EnumType,
    FloatType,
    FunctionType,
    IntType,
    PointerType,
    StructType,
    Type,
)
from emu.image.values import bits, is_text, number, real, text

if TYPE_CHECKING:
    from emu.image.object import Object

MAX_PARTS = 4096
"""Values in one text."""

MAX_SHOWN = 256
"""Characters of a string behind a pointer."""

_WIDTH = 80
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def render(found: "Object") -> str:
    """Return an object as C writes it; TextpokeError if it cannot be read."""
    if isinstance(found.type_, FunctionType) or not found.type_.size:
        return f"({found.type_.called}){_symbol(found, found.address_) or hex(found.address_)}"
    return _Printer(found).typed(found.type_, found.bytes_(), 0)


class _Printer:
    """Prints one object."""

    def __init__(self, found: "Object") -> None:
        self._found = found
        self._left = MAX_PARTS

    def typed(self, type_: Type, data: bytes, depth: int) -> str:
        """Return a value with its type in front."""
        anonymous = type_.called.endswith("(anonymous)")
        return ("" if anonymous else f"({type_.called})") + self.plain(type_, data, depth)

    def plain(  # noqa: PLR0911 -- one for each kind
        self, type_: Type, data: bytes, depth: int
    ) -> str:
        """Return a value."""
        self._left -= 1
        match type_:
            case _ if self._left < 0:
                return "..."
            case EnumType():
                value = number(type_, data)
                return type_.name_of(value) or str(value)
            case IntType():
                return str(number(type_, data))
            case FloatType():
                return _real(type_, data)
            case PointerType():
                return self._pointer(type_, number(type_, data))
            case ArrayType() if is_text(type_.element):
                return quoted(text(data))
            case ArrayType():
                return self._array(type_, data, depth)
            case StructType():
                return self._struct(type_, data, depth)
        return "..."

    def _pointer(self, type_: PointerType, value: int) -> str:
        target = type_.target
        if is_text(target) and value:
            try:
                found = self._found.prog_.at(target, value).address_of_().string_()[:MAX_SHOWN]
            except TextpokeError:  # it points nowhere
                return f"{value:#x}"
            return f"{value:#x} = {quoted(found)}"
        symbol = _symbol(self._found, value)
        return f"{symbol} = {value:#x}" if symbol else f"{value:#x}"

    def _array(self, type_: ArrayType, data: bytes, depth: int) -> str:
        size = type_.stride
        shown = -(-len(data.rstrip(b"\0")) // size) if size else 0
        parts: list[str] = []
        for index in range(shown):
            if self._left <= 0:
                parts.append("...")
                break
            part = data[index * size : (index + 1) * size]
            parts.append(self.plain(type_.element, part, depth + 1))
        line = f"{{ {', '.join(parts)} }}" if parts else "{}"
        if "\n" not in line and len(line) + 8 * depth <= _WIDTH:
            return line
        return _block(_filled(parts, depth + 1), depth)

    def _struct(self, type_: StructType, data: bytes, depth: int) -> str:
        lines: list[str] = []
        self._members(type_, data, depth, lines)
        return _block([f"{line}," for line in lines], depth) if lines else "{}"

    def _members(self, type_: StructType, data: bytes, depth: int, lines: list[str]) -> None:
        for member in type_.members:
            part = data[member.offset : member.offset + member.size]
            if self._left <= 0:
                lines.append("...")
                return
            if not member.name and isinstance(member.type, StructType):
                self._left -= 1
                self._members(member.type, part, depth, lines)
            elif member.bit_size is None:
                lines.append(f".{member.name} = {self.typed(member.type, part, depth + 1)}")
            elif member.name:
                value = bits(member, part)
                named = member.type.name_of(value) if isinstance(member.type, EnumType) else None
                lines.append(f".{member.name} = ({member.type.called}){named or value}")


def quoted(string: str) -> str:
    """Return text as C quotes it; what is not printable is escaped."""
    escaped = (
        _ESCAPES.get(char) or (char if char.isprintable() else ascii(char)[1:-1]) for char in string
    )
    return f'"{"".join(escaped)}"'


def _symbol(found: "Object", address: int) -> str:
    """Return `vfs_read+0x0`, or "" where no symbol is."""
    near = found.prog_.symbols.near(address) if address else None
    return "" if near is None else near if "+" in near else f"{near}+0x0"


def _real(type_: FloatType, data: bytes) -> str:
    try:
        return repr(real(type_, data))
    except TextpokeError:
        return f"0x{data[::-1].hex()}"


def _block(lines: list[str], depth: int) -> str:
    indent = "\t" * (depth + 1)
    body = "\n".join(f"{indent}{line}" for line in lines)
    return "{\n" + body + "\n" + "\t" * depth + "}"


def _filled(parts: list[str], depth: int) -> list[str]:
    """Return short values as lines of several, each with its comma."""
    lines: list[str] = []
    for part in parts:
        room = _WIDTH - 8 * depth
        short = lines and "\n" not in part and "\n" not in lines[-1]
        if short and len(lines[-1]) + len(part) + 2 <= room:
            lines[-1] += f" {part},"
        else:
            lines.append(f"{part},")
    return lines
