import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emu.errors import BadImage, TextpokeError
from emu.image.elf import ElfImage
from emu.machine.boot import Segment
from tests.image.elf_builder import PHYSICAL, VIRTUAL, Builder, build, note, text

LAYOUT = (Path(__file__).parent / "layout5.elf").read_bytes()


def read(data: bytes) -> ElfImage:
    return ElfImage("k.elf", data)


def test_the_boot_image_holds_what_the_machine_needs(small: ElfImage) -> None:
    boot = small.boot_image
    assert (boot.name, boot.protocol, boot.entry) == ("small.elf", "pvh", PHYSICAL)
    assert boot.segments == (Segment(PHYSICAL, text(), 0x80),)
    assert boot.sha256 == hashlib.sha256(build()).hexdigest()


def test_the_name_is_without_directories(tmp_path: Path) -> None:
    (tmp_path / "some.elf").write_bytes(build())
    assert ElfImage.read(tmp_path / "some.elf").boot_image.name == "some.elf"


def test_an_entry_of_eight_bytes_in_a_note_aligned_to_eight() -> None:
    notes = note(size=8)
    assert read(Builder(notes=notes).build()).boot_image.entry == PHYSICAL
    other = struct.pack("<3I", 5, 1, 1) + b"Frog\0" + bytes(7) + b"!" + bytes(7)
    wide = struct.pack("<3I", 4, 8, 18) + b"Xen\0" + struct.pack("<Q", PHYSICAL + 1)
    built = Builder(notes=other + wide, note_align=8).build()
    assert read(built).boot_image.entry == PHYSICAL + 1


def test_notes_before_the_right_one_are_skipped() -> None:
    notes = note(1, name=b"GNU\0") + note(2, kind=17) + note(3, name=b"Xenon\0\0\0") + note()
    assert read(Builder(notes=notes).build()).boot_image.entry == PHYSICAL
    padded = note(1, size=3, name=b"GNU\0") + b"\0" + note()
    assert read(Builder(notes=padded).build()).boot_image.entry == PHYSICAL


def test_memory_is_read_by_link_address(small: ElfImage) -> None:
    assert small.read_virtual(VIRTUAL + 3, 2) == text()[3:5]
    assert small.read_virtual(VIRTUAL + 0x3F, 3) == text()[0x3F:] + bytes(2)
    assert small.read_virtual(VIRTUAL + 0x7F, 1) == b"\0"
    with pytest.raises(BadImage, match="0xffffffff80200080"):
        small.read_virtual(VIRTUAL + 0x80, 1)
    with pytest.raises(BadImage):
        small.read_virtual(VIRTUAL - 1, 2)


def test_executable_is_the_segments_flag(small: ElfImage) -> None:
    assert small.is_executable(VIRTUAL)
    assert small.is_executable(VIRTUAL + 0x7F)
    assert not small.is_executable(VIRTUAL + 0x80)
    assert not read(Builder(flags=6, symbols=()).build()).is_executable(VIRTUAL)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an ELF file"),
        (b"#!/bin/sh\n", "not an ELF file"),
        (bytes(0x202) + b"HdrS", "a Linux bzImage: .* textpoke linux"),
        (b"\x1f\x8b\x08", "compressed with gzip: unpack it"),
        (build()[:40], "the ELF header is cut"),
        (build()[:100], "the program headers end"),
        (build()[:230], "segment 0 ends at byte 240 of 230"),
        (build()[:-1], "the section headers end"),
        (Builder(elf_class=3).build(), "of 32 or 64 bits"),
        (Builder(endian=2).build(), "little-endian"),
        (Builder(machine=183).build(), "another architecture .machine 183."),
        (Builder(notes=note(kind=17)).build(), "no PVH note"),
        (Builder(notes=note(name=b"Xen!")).build(), "no PVH note"),
        (Builder(notes=note()[:-1]).build(), "no PVH note"),
        (Builder(notes=note(size=2, entry=0)).build(), "PVH note of 2 bytes"),
        (Builder(notes=note(PHYSICAL + 0x40)).build(), "entry 0x200040 outside"),
        (Builder(memsz=0x3F).build(), "larger in the file than in memory"),
        (Builder(paddr=1 << 40).build(), "above 1 TiB"),
        (Builder(code=b"", memsz=0).build(), "no segment to load"),
    ],
)
def test_what_is_no_kernel_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(BadImage, match=rf"^k\.elf: .*{message}") as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="No such file"):
        ElfImage.read(tmp_path / "absent")
    with pytest.raises(BadImage, match="not a file"):
        ElfImage.read(tmp_path)
    with pytest.raises(BadImage, match="cannot be read"):
        ElfImage.read("a\0b")


def test_every_cut_of_the_file_is_refused() -> None:
    whole = build()
    for size in range(len(whole)):
        with pytest.raises(BadImage):
            read(whole[:size])


def test_without_debug_information_types_say_what_to_do(small: ElfImage) -> None:
    with pytest.raises(BadImage, match="no debug information: build with -g"):
        _ = small.types


def test_compressed_debug_information_is_refused() -> None:
    image = read(Builder(extra={".debug_info": b"x"}, extra_flags=0x800).build())
    with pytest.raises(BadImage, match="--compress-debug-sections=none"):
        _ = image.types


def use(data: bytes) -> str:
    """Touch everything an image offers; return what it is refused for, or ""."""
    try:
        touch(data)
    except TextpokeError as error:
        return str(error)
    return ""


def touch(data: bytes) -> None:
    image = read(data)
    _ = image.sites.functions
    for symbol in image.symbols:
        image.symbols.describe(symbol.address + 1)
    types = image.types
    for name in ("thing", "list", "either"):
        types.struct(name)
    for name in ("things", "counter", "head", "greeting"):
        types.variable(name)


mutations = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations)
def test_a_mutated_kernel_is_read_or_refused(changes: list[tuple[float, int]]) -> None:
    for original in (build(), LAYOUT):
        data = bytearray(original)
        for where, value in changes:
            data[int(where * len(data))] = value
        assert "\n" not in use(bytes(data))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 30), st.sampled_from([0, 1, 0xFF, 0x7FFFFFFF, 2**32 - 1, 2**63, 2**64 - 1]))
def test_extreme_fields_in_headers_are_read_or_refused(field: int, value: int) -> None:
    data = bytearray(build())
    at = 16 + field * 6  # walks the ELF header and both program headers, unaligned on purpose
    data[at : at + 8] = value.to_bytes(8, "little")
    assert "\n" not in use(bytes(data))
