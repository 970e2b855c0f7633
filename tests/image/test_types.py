import pytest

from emu.errors import BadImage, BadSymbol
from emu.image.dwarf import DwarfReader
from emu.image.elf import ElfImage
from emu.image.types import (
    ArrayType,
    EnumType,
    FunctionType,
    IntType,
    Parameter,
    PointerType,
    StructType,
    VoidType,
)

INT = IntType("int", 4, signed=True)
VOID_OF_INT = FunctionType("void (int)", 0, VoidType("void", 0), (Parameter("", INT),))


def thing(image: ElfImage) -> StructType:
    return image.types.struct("struct thing")


@pytest.mark.parametrize(
    ("path", "offset", "size"),
    [
        ("name", 0, 16),
        ("name[15]", 15, 1),
        ("refs", 16, 4),
        ("list", 24, 16),
        ("list.prev", 32, 8),
        ("x", 40, 4),  # in an anonymous structure
        ("y", 48, 8),  # in an anonymous union in it
        ("bytes[7]", 55, 1),
        ("pairs", 62, 24),
        ("pairs[2]", 78, 8),
        ("pairs[2][1].b", 84, 2),
        ("flag", 120, 1),
        ("real", 128, 8),
        ("tail", 136, 0),
        ("tail[3]", 148, 4),  # a flexible array has no end
    ],
)
def test_members_lie_where_the_compiler_put_them(
    layout: ElfImage, path: str, offset: int, size: int
) -> None:
    member = thing(layout).member(path)
    assert (member.name, member.offset, member.size) == (path, offset, size)


def test_the_structure_itself(layout: ElfImage) -> None:
    assert (thing(layout).name, thing(layout).size) == ("struct thing", 136)
    assert thing(layout).names()[:7] == ("name", "refs", "colour", "list", "x", "y", "bytes")
    assert layout.types.struct("thing") is thing(layout)
    assert layout.types.struct("either").member("letters").offset == 0


def test_typedef_const_and_volatile_are_stripped(layout: ElfImage) -> None:
    assert thing(layout).member("refs").type == IntType("unsigned int", 4, signed=False)
    assert layout.types["odd_u32"] == IntType("unsigned int", 4, signed=False)


def test_integers_know_their_sign(layout: ElfImage) -> None:
    member = thing(layout).member
    assert member("y").type == IntType("long int", 8, signed=True)
    assert member("name[0]").type == IntType("char", 1, signed=True, is_char=True)
    assert member("bytes[0]").type == IntType("unsigned char", 1, signed=False, is_char=True)
    assert member("flag").type == IntType("_Bool", 1, signed=False)


def test_enumerations(layout: ElfImage) -> None:
    colour, mood = layout.types["enum colour"], layout.types["enum mood"]
    assert isinstance(colour, EnumType)
    assert isinstance(mood, EnumType)
    assert colour.names == ((1, "RED"), (2, "GREEN"), (7, "BLUE"))
    assert (colour.name_of(7), colour.name_of(3)) == ("BLUE", None)
    assert (colour.signed, mood.signed) == (False, True)


def test_arrays_have_counts_and_strides(layout: ElfImage) -> None:
    pairs = thing(layout).member("pairs").type
    assert isinstance(pairs, ArrayType)
    assert (pairs.name, pairs.count, pairs.stride) == ("struct pair[3][2]", 3, 8)
    things = layout.types.variable("things")
    assert isinstance(things, ArrayType)
    assert (things.count, things.stride) == (2, 136)


def test_pointers_lead_back_to_their_structure(layout: ElfImage) -> None:
    node = layout.types.struct("list")
    following = node.member("next").type
    assert isinstance(following, PointerType)
    assert following.target == node


@pytest.mark.parametrize(
    ("path", "name", "target"),
    [
        ("call", "void (*)(int)", VOID_OF_INT),
        ("opaque", "void *", VoidType("void", 0)),
        ("hidden", "struct undefined *", VoidType("struct undefined", 0)),
        ("text", "char *", IntType("char", 1, signed=True, is_char=True)),
    ],
)
def test_pointers_name_what_they_point_to(
    layout: ElfImage, path: str, name: str, target: object
) -> None:
    pointer = thing(layout).member(path).type
    assert isinstance(pointer, PointerType)
    assert (pointer.name, pointer.size, pointer.target) == (name, 8, target)


@pytest.mark.parametrize(
    ("name", "first", "width"), [("low", 8 * 56, 3), ("middle", 8 * 56 + 3, 5), ("wide", 456, 40)]
)
def test_bitfields(layout: ElfImage, name: str, first: int, width: int) -> None:
    member = thing(layout).member(name)
    assert member.bit_offset is not None
    assert (8 * member.offset + member.bit_offset, member.bit_size) == (first, width)
    assert 8 * member.size >= member.bit_offset + width


def test_variables_include_static_ones(layout: ElfImage) -> None:
    assert layout.types.variable("head") == layout.types.struct("list")
    assert layout.types.variable("counter") == IntType("int", 4, signed=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("refz", "no member 'refz' in struct thing: did you mean refs"),
        ("refs.x", "unsigned int has no members"),
        ("refs[0]", "is not an array"),
        ("name[16]", r"\[16\] is outside char\[16\]"),
        ("list..next", "not a path"),
        (".list", "not a path"),
        ("list.", "not a path"),
        ("[0]", "not a path"),
    ],
)
def test_paths_that_lead_nowhere(layout: ElfImage, path: str, message: str) -> None:
    with pytest.raises(BadSymbol, match=message):
        thing(layout).member(path)


def test_unknown_names_are_answered_with_similar_ones(layout: ElfImage) -> None:
    with pytest.raises(BadSymbol, match="did you mean struct thing"):
        layout.types.struct("struct thign")
    with pytest.raises(BadSymbol, match=r"no type 'thing': did you mean struct thing\?$"):
        _ = layout.types["thing"]
    with pytest.raises(BadSymbol, match="no type 'struct nope'"):
        _ = layout.types["struct nope"]
    with pytest.raises(BadSymbol, match=r"no variable 'thingz'.*did you mean things"):
        layout.types.variable("thingz")
    assert "struct thing" in layout.types
    assert "struct undefined" not in layout.types


def test_a_structure_that_contains_itself_is_refused() -> None:
    # Abbreviations: 1 compile_unit with children; 2 structure_type (name string, byte_size data1)
    # with children; 3 member (type ref4, data_member_location data1).
    abbrev = bytes.fromhex(
        "01 11 01 00 00  02 13 01 03 08 0b 0b 00 00  03 0d 00 49 13 38 0b 00 00 00"
    )
    entries = b"\x01" + b"\x02s\0\x08" + b"\x03\x0c\0\0\0\0" + b"\0" + b"\0"
    header = (len(entries) + 7).to_bytes(4, "little") + b"\x04\0" + bytes(4) + b"\x08"
    reader = DwarfReader("k.elf", {".debug_info": header + entries, ".debug_abbrev": abbrev})
    assert list(reader.type_names()) == ["struct s"]
    with pytest.raises(BadImage, match="contains itself"):
        reader.type_named("struct s")


def test_a_sibling_that_points_backwards_does_not_loop() -> None:
    # As above, but 2 has a sibling (ref4) that points at itself.
    abbrev = bytes.fromhex("01 11 01 00 00  02 13 01 03 08 0b 0b 01 13 00 00 00")
    entries = b"\x01" + b"\x02s\0\x08\x0c\0\0\0" + b"\0" + b"\0"
    header = (len(entries) + 7).to_bytes(4, "little") + b"\x04\0" + bytes(4) + b"\x08"
    reader = DwarfReader("k.elf", {".debug_info": header + entries, ".debug_abbrev": abbrev})
    assert reader.type_named("struct s") == StructType("struct s", 8, ())


def test_malformed_debug_information_is_a_bad_image() -> None:
    with pytest.raises(BadImage, match=r"k\.elf: debug information is malformed"):
        DwarfReader("k.elf", {".debug_info": b"\xff" * 64, ".debug_abbrev": b""})
