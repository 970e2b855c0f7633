"""Objects: what the reader finds in one that gcc made, and what it refuses."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.errors import BadImage
from emu.image.elf_file import SHN_UNDEF
from emu.image.object_file import ObjectFile

DATA = (Path(__file__).parent / "fix.elf").read_bytes()  # of fix.c, which says how it was made
SHOFF = struct.unpack_from("<Q", DATA, 40)[0]
NAME, TYPE, FLAGS, OFFSET, SIZE, INFO, ALIGN = 0, 4, 8, 24, 32, 44, 48  # of Elf64_Shdr


@pytest.fixture(scope="module")
def fix() -> ObjectFile:
    return ObjectFile("fix.c", DATA)


def changed(section: str, field: int, value: int) -> bytes:
    """Return fix.elf with one field of a section header changed."""
    data = bytearray(DATA)
    at = SHOFF + 64 * number(section)
    struct.pack_into(
        "<Q" if field in (FLAGS, OFFSET, SIZE, ALIGN) else "<I", data, at + field, value
    )
    return bytes(data)


def number(section: str) -> int:
    names_at = struct.unpack_from("<Q", DATA, SHOFF + 64 * _u16(62) + OFFSET)[0]
    for index in range(_u16(60)):
        at = names_at + struct.unpack_from("<I", DATA, SHOFF + 64 * index)[0]
        if DATA[at : DATA.index(0, at)].decode() == section:
            return index
    raise AssertionError(section)


def _u16(at: int) -> int:
    return int.from_bytes(DATA[at : at + 2], "little")


def patched(section: str, at: int, form: str, value: int) -> bytes:
    """Return fix.elf with a number in the contents of a section changed."""
    data = bytearray(DATA)
    start = struct.unpack_from("<Q", data, SHOFF + 64 * number(section) + OFFSET)[0]
    struct.pack_into(form, data, start + at, value)
    return bytes(data)


def test_sections_with_what_memory_they_need(fix: ObjectFile) -> None:
    found = {each.name: (each.writable, each.executable) for each in fix.sections}
    assert found == {
        ".text": (False, True),
        ".data": (True, False),
        ".bss": (True, False),
        ".rodata": (False, False),
        ".rodata.str1.1": (False, False),
    }
    by_name = {each.name: each for each in fix.sections}
    assert by_name[".data"].data == struct.pack("<Q", 5)
    assert (by_name[".bss"].size, by_name[".bss"].data) == (32, b"")
    assert by_name[".rodata.str1.1"].data == b"one\0two\0"
    assert all(each.align & (each.align - 1) == 0 for each in fix.sections)
    assert {".debug_info", ".debug_line", ".debug_frame"} <= {each.name for each in fix.debug}


def test_symbols_and_relocations(fix: ObjectFile) -> None:
    by_name = {each.name: each for each in fix.symbols}
    (function,) = fix.functions()
    assert function == by_name["cmdline_proc_show"]
    assert function.is_global
    assert not by_name["calls"].is_global
    assert by_name["zeroes"].size == 32
    assert by_name["seq_puts"].section == by_name["cpus_online"].section == SHN_UNDEF
    text = next(each for each in fix.sections if each.name == ".text")
    told = [(each.type, fix.symbols[each.symbol].name, each.addend) for each in text.relocations]
    assert (4, "seq_puts", -4) in told  # R_X86_64_PLT32
    assert (2, "cpus_online", -4) in told  # R_X86_64_PC32
    assert (11, ".rodata", 0) in told  # R_X86_64_32S
    assert len(told) == 6


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not an ELF file"),
    "text": (lambda: b"int x;", "not an ELF file"),
    "cut": (lambda: DATA[:100], "truncated"),
    "an executable": (lambda: DATA[:16] + b"\2\0" + DATA[18:], "not an object for x86-64"),
    "another processor": (lambda: DATA[:18] + b"\xb7\0" + DATA[20:], "another architecture"),
    "32 bits": (lambda: DATA[:18] + b"\3\0" + DATA[20:], "not an object for x86-64"),
    "shared bytes": (lambda: changed(".rodata", OFFSET, 64), "share bytes"),
    "an odd alignment": (lambda: changed(".text", ALIGN, 24), "aligned to 24"),
    "a huge alignment": (lambda: changed(".bss", ALIGN, 1 << 40), "aligned to"),
    "thread-local": (lambda: changed(".data", FLAGS, 0x403), "thread-local"),
    "written code": (lambda: changed(".text", FLAGS, 7), "written and executed"),
    "compressed": (lambda: changed(".debug_line", FLAGS, 0x800), "-gz=none"),
    "no symbols": (lambda: changed(".symtab", TYPE, 1), "no symbols"),
    "REL": (lambda: changed(".rela.text", TYPE, 9), "without addends"),
    "a relocation outside": (lambda: patched(".rela.text", 0, "<Q", 1 << 20), "malformed reloc"),
    "a relocation of nothing": (lambda: patched(".rela.text", 12, "<I", 9999), "malformed reloc"),
    "common": (lambda: patched(".symtab", 24 + 6, "<H", 0xFFF2), "-fno-common"),
    "a far section": (lambda: patched(".symtab", 24 + 6, "<H", 200), "in section 200"),
    "SHN_XINDEX": (lambda: patched(".symtab", 24 + 6, "<H", 0xFFFF), "unknown section"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_object_is_refused(what: str) -> None:
    make, says = REFUSED[what]
    with pytest.raises(BadImage, match=says):
        ObjectFile("fix.c", make())
