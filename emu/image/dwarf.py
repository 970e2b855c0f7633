"""Types from DWARF 4 and 5, by pyelftools.

Names are indexed in one pass (`dwarf_index`); a type is parsed when it is asked for, once. Nesting
and sizes are bounded, and whatever pyelftools raises on malformed data leaves as BadImage. Not
read: type units (-fdebug-types-section), split and supplementary DWARF.
Sources: DWARF 5, sections 5 (types) and 7.5; DWARF 3, section 5.6.6 for DW_AT_bit_offset.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from elftools.dwarf.die import DIE

from emu.errors import BadImage
from emu.image import dwarf_entry as entry
from emu.image.dwarf_index import Index, malformed_is_bad
from emu.image.types import (
    ArrayType,
    EnumType,
    FloatType,
    IntType,
    Member,
    PointerType,
    StructType,
    Type,
    VoidType,
)

MAX_DEPTH = 64
"""Nesting of types within types, pointers not counted."""

MAX_TYPE_SIZE = 1 << 40
MAX_MEMBERS = 100_000

_STRIPPED = frozenset(
    f"DW_TAG_{name}" for name in ("const_type", "volatile_type", "restrict_type", "atomic_type")
) | {"DW_TAG_typedef"}
_POINTED = {"DW_TAG_subroutine_type": "function", "DW_TAG_array_type": "array"}
_FLOATS = {0x03, 0x04, 0x09, 0x0F}  # DW_ATE_complex_float, _float, _imaginary_, _decimal_
_SIGNED = {0x05, 0x06}  # DW_ATE_signed, _signed_char
_CHARS = {0x06, 0x08, 0x10}  # DW_ATE_signed_char, _unsigned_char, _UTF


class DwarfReader:
    """Makes types from the .debug_* sections of an image; a `TypeReader`.

    Args:
        where: name of the image, for messages.
        sections: bytes by section name.

    Raises:
        BadImage: there is no debug information, or it is malformed.
    """

    def __init__(self, where: str, sections: dict[str, bytes]) -> None:
        if not sections.get(".debug_info"):
            raise BadImage(f"{where}: has no debug information: build with -g")
        self._where = where
        self._index = Index(where, sections)
        self._parsed: dict[int, Type] = {}
        self._makers: dict[str, Callable[[DIE, int], Type]] = {
            "DW_TAG_base_type": self._base,
            "DW_TAG_pointer_type": self._pointer,
            "DW_TAG_array_type": self._array,
            "DW_TAG_enumeration_type": self._enum,
            "DW_TAG_structure_type": self._struct,
            "DW_TAG_union_type": self._struct,
            "DW_TAG_class_type": self._struct,
        }

    def type_named(self, name: str) -> Type | None:
        """Return the type C calls `name`, or None; BadImage if malformed."""
        die = self._index.types.get(name)
        with self._guard():
            return None if die is None else self._parse(die, 0)

    def variable(self, name: str) -> Type | None:
        """Return the type of the global variable `name`, or None; BadImage if malformed."""
        die = self._index.variables.get(name)
        with self._guard():
            return None if die is None else self._type_of(die, 0)

    def type_names(self) -> Iterable[str]:
        """Return the names of all types: "struct task", "unsigned long", "u64"."""
        return self._index.types

    def variable_names(self) -> Iterable[str]:
        """Return the names of all global variables."""
        return self._index.variables

    def _guard(self) -> AbstractContextManager[None]:
        return malformed_is_bad(self._where)

    def _type_of(self, die: DIE, depth: int) -> Type:
        """Return the type of an entry by its DW_AT_type; void without one."""
        for attribute in ("DW_AT_type", "DW_AT_specification"):
            if attribute in die.attributes:
                target = die.get_DIE_from_attribute(attribute)
                return self._parse(target, depth + 1)
        return VoidType("void", 0)

    def _parse(self, die: DIE, depth: int) -> Type:
        """Return the type an entry describes."""
        if depth > MAX_DEPTH:
            raise self._bad(f"nests over {MAX_DEPTH} types")
        if die.tag in _STRIPPED or die.tag == "DW_TAG_variable":
            return self._type_of(die, depth)
        if die.offset not in self._parsed:
            make = self._makers.get(str(die.tag))
            self._parsed[die.offset] = make(die, depth) if make else VoidType("function", 0)
        return self._parsed[die.offset]

    def _size(self, die: DIE) -> int:
        size = entry.number(die, "DW_AT_byte_size")
        if not 0 <= size <= MAX_TYPE_SIZE:
            raise self._bad(f"has a type of {size} bytes")
        return size

    def _base(self, die: DIE, _depth: int) -> Type:
        size, encoding = self._size(die), entry.number(die, "DW_AT_encoding")
        if encoding in _FLOATS:
            return FloatType(entry.name(die), size)
        if size > 16:
            raise self._bad(f"has an integer of {size} bytes")
        return IntType(entry.name(die), size, encoding in _SIGNED, encoding in _CHARS)

    def _pointer(self, die: DIE, _depth: int) -> PointerType:
        target, stars = die, "*"
        for _ in range(MAX_DEPTH):  # to the name of what it points to
            if "DW_AT_type" not in target.attributes:
                break
            target = target.get_DIE_from_attribute("DW_AT_type")
            if target.tag == "DW_TAG_pointer_type":
                stars += "*"
            elif target.tag not in _STRIPPED:
                break
        name = _POINTED.get(str(target.tag), "void")
        if target.tag in entry.AGGREGATES or target.tag == "DW_TAG_base_type":
            name = entry.full_name(target)

        def find() -> Type:
            with self._guard():
                return self._type_of(die, 0)

        return PointerType(f"{name} {stars}", self._size(die) or 8, find)

    def _array(self, die: DIE, depth: int) -> Type:
        found = element = self._type_of(die, depth)
        counts = [
            entry.count(child)
            for child in entry.children(die)
            if child.tag == "DW_TAG_subrange_type"
        ]
        if len(counts) > MAX_DEPTH:
            raise self._bad("has an array of too many dimensions")
        dimensions = ""
        for count in reversed(counts or [0]):
            size = found.size * count
            if not 0 <= size <= MAX_TYPE_SIZE or count < 0:
                raise self._bad(f"has an array of {count} elements")
            dimensions = f"[{count or ''}]{dimensions}"
            found = ArrayType(f"{element.name}{dimensions}", size, found, count)
        return found

    def _enum(self, die: DIE, _depth: int) -> EnumType:
        values = tuple(
            (entry.number(child, "DW_AT_const_value"), entry.name(child))
            for child in entry.children(die)
            if child.tag == "DW_TAG_enumerator"
        )
        signed = any(value < 0 for value, _ in values)
        return EnumType(entry.full_name(die), min(self._size(die), 16), signed, values)

    def _struct(self, die: DIE, depth: int) -> Type:
        name, size = entry.full_name(die), self._size(die)
        if "DW_AT_declaration" in die.attributes:
            whole = self._index.types.get(name)
            return VoidType(name, 0) if whole is None else self._parse(whole, depth + 1)
        members: list[Member] = []
        for child in entry.children(die):
            if child.tag != "DW_TAG_member":
                continue
            member = self._member(child, depth)
            if member.offset < 0 or member.offset + member.size > size:
                raise self._bad(f"has member {member.name!r} outside {name}")
            members.append(member)
            if len(members) > MAX_MEMBERS:
                raise self._bad(f"has over {MAX_MEMBERS} members in {name}")
        return StructType(name, size, tuple(members))

    def _member(self, die: DIE, depth: int) -> Member:
        kind, name = self._type_of(die, depth), entry.name(die)
        offset = entry.number(die, "DW_AT_data_member_location")
        width = entry.number(die, "DW_AT_bit_size")
        if not width:
            return Member(name, offset, kind.size, kind)
        first = entry.number(die, "DW_AT_data_bit_offset", -1)
        if first < 0:  # DWARF 3: counted from the most significant bit of the storage
            storage = entry.number(die, "DW_AT_byte_size") or kind.size
            first = 8 * (offset + storage) - entry.number(die, "DW_AT_bit_offset") - width
        if not 0 < width <= 64 or first < 0:
            raise self._bad(f"has a malformed bitfield {name!r}")
        size = (first % 8 + width + 7) // 8
        return Member(name, first // 8, size, kind, first % 8, width)

    def _bad(self, message: str) -> BadImage:
        return BadImage(f"{self._where}: debug information {message}")
