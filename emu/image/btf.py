"""Types from BTF, the debug information that a stock Linux kernel carries with it.

What it does not have: variables but per-CPU ones, addresses, source files. So `Types` is told the
type of a variable by others. A flexible array and one of no elements look the same, and count as
flexible. A declaration without a definition is void. Tags (DECL_TAG, TYPE_TAG) say nothing about
layout and are passed over. Sources: Linux include/uapi/linux/btf.h, Documentation/bpf/btf.rst.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from emu.image import btf_section as btf
from emu.image.btf_index import BtfIndex
from emu.image.btf_section import BtfSection, Record
from emu.image.c_types import (
    EnumType,
    FloatType,
    FunctionType,
    IntType,
    Member,
    Parameter,
    Spelling,
    StructType,
    Type,
    VoidType,
)
from emu.image.cursor import Malformed, malformed_is_bad
from emu.image.dwarf_base import float_format
from emu.image.type_maker import TypeMaker, array, bitfield, checked_size, function, structure
from emu.image.types import Variable

_POINTER_SIZE = 8
_MAX_INTEGER, _MAX_ENUM, _MAX_FLOAT = 16, 8, 32
_SIGNED, _CHAR, _BOOL = 1, 2, 4
_CHARS = ("char", "signed char", "unsigned char")  # pahole does not say which integers are
_NAMES_ANOTHER = (
    btf.KIND_TYPEDEF, btf.KIND_VOLATILE, btf.KIND_CONST, btf.KIND_RESTRICT, btf.KIND_TYPE_TAG,
)  # fmt: skip


class BtfReader(TypeMaker):
    """Makes types from a .BTF section; a `TypeReader`.

    Args:
        where: name of the image or module, for messages.
        section: bytes of the section.
        base: the kernel's, for the section of a module (split BTF).

    Raises:
        BadImage: it is malformed.
    """

    _index: BtfIndex

    def __init__(self, where: str, section: bytes, base: "BtfReader | None" = None) -> None:
        super().__init__(where)
        with malformed_is_bad(where, "BTF"):
            self._section = BtfSection(section, base.section if base else None)
        self._index = BtfIndex(where, self._section, base.index if base else None)
        self._makers: dict[int, Callable[[Record, int, bool], Type]] = {
            btf.KIND_INT: self._integer,
            btf.KIND_PTR: self._pointer,
            btf.KIND_ARRAY: self._array,
            btf.KIND_STRUCT: self._struct,
            btf.KIND_UNION: self._struct,
            btf.KIND_ENUM: self._enum,
            btf.KIND_ENUM64: self._enum,
            btf.KIND_FWD: self._forward,
            btf.KIND_TYPEDEF: self._typedef,
            btf.KIND_VOLATILE: partial(self._qualified, "volatile"),
            btf.KIND_CONST: partial(self._qualified, "const"),
            btf.KIND_RESTRICT: partial(self._qualified, "restrict"),
            btf.KIND_TYPE_TAG: self._same,
            btf.KIND_FUNC: self._same,
            btf.KIND_VAR: self._same,
            btf.KIND_FUNC_PROTO: self._function,
            btf.KIND_FLOAT: self._float,
        }

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer."""
        return _POINTER_SIZE

    @property
    def section(self) -> BtfSection:
        """The records, on which those of a module build."""
        return self._section

    @property
    def index(self) -> BtfIndex:
        """The names, as `section`."""
        return self._index

    def variables(self, name: str) -> tuple[Variable, ...]:
        """Return the variables called `name`, those of the module first; none has an address."""
        return tuple(map(self._variable, self._index.variables.get(name, ())))

    def variable_at(self, address: int) -> None:
        """Return None: BTF has no addresses."""

    def _variable(self, number: int) -> Variable:
        with malformed_is_bad(self._where, "BTF"):
            record = self._section.record(number)
        is_global = record.more[0] != 0
        return Variable(record.name, None, "", "", is_global, partial(self._type_at, number))

    def _made(self, place: int, depth: int, *, sketch: bool) -> Type:
        if place == 0:
            return VoidType("void", 0)
        record = self._section.record(place)
        make = self._makers.get(record.kind)
        if make is None:
            raise Malformed(f"type {place} is of kind {record.kind}, which is no type of C")
        return make(record, depth, sketch)

    def _integer(self, record: Record, _depth: int, _sketch: bool) -> IntType:
        encoding, size = record.more[0] >> 24 & 0xF, record.value
        if not 0 < size <= _MAX_INTEGER:
            raise Malformed(f"an integer of {size} bytes")
        is_char = bool(encoding & _CHAR) or record.name in _CHARS
        return IntType(record.name, size, bool(encoding & _SIGNED), is_char, bool(encoding & _BOOL))

    def _float(self, record: Record, _depth: int, _sketch: bool) -> FloatType:
        name, size = record.name, record.value
        if size > _MAX_FLOAT:
            raise Malformed(f"a floating-point number of {size} bytes")
        form = "decimal" if name.startswith("_Decimal") else float_format(name)
        return FloatType(name, size, form, 2 if "omplex " in name else 1)

    def _pointer(self, record: Record, _depth: int, sketch: bool) -> Type:
        return self._pointer_to(record.value, _POINTER_SIZE, sketch=sketch)

    def _array(self, record: Record, depth: int, sketch: bool) -> Type:
        element, _, count = record.more
        found = self._parse(element, depth + 1, sketch=sketch)
        drawn = self._parse(element, depth + 1, sketch=True)
        return array(found, drawn, [count or None], vector=False, sketch=sketch)

    def _struct(self, record: Record, depth: int, sketch: bool) -> Type:
        tag = "union" if record.kind == btf.KIND_UNION else "struct"
        name = f"{tag} {record.name or '(anonymous)'}"
        if sketch:
            return StructType(name, 0, ())
        return structure(name, checked_size(record.value), self._members(record, depth))

    def _members(self, record: Record, depth: int) -> Iterator[Member]:
        for at, number, offset in record.parts():
            name, kind = self._section.string(at), self._parse(number, depth + 1, sketch=False)
            first, width = (offset & 0xFFFFFF, offset >> 24) if record.flag else (offset, 0)
            if not record.flag:
                start, width = self._bits(number)
                first += start
            if width:
                yield bitfield(name, first, width, kind)
            elif first % 8:
                raise Malformed(f"member {name!r} begins within a byte")
            else:
                yield Member(name, first // 8, kind.size, kind)

    def _bits(self, number: int) -> tuple[int, int]:
        """Return (first, width) of the bits an integer uses of its bytes; (0, 0) if all.

        Bitfields had integers of their own, before kind_flag.
        """
        while number:
            record = self._section.record(number)
            if record.kind == btf.KIND_INT:
                start, width = record.more[0] >> 16 & 0xFF, record.more[0] & 0xFF
                return (start, width) if start or width != 8 * record.value else (0, 0)
            if record.kind not in _NAMES_ANOTHER:
                break
            number = record.value
        return 0, 0

    def _enum(self, record: Record, _depth: int, _sketch: bool) -> EnumType:
        if record.value > _MAX_ENUM:
            raise Malformed(f"an enumeration of {record.value} bytes")
        signed, wide = record.flag or not self._index.tells_signs, record.kind == btf.KIND_ENUM64
        bits = 64 if wide else 32
        values = []
        for at, low, *high in record.parts():
            value = low | sum(high) << 32
            negative = signed and value >> (bits - 1)
            values.append((value - (1 << bits) if negative else value, self._section.string(at)))
        if not self._index.tells_signs:
            signed = any(value < 0 for value, _ in values)
        name = f"enum {record.name or '(anonymous)'}"
        return EnumType(name, record.value, signed, tuple(values))

    def _forward(self, record: Record, depth: int, sketch: bool) -> Type:
        """Return the definition that has the name of a declaration, else something like void."""
        name = f"{'union' if record.flag else 'struct'} {record.name}"
        number = self._index.types.get(name)
        if sketch:
            return StructType(name, 0, ())
        return VoidType(name, 0) if number is None else self._parse(number, depth + 1, sketch=False)

    def _typedef(self, record: Record, depth: int, sketch: bool) -> Type:
        of = self._parse(record.value, depth + 1, sketch=sketch)
        return replace(of, spelled=Spelling("typedef", record.name, of))

    def _qualified(self, keyword: str, record: Record, depth: int, sketch: bool) -> Type:
        of = self._parse(record.value, depth + 1, sketch=sketch)
        return replace(of, spelled=Spelling(keyword, "", of))  # type: ignore[arg-type]

    def _same(self, record: Record, depth: int, sketch: bool) -> Type:
        return self._parse(record.value, depth + 1, sketch=sketch)

    def _function(self, record: Record, depth: int, sketch: bool) -> FunctionType:
        result = self._parse(record.value, depth + 1, sketch=sketch)
        parts = record.parts()
        variadic = bool(parts) and not any(parts[-1])
        parameters = [
            Parameter(self._section.string(at), self._parse(number, depth + 1, sketch=sketch))
            for at, number in parts[: len(parts) - variadic]
        ]
        drawn = None if sketch else self._function(record, depth, sketch=True)
        return function(result, parameters, drawn, variadic=variadic)
