"""Base types: what the bytes of a number mean. Source: DWARF 5, section 7.8; gcc's own names.

DWARF tells no x87 format from IEEE's of 16 bytes, and no bfloat from a half; gcc's names do.
"""

from emu.image import dwarf_names as dw
from emu.image.c_types import FloatType, IntType, Type
from emu.image.cursor import Malformed

_SIGNED = (dw.DW_ATE_signed, dw.DW_ATE_signed_char)
_CHARS = (dw.DW_ATE_signed_char, dw.DW_ATE_unsigned_char, dw.DW_ATE_UTF)
_FLOATS = (dw.DW_ATE_float, dw.DW_ATE_complex_float, dw.DW_ATE_imaginary_float)
_X87 = ("long double", "_Float64x", "__float80")
_MAX_INTEGER, _MAX_FLOAT = 16, 32


def base_type(name: str, size: int, encoding: int) -> Type:
    """Return the type DW_TAG_base_type describes; Malformed if no base type is that large."""
    if encoding == dw.DW_ATE_decimal_float:
        return FloatType(name, size, "decimal")
    if encoding in _FLOATS:
        if size > _MAX_FLOAT:
            raise Malformed(f"a floating-point number of {size} bytes")
        parts = 2 if encoding == dw.DW_ATE_complex_float else 1
        return FloatType(name, size, float_format(name), parts)
    if encoding == dw.DW_ATE_lo_user and "complex" in name:  # GNU C: _Complex int
        return FloatType(name, size, "integer", 2)
    if size > _MAX_INTEGER:
        raise Malformed(f"an integer of {size} bytes")
    is_bool = encoding == dw.DW_ATE_boolean
    return IntType(name, size, encoding in _SIGNED, encoding in _CHARS, is_bool)


def float_format(name: str) -> str:
    """Return the format of a floating-point type that gcc calls `name`."""
    if "bf16" in name:
        return "bfloat"
    plain = name.removeprefix("complex ").removeprefix("_Complex ")
    return "x87" if plain in _X87 else "ieee"
