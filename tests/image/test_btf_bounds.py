"""Malformed BTF is refused by one error, and what would keep a reader busy, too."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image import btf_section as btf
from emu.image.btf import BtfReader
from emu.image.types import Types
from tests.image.btf_builder import BtfBuilder

WHOLE = (Path(__file__).parent / "layout.btf").read_bytes()


def header(
    *, magic: int = btf.MAGIC, version: int = 1, size: int = 24, types: tuple[int, int] = (0, 0),
    strings: tuple[int, int] = (0, 0),
) -> bytes:  # fmt: skip
    return struct.pack("<HBB5I", magic, version, 0, size, *types, *strings)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "header is cut"),
        (header()[:-1], "header is cut"),
        (header(magic=0x9FEB), "not little-endian BTF"),
        (header(version=2), "not little-endian BTF"),
        (header(size=23), "makes no sense"),
        (header(types=(0, 2)) + b"xx", "makes no sense"),
        (header(types=(0, 4)), "BTF of 24 bytes ends at 28"),
        (header(types=(0xFFFFFFFF, 4)), "ends at"),
        (header(strings=(1, 4)) + b"abc\0", "ends at 29"),
        (header(strings=(0, 3)) + b"abc", "last string has no end"),
        (header(types=(0, 4)) + bytes(4), "last type is cut"),
        (header(types=(0, 12)) + struct.pack("<3I", 0, 20 << 24, 0), "type 1 of a kind 20"),
        (header(types=(0, 12)) + bytes(12), "type 1 of a kind 0"),
        (header(types=(0, 12)) + struct.pack("<3I", 0, 1 << 24, 0), "last type is cut"),
        (header(types=(0, 8)) + struct.pack("<2I", 0, 2 << 24), "last type is cut"),
    ],
)
def test_a_section_that_breaks_its_format_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadImage, match=rf"^vmlinux: BTF is malformed: .*{why}"):
        BtfReader("vmlinux", data)


def only(kind: int, value: int = 0, *more: int, count: int = 0, flag: bool = False) -> BtfBuilder:
    made = BtfBuilder()
    made.integer("int", 4)
    number = made.record(kind, "", value, *more, count=count, flag=flag)
    made.record(btf.KIND_TYPEDEF, "it", number)
    return made


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (only(btf.KIND_INT, 0, 0), "integer of 0 bytes"),
        (only(btf.KIND_INT, 17, 0), "integer of 17 bytes"),
        (only(btf.KIND_FLOAT, 33), "number of 33 bytes"),
        (only(btf.KIND_ENUM, 9), "enumeration of 9 bytes"),
        (only(btf.KIND_ARRAY, 0, 4, 1, 1), "a type 4, of 3"),
        (only(btf.KIND_CONST, 0xFFFFFFFF), "a type 4294967295"),
        (only(btf.KIND_CONST, 2), "contains itself"),
        (only(btf.KIND_STRUCT, 4, 0, 2, 0, count=1), "contains itself"),
        (only(btf.KIND_STRUCT, 3, 0, 1, 0, count=1), "outside struct"),
        (only(btf.KIND_STRUCT, 4, 0, 1, 8, count=1), "outside struct"),
        (only(btf.KIND_STRUCT, 8, 0, 1, 4, count=1), "begins within a byte"),
        (only(btf.KIND_STRUCT, 8, 0, 1, 129 << 24, count=1, flag=True), "bitfield '' of 129"),
        (only(btf.KIND_STRUCT, 8, 999, 1, 0, count=1), "a name at 0x3e7"),
        (only(btf.KIND_DECL_TAG, 1, 0), "no type of C"),
        (only(btf.KIND_DATASEC, 0), "no type of C"),
    ],
)
def test_a_malformed_type_is_refused_when_it_is_asked_for(made: BtfBuilder, why: str) -> None:
    types = Types(BtfReader("vmlinux", made.build()))
    assert types["int"].size == 4
    for _ in range(2):
        with pytest.raises(BadImage, match=why):
            assert types["it"].size


def test_types_nest_to_a_depth_and_arrays_to_a_size() -> None:
    made = BtfBuilder()
    number = made.integer("int", 4)
    for _ in range(70):
        number = made.record(btf.KIND_CONST, "", number)
    made.record(btf.KIND_TYPEDEF, "deep", number)
    number = 1
    for _ in range(3):
        number = made.array(number, 0xFFFFFFFF)
    made.record(btf.KIND_TYPEDEF, "large", number)
    types = Types(BtfReader("vmlinux", made.build()))
    with pytest.raises(BadImage, match="nests over 64"):
        assert types["deep"].size
    with pytest.raises(BadImage, match="an array of 4294967295"):
        assert types["large"].size


def test_functions_that_take_functions_twice_each_have_a_short_name() -> None:
    """Written out, the name has two to the power of 60 parts."""
    made = BtfBuilder()
    function = made.function("", 0, [])
    for _ in range(60):
        pointer = made.pointer(function)
        function = made.function("", 0, [("", pointer), ("", pointer)])
    made.record(btf.KIND_TYPEDEF, "f", made.pointer(function))
    name = Types(BtfReader("vmlinux", made.build()))["f"].name
    assert "..." in name
    assert len(name) < 10_000


@given(data=st.data())
def test_damaged_sections_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadImage):
        types = Types(BtfReader("vmlinux", bytes(whole)))
        for name in types.names():
            with contextlib.suppress(BadImage):
                assert str(types[name])


def test_a_section_cut_anywhere_is_refused() -> None:
    for end in range(len(WHOLE)):
        with pytest.raises(BadImage):
            BtfReader("vmlinux", WHOLE[:end])
