"""Debug information that would keep a reader busy, or make it lie, is refused or cut."""

import pytest

from emu.errors import BadImage
from emu.image import dwarf_names as dw
from emu.image.dwarf import DwarfReader
from emu.image.lines import Lines
from emu.image.types import StructType, Types
from tests.image.dwarf_builder import BYTE, REF, TEXT, WORD, Unit, line_program

NAME, SIZE, TYPE, PLACE = (
    dw.DW_AT_name,
    dw.DW_AT_byte_size,
    dw.DW_AT_type,
    dw.DW_AT_data_member_location,
)


def reader(unit: Unit) -> DwarfReader:
    return DwarfReader("k.elf", unit.sections())


def test_functions_that_take_functions_twice_each_have_a_short_name() -> None:
    """Written out, the name has two to the power of 60 parts."""
    unit = Unit()
    function = unit.add(dw.DW_TAG_subroutine_type)
    for _ in range(60):
        pointer = unit.add(dw.DW_TAG_pointer_type, (TYPE, REF, function))
        function = unit.add(dw.DW_TAG_subroutine_type, children=True)
        for _ in range(2):
            unit.add(dw.DW_TAG_formal_parameter, (TYPE, REF, pointer))
        unit.end()
    pointer = unit.add(dw.DW_TAG_pointer_type, (TYPE, REF, function))
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "f"), (TYPE, REF, pointer))
    unit.end()
    found = reader(unit).type_named("f")
    assert found is not None
    assert "..." in found.name
    assert len(found.name) < 10_000


def test_anonymous_structures_in_each_other_are_counted_with_their_members() -> None:
    unit = Unit()
    inner = unit.add(dw.DW_TAG_structure_type, (SIZE, BYTE, 0))
    for _ in range(40):
        outer = unit.add(dw.DW_TAG_structure_type, (SIZE, BYTE, 0), children=True)
        for _ in range(2):
            unit.add(dw.DW_TAG_member, (TYPE, REF, inner))
        unit.end()
        inner = outer
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "t"), (TYPE, REF, inner))
    unit.end()
    with pytest.raises(BadImage, match="over 100000 members"):
        reader(unit).type_named("t")


def test_structures_whose_ends_are_missing_are_not_read_for_ever() -> None:
    """Each reaches to the end of the file, so reading all reads all, each time."""
    unit = Unit()
    for number in range(4000):
        unit.add(dw.DW_TAG_structure_type, (NAME, TEXT, f"s{number}"), (SIZE, BYTE, 0),
                 children=True)  # fmt: skip
    types = Types(reader(unit))
    with pytest.raises(BadImage, match="nest without end"):
        _ = [types[name] for name in types.names()]


def test_a_pointer_to_itself_has_a_name() -> None:
    unit = Unit()
    at = unit.at
    assert unit.add(dw.DW_TAG_pointer_type, (TYPE, REF, at)) == at
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "p"), (TYPE, REF, at))
    unit.end()
    found = reader(unit).type_named("p")
    assert found is not None
    assert len(found.name) < 1000


@pytest.mark.parametrize("tag", [dw.DW_TAG_typedef, dw.DW_TAG_const_type])
def test_a_name_for_itself_is_refused(tag: int) -> None:
    unit = Unit()
    at = unit.at
    unit.add(tag, (NAME, TEXT, "t"), (TYPE, REF, at))
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "u"), (TYPE, REF, at))
    unit.end()
    with pytest.raises(BadImage, match="contains itself"):
        reader(unit).type_named("u")


def test_an_array_of_more_than_memory_is_refused() -> None:
    unit = Unit()
    number = unit.add(dw.DW_TAG_base_type, (NAME, TEXT, "int"), (SIZE, BYTE, 4),
                      (dw.DW_AT_encoding, BYTE, 5))  # fmt: skip
    array = unit.add(dw.DW_TAG_array_type, (TYPE, REF, number), children=True)
    for _ in range(2):
        unit.add(dw.DW_TAG_subrange_type, (dw.DW_AT_count, WORD, 1 << 32))
    unit.end()
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "t"), (TYPE, REF, array))
    unit.end()
    with pytest.raises(BadImage, match="array of 4294967296 elements"):
        reader(unit).type_named("t")


def test_a_member_outside_its_structure_is_refused() -> None:
    unit = Unit()
    number = unit.add(dw.DW_TAG_base_type, (NAME, TEXT, "int"), (SIZE, BYTE, 4),
                      (dw.DW_AT_encoding, BYTE, 5))  # fmt: skip
    for name, place in (("fits", 4), ("juts", 5)):
        unit.add(dw.DW_TAG_structure_type, (NAME, TEXT, name), (SIZE, BYTE, 8), children=True)
        unit.add(dw.DW_TAG_member, (NAME, TEXT, "m"), (TYPE, REF, number), (PLACE, BYTE, place))
        unit.end()
    unit.end()
    assert isinstance(reader(unit).type_named("struct fits"), StructType)
    with pytest.raises(BadImage, match="member 'm' outside struct juts"):
        reader(unit).type_named("struct juts")


def test_what_is_refused_once_is_refused_again() -> None:
    unit = Unit()
    unit.add(dw.DW_TAG_typedef, (NAME, TEXT, "t"), (TYPE, REF, 5))
    unit.end()
    found = reader(unit)
    for _ in range(2):
        with pytest.raises(BadImage, match="no entry at 0x5"):
            found.type_named("t")


def test_split_and_supplementary_debug_information_is_refused_by_name() -> None:
    unit = Unit()
    unit.add(dw.DW_TAG_typedef, (NAME, dw.DW_FORM_GNU_strp_alt, b"\0\0\0\0"))
    unit.end()
    with pytest.raises(BadImage, match="dwz -m"):
        reader(unit)
    skeleton = b"\x05\0" + bytes([dw.DW_UT_skeleton, 8]) + bytes(12)
    info = len(skeleton).to_bytes(4, "little") + skeleton
    with pytest.raises(BadImage, match="build without -gsplit-dwarf"):
        DwarfReader("k.elf", {".debug_info": info, ".debug_abbrev": b"\0"})


def test_tables_of_abbreviations_that_overlap_are_refused() -> None:
    """Each of many units begins its table a little later in the same long one."""
    table = b"\x01\x11\x00\x00\x00" * 2000 + b"\0"
    info = b"".join(
        (8).to_bytes(4, "little") + b"\x04\0" + (5 * at).to_bytes(4, "little") + b"\x08\x01"
        for at in range(2000)
    )
    with pytest.raises(BadImage, match="overlap"):
        DwarfReader("k.elf", {".debug_info": info, ".debug_abbrev": table})


def test_a_name_is_not_looked_through_for_its_end() -> None:
    strings = b"\0" + b"n" * 10_000 + b"\0without an end"

    def names(at: int) -> list[str]:
        unit = Unit()
        unit.add(dw.DW_TAG_typedef, (NAME, dw.DW_FORM_strp, at.to_bytes(4, "little")))
        unit.end()
        return list(DwarfReader("k.elf", unit.sections() | {".debug_str": strings}).type_names())

    assert names(1) == ["n" * 4096]
    with pytest.raises(BadImage, match=r"a name at 0x2712 of \.debug_str"):
        names(10_002)


@pytest.mark.parametrize(
    ("version", "header"),
    [
        (5, b"\x01\x01\x01\xfb\x0e\x01" + b"\x00" + b"\xff" * 8 + b"\x7f"),  # 2**63 directories
        (5, b"\x01\x01\x01\xfb\x0e\x01" + b"\x02\x03\x19\x03\x19\x09" + bytes(10)),  # of nothing
        (4, b"\x01\x01\x01\xfb\x0e\x01" + b"a\0" * 10_001 + b"\0\0"),
        (4, b"\x01\x01\x01\xfb\x0e\x01" + b"name"),  # of which the name has no end
        (9, b""),
    ],
)
def test_headers_of_lines_are_bounded(version: int, header: bytes) -> None:
    with pytest.raises(BadImage, match="malformed"):
        Lines("k.elf", line_program(version, header))


LENGTHS = b"\x00\x01\x01\x01\x01\x00\x00\x00\x01"
"""Operands of the opcodes 1 to 9."""


def test_a_program_of_lines_advances_as_its_header_says() -> None:
    """const_add_pc is what opcode 255 would advance by: (255 - 10) / 49, of 2 bytes each."""
    header = b"\x02\x01\x01\xfb\x31\x0a" + LENGTHS + b"\0" + b"a.c\0\0\0\0" + b"\0"
    program = b"\x00\x09\x02" + (0x1000).to_bytes(8, "little")
    program += b"\x01\x08\x14\x09\x10\x00\x13"  # copy, const_add_pc, line 6, 16 bytes, line 10
    program += b"\x02\x02\x00\x01\x01"
    lines = Lines("k.elf", line_program(4, header, program))
    found = [lines.at(0x1000 + at) for at in (0, 9, 10, 25, 26, 29, 30)]
    assert found == ["a.c:1", "a.c:1", "a.c:6", "a.c:6", "a.c:10", "a.c:10", None]


def test_lines_of_functions_that_the_linker_dropped_are_none() -> None:
    header = b"\x01\x01\x01\xfb\x0e\x0a" + LENGTHS + b"\0" + b"a.c\0\0\0\0" + b"\0"
    dropped = b"\x00\x09\x02" + bytes(8) + b"\x01" + b"\x02\x10" + b"\x00\x01\x01"
    assert Lines("k.elf", line_program(4, header, dropped)).at(4) is None


def test_of_variables_of_one_name_the_best_is_not_in_a_function() -> None:
    unit = Unit()
    number = unit.add(dw.DW_TAG_base_type, (NAME, TEXT, "int"), (SIZE, BYTE, 4),
                      (dw.DW_AT_encoding, BYTE, 5))  # fmt: skip

    def variable(at: int) -> None:
        place = b"\x09" + bytes([dw.DW_OP_addr]) + at.to_bytes(8, "little")
        unit.add(dw.DW_TAG_variable, (NAME, TEXT, "count"), (TYPE, REF, number),
                 (dw.DW_AT_location, dw.DW_FORM_exprloc, place))  # fmt: skip

    unit.add(dw.DW_TAG_subprogram, (NAME, TEXT, "f"), children=True)
    variable(0x1000)
    unit.end()
    variable(0x2000)
    unit.end()
    found = reader(unit).variables("count")
    assert [(each.address, each.function) for each in found] == [(0x2000, ""), (0x1000, "f")]


def test_a_file_that_is_not_listed_is_refused() -> None:
    lengths = b"\x0a" + LENGTHS
    header = b"\x01\x01\x01\xfb\x0e" + lengths + b"\0" + b"a.c\0\0\0\0" + b"\0"
    moved = b"\x00\x09\x02" + (0x1000).to_bytes(8, "little")
    fine = moved + b"\x01" + b"\x02\x10" + b"\x00\x01\x01"
    lines = Lines("k.elf", line_program(4, header, fine))
    assert [lines.at(at) for at in (0xFFF, 0x1000, 0x100F, 0x1010)] == [
        None, "a.c:1", "a.c:1", None,
    ]  # fmt: skip
    with pytest.raises(BadImage, match="file 7"):
        Lines("k.elf", line_program(4, header, moved + b"\x04\x07\x01"))
