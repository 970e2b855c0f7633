"""Values of attributes, by their form. Source: DWARF 5, sections 7.5.4 to 7.5.6.

A value is an integer, bytes (a block or expression) or text (only DW_FORM_string); what an integer
means, an offset of a string or of another entry, the form says and `dwarf_entry` knows.
"""

from collections.abc import Callable

from emu.image import dwarf_names as dw
from emu.image.cursor import Cursor, Malformed

Value = int | bytes | str

BY_ADDRESS = -1
BY_OFFSET = -2

SIZES: dict[int, int] = {
    dw.DW_FORM_addr: BY_ADDRESS,
    dw.DW_FORM_data1: 1,
    dw.DW_FORM_data2: 2,
    dw.DW_FORM_data4: 4,
    dw.DW_FORM_data8: 8,
    dw.DW_FORM_data16: 16,
    dw.DW_FORM_flag: 1,
    dw.DW_FORM_flag_present: 0,
    dw.DW_FORM_implicit_const: 0,
    dw.DW_FORM_ref1: 1,
    dw.DW_FORM_ref2: 2,
    dw.DW_FORM_ref4: 4,
    dw.DW_FORM_ref8: 8,
    dw.DW_FORM_ref_sig8: 8,
    dw.DW_FORM_ref_sup4: 4,
    dw.DW_FORM_ref_sup8: 8,
    dw.DW_FORM_ref_addr: BY_OFFSET,
    dw.DW_FORM_sec_offset: BY_OFFSET,
    dw.DW_FORM_strp: BY_OFFSET,
    dw.DW_FORM_line_strp: BY_OFFSET,
    dw.DW_FORM_strp_sup: BY_OFFSET,
    dw.DW_FORM_GNU_ref_alt: BY_OFFSET,
    dw.DW_FORM_GNU_strp_alt: BY_OFFSET,
    dw.DW_FORM_strx1: 1,
    dw.DW_FORM_strx2: 2,
    dw.DW_FORM_strx3: 3,
    dw.DW_FORM_strx4: 4,
    dw.DW_FORM_addrx1: 1,
    dw.DW_FORM_addrx2: 2,
    dw.DW_FORM_addrx3: 3,
    dw.DW_FORM_addrx4: 4,
}
"""Bytes of the forms that always have the same; BY_ADDRESS, BY_OFFSET: those of the unit."""

VARYING: dict[int, Callable[[Cursor], Value]] = {
    dw.DW_FORM_block1: lambda at: at.take(at.uint(1)),
    dw.DW_FORM_block2: lambda at: at.take(at.uint(2)),
    dw.DW_FORM_block4: lambda at: at.take(at.uint(4)),
    dw.DW_FORM_block: lambda at: at.take(at.uleb()),
    dw.DW_FORM_exprloc: lambda at: at.take(at.uleb()),
    dw.DW_FORM_string: Cursor.text,
    dw.DW_FORM_sdata: Cursor.sleb,
    dw.DW_FORM_udata: Cursor.uleb,
    dw.DW_FORM_ref_udata: Cursor.uleb,
    dw.DW_FORM_strx: Cursor.uleb,
    dw.DW_FORM_addrx: Cursor.uleb,
    dw.DW_FORM_loclistx: Cursor.uleb,
    dw.DW_FORM_rnglistx: Cursor.uleb,
}
"""How the other forms are read; DW_FORM_indirect says its form in front of the value."""


def fixed_size(form: int, address_size: int, offset_size: int) -> int | None:
    """Return the bytes of a form in a unit with these sizes, None if the value says how many."""
    size = SIZES.get(form)
    if size is None:
        return None
    return address_size if size == BY_ADDRESS else offset_size if size == BY_OFFSET else size


def read(at: Cursor, form: int, address_size: int, offset_size: int) -> tuple[int, Value]:
    """Return (form, value) of the next attribute, DW_FORM_indirect resolved."""
    if form == dw.DW_FORM_indirect:
        form = at.uleb()
    size = fixed_size(form, address_size, offset_size)
    if size is not None and form != dw.DW_FORM_implicit_const:
        return form, at.uint(size) if size else 1  # DW_FORM_flag_present is true
    if form not in VARYING:
        raise Malformed(f"an attribute of form {form:#x}")
    return form, VARYING[form](at)
