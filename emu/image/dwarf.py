"""Types from DWARF 2 to 5, as gcc writes it for C.

Names are indexed in one pass (`dwarf_index`); a type is parsed when it is asked for, once. Nesting
and sizes are bounded, and the only error is BadImage. Type units (-fdebug-types-section) and
partial units (dwz, -flto) are read; split (-gsplit-dwarf) and supplementary files (dwz -m) are
refused. Sources: DWARF 5, sections 5 (types) and 7.5; DWARF 3, section 5.6.6 for DW_AT_bit_offset.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from emu.errors import BadImage
from emu.image import dwarf_names as dw
from emu.image.c_types import (
    EnumType,
    FunctionType,
    Member,
    Parameter,
    PointerType,
    Spelling,
    StructType,
    Type,
    VoidType,
)
from emu.image.cursor import Cursor, Malformed, malformed_is_bad
from emu.image.dwarf_base import base_type
from emu.image.dwarf_entry import Entries, Entry
from emu.image.dwarf_index import Found, Index
from emu.image.type_maker import TypeMaker, array, bitfield, checked_size, function, structure
from emu.image.types import Variable

_QUALIFIERS = {
    dw.DW_TAG_const_type: "const",
    dw.DW_TAG_volatile_type: "volatile",
    dw.DW_TAG_restrict_type: "restrict",
    dw.DW_TAG_atomic_type: "_Atomic",
}
_ALL_ONES = (-1, 2**32 - 1, 2**64 - 1)


class DwarfReader(TypeMaker):
    """Makes types from the .debug_* sections of an image; a `TypeReader`.

    Args:
        where: name of the image, for messages.
        sections: bytes by section name.

    Raises:
        BadImage: there is no debug information, or it is malformed.
    """

    _index: Index

    def __init__(self, where: str, sections: dict[str, bytes]) -> None:
        if not sections.get(".debug_info"):
            raise BadImage(f"{where}: has no debug information: build with -g")
        super().__init__(where)
        with malformed_is_bad(where):
            self._entries = Entries(sections)
            self._index = Index(self._entries)
        self._makers: dict[int, Callable[[Entry, int, bool], Type]] = {
            dw.DW_TAG_base_type: self._base,
            dw.DW_TAG_pointer_type: self._pointer,
            dw.DW_TAG_reference_type: self._pointer,
            dw.DW_TAG_rvalue_reference_type: self._pointer,
            dw.DW_TAG_array_type: self._array,
            dw.DW_TAG_enumeration_type: self._enum,
            dw.DW_TAG_structure_type: self._struct,
            dw.DW_TAG_union_type: self._struct,
            dw.DW_TAG_class_type: self._struct,
            dw.DW_TAG_subroutine_type: self._function,
            dw.DW_TAG_subprogram: self._function,
            dw.DW_TAG_typedef: self._typedef,
            **dict.fromkeys(_QUALIFIERS, self._qualified),
        }

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer."""
        units = self._entries.units
        return units[0].address_size if units else 8

    def variables(self, name: str) -> tuple[Variable, ...]:
        """Return the variables called `name`, the best one first."""
        return tuple(self._variable(name, found) for found in self._index.variables.get(name, ()))

    def variable_at(self, address: int) -> Variable | None:
        """Return the variable that begins at a link address, or None."""
        found = self._index.at.get(address)
        return None if found is None else self._variable(*found)

    def _variable(self, name: str, found: Found) -> Variable:
        return Variable(
            name, found.address, found.file, found.function, found.is_global,
            partial(self._type_at, found.offset),
        )  # fmt: skip

    def _made(self, place: int, depth: int, *, sketch: bool) -> Type:
        """Make the type that the entry at an offset is, or has."""
        entry = self._entries.at(place)
        make = self._makers.get(entry.tag)
        if make is not None:
            return make(entry, depth, sketch)
        if entry.tag == dw.DW_TAG_unspecified_type:  # nullptr_t, and void of some compilers
            return VoidType(self._entries.name(entry) or "void", 0)
        if entry.tag != dw.DW_TAG_variable:
            raise Malformed(f"a type of kind {entry.tag:#x}, which is not one of C")
        return self._type_of(entry, depth, sketch=sketch)

    def _type_of(self, entry: Entry, depth: int, *, sketch: bool) -> Type:
        """Return the type of an entry by its DW_AT_type; void without one."""
        for attribute in (dw.DW_AT_type, dw.DW_AT_specification, dw.DW_AT_abstract_origin):
            target = self._entries.reference(entry, attribute)
            if target is not None:
                return self._parse(target.offset, depth + 1, sketch=sketch)
        return VoidType("void", 0)

    def _size(self, entry: Entry) -> int:
        return checked_size(entry.number(dw.DW_AT_byte_size))

    def _base(self, entry: Entry, _depth: int, _sketch: bool) -> Type:
        encoding = entry.number(dw.DW_AT_encoding)
        return base_type(self._entries.name(entry), self._size(entry), encoding)

    def _typedef(self, entry: Entry, depth: int, sketch: bool) -> Type:
        of = self._type_of(entry, depth, sketch=sketch)
        return replace(of, spelled=Spelling("typedef", self._entries.name(entry), of))

    def _qualified(self, entry: Entry, depth: int, sketch: bool) -> Type:
        of = self._type_of(entry, depth, sketch=sketch)
        return replace(of, spelled=Spelling(_QUALIFIERS[entry.tag], "", of))  # type: ignore[arg-type]

    def _pointer(self, entry: Entry, _depth: int, sketch: bool) -> PointerType:
        target = self._entries.reference(entry, dw.DW_AT_type)
        size = self._size(entry) or entry.unit.address_size
        return self._pointer_to(None if target is None else target.offset, size, sketch=sketch)

    def _array(self, entry: Entry, depth: int, sketch: bool) -> Type:
        found = self._type_of(entry, depth, sketch=sketch)
        drawn = self._type_of(entry, depth, sketch=True)
        counts = [
            self._count(child)
            for child in self._entries.children(entry)
            if child.tag == dw.DW_TAG_subrange_type
        ] or [None]
        vector = dw.DW_AT_GNU_vector in entry
        return array(found, drawn, counts, vector=vector, sketch=sketch)

    def _count(self, entry: Entry) -> int | None:
        """Return the number of elements of one dimension; None if it is not fixed."""
        form, count = entry.attributes.get(dw.DW_AT_count, (0, None))
        if isinstance(count, int):
            if count < 0:
                raise Malformed(f"an array of {count} elements")
            # a reference: the bound is a variable
            return None if dw.DW_FORM_ref_addr <= form <= dw.DW_FORM_ref_udata else count
        form, bound = entry.attributes.get(dw.DW_AT_upper_bound, (0, None))
        if not isinstance(bound, int) or dw.DW_FORM_ref_addr <= form <= dw.DW_FORM_ref_udata:
            return None  # flexible, or of variable length
        # gcc writes the bound of an array of no elements as -1, or as all ones
        return 0 if bound in _ALL_ONES else bound + 1

    def _enum(self, entry: Entry, depth: int, _sketch: bool) -> EnumType:
        values = tuple(
            (child.number(dw.DW_AT_const_value), self._entries.name(child))
            for child in self._entries.children(entry)
            if child.tag == dw.DW_TAG_enumerator
        )
        signed = any(value < 0 for value, _ in values)
        size = self._size(entry)
        if dw.DW_AT_type in entry:
            of = self._type_of(entry, depth, sketch=True)
            size, signed = size or of.size, getattr(of, "signed", signed)
        if size > 16:
            raise Malformed(f"an enumeration of {size} bytes")
        return EnumType(self._entries.full_name(entry), size, signed, values)

    def _struct(self, entry: Entry, depth: int, sketch: bool) -> Type:
        name, size = self._entries.full_name(entry), self._size(entry)
        if dw.DW_AT_declaration in entry:
            return self._declared(entry, name, depth, sketch=sketch)
        if sketch:
            return StructType(name, 0, ())
        members = (
            self._member(child, depth)
            for child in self._entries.children(entry)
            if child.tag == dw.DW_TAG_member
        )
        return structure(name, size, members)

    def _declared(self, entry: Entry, name: str, depth: int, *, sketch: bool) -> Type:
        """Return the type of a structure that is only declared here: the one of that name."""
        whole = self._entries.reference(entry, dw.DW_AT_signature)  # in a type unit
        offset = self._index.types.get(name) if whole is None else whole.offset
        if offset is None or sketch:
            return StructType(name, 0, ()) if sketch else VoidType(name, 0)
        return self._parse(offset, depth + 1, sketch=sketch)

    def _member(self, entry: Entry, depth: int) -> Member:
        kind = self._type_of(entry, depth, sketch=False)
        name, offset = self._entries.name(entry), _member_offset(entry)
        width = entry.number(dw.DW_AT_bit_size)
        if dw.DW_AT_bit_size not in entry:
            return Member(name, offset, kind.size, kind)
        if dw.DW_AT_data_bit_offset in entry:
            first = entry.number(dw.DW_AT_data_bit_offset)
        else:  # DWARF 2 and 3: counted from the most significant bit of the storage
            storage = entry.number(dw.DW_AT_byte_size) or kind.size
            first = 8 * (offset + storage) - entry.number(dw.DW_AT_bit_offset) - width
        return bitfield(name, first, width, kind)

    def _function(self, entry: Entry, depth: int, sketch: bool) -> FunctionType:
        origin = self._entries.reference(entry, dw.DW_AT_abstract_origin) or entry
        result = self._type_of(origin, depth, sketch=sketch)
        parameters: list[Parameter] = []
        variadic = False
        for child in self._entries.children(origin):
            if child.tag == dw.DW_TAG_formal_parameter:
                kind = self._type_of(child, depth, sketch=sketch)
                parameters.append(Parameter(self._entries.name(child), kind))
            variadic = variadic or child.tag == dw.DW_TAG_unspecified_parameters
        drawn = None if sketch else self._parse(entry.offset, depth + 1, sketch=True)
        return function(result, parameters, drawn, variadic=variadic)


def _member_offset(entry: Entry) -> int:
    """Return DW_AT_data_member_location; DWARF 2 writes it as an expression."""
    expression = entry.expression(dw.DW_AT_data_member_location)
    if expression is None:
        return entry.number(dw.DW_AT_data_member_location)
    at = Cursor(expression)
    if at.uint(1) != dw.DW_OP_plus_uconst:
        raise Malformed("a member whose place is computed")
    return at.uleb()
