"""Linking: where sections go, whom their relocations reach, and what cannot be done."""

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from emu.errors import BadImage, BadSource, BadSymbol, PokeError
from emu.image import relocation
from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.image.object_file import ObjectFile
from emu.image.placed import Placed
from emu.image.symbols import Symbol, Symbols
from emu.patch.compile import compile_c
from emu.patch.link import link
from emu.patch.room import Room
from tests.conftest import TOY
from tests.patch.c_source import needs_gcc, write

FIX = (Path(__file__).parents[1] / "image" / "fix.elf").read_bytes()
TEXT, DATA = 0xFFFFFFFF80207008, 0xFFFFFFFF80300003
"""Where rooms begin: not aligned, on purpose."""


@pytest.fixture(scope="module")
def toy() -> ElfImage:
    return ElfImage.read(TOY)


def linked(
    image: ElfImage, *objects: ObjectFile, text: int = TEXT, data: int | None = DATA
) -> tuple[Placed, ...]:
    rooms = (
        Room("poke_arena", text, text + 0x8000),
        Room("poke_data", data or 0, (data or 0) + 4096),
    )
    return link(objects, image, rooms[0], rooms[1] if data else None)[0]


def compiled(folder: Path, *texts: str, model: str = "kernel") -> list[ObjectFile]:
    made = []
    for number, text in enumerate(texts):
        name = f"{'abc'[number]}.c"
        made.append(ObjectFile(name, compile_c(write(folder, text, name), (), model).object))
    return made


def branches(placed: Placed, name: str) -> list[int]:
    """Return where the calls and jumps of a function go."""
    symbol = placed.symbols.function(name)
    start, code = placed.code[0]
    at, found = symbol.address, []
    while at < symbol.address + symbol.size:
        decoded = decode_one(code[at - start :], at)
        if decoded.mnemonic in ("call", "jmp") and decoded.op_str.startswith("0x"):
            found.append(int(decoded.op_str, 16))
        at += len(decoded.bytes)
    return found


def fake(*symbols: Symbol) -> ElfImage:
    """Return a kernel that has nothing but symbols."""
    lines = SimpleNamespace(at=lambda address: f"file.c:{address & 0xFF}")
    return cast(ElfImage, SimpleNamespace(name="k.elf", symbols=Symbols(symbols), lines=lines))


def test_every_section_has_its_place(toy: ElfImage) -> None:
    (placed,) = linked(toy, ObjectFile("fix.c", FIX))
    (text, code), (data, variables) = placed.code
    assert text % 16 == 0
    assert TEXT <= text == placed.text[0]
    assert placed.text[1] == text + len(code)
    function = placed.symbols.function("cmdline_proc_show")
    assert function.address == text
    assert placed.symbols["calls"].address == data
    assert placed.symbols["zeroes"].address % 16 == 0
    assert variables == struct.pack("<5Q", 5, 0, 0, 0, 0).ljust(len(variables), b"\0")
    words = placed.symbols["words"].address - text
    for index, word in enumerate((b"one\0", b"two\0")):
        at = struct.unpack_from("<Q", code, words + 8 * index)[0] - text
        assert code[at : at + 4] == word
    assert toy.symbols["seq_puts"].address in branches(placed, "cmdline_proc_show")


def test_places_are_named_by_symbol_and_line(toy: ElfImage) -> None:
    (placed,) = linked(toy, ObjectFile("fix.c", FIX))
    start = placed.text[0]
    assert placed.describe(start + 5) == "livepatch: cmdline_proc_show+0x5"
    assert placed.lines.at(start) == "fix.c:15"
    assert start in placed
    assert placed.text[1] not in placed
    assert ".debug_frame" in placed.sections
    frame = placed.sections[".debug_frame"]
    assert struct.pack("<Q", start) in frame  # its addresses are those in memory


@needs_gcc
def test_objects_reach_one_another_before_the_kernel(toy: ElfImage, tmp_path: Path) -> None:
    first, second = linked(
        toy,
        *compiled(
            tmp_path,
            "int helper(int); int vfs_read(int);\n"
            "int f(int x) { return helper(x) + vfs_read(x) + 1; }",
            "__attribute__((noinline)) int vfs_read(int x) { return x; }\n"
            "int fget(int); int helper(int x) { return vfs_read(x) + fget(x); }",
        ),
    )
    helper, vfs_read = (second.symbols[name].address for name in ("helper", "vfs_read"))
    assert set(branches(first, "f")) == {helper, vfs_read}
    assert set(branches(second, "helper")) <= {vfs_read, toy.symbols["fget"].address}
    assert toy.symbols["fget"].address in branches(second, "helper")
    assert first.text[1] <= second.text[0]


@needs_gcc
def test_one_of_two_weak_ones_and_nothing_for_a_missing_one(toy: ElfImage, tmp_path: Path) -> None:
    weak = "__attribute__((weak)) int helper(void) { return 1; }\n"
    first, second = linked(
        toy,
        *compiled(
            tmp_path,
            weak + "__attribute__((weak)) void gone(void);\n"
            "int f(void) { return gone ? 2 : helper() + 1; }",
            "int helper(void) { return 2; }",
        ),
    )
    assert second.symbols["helper"].address in branches(first, "f")


@needs_gcc
def test_two_definitions_are_one_too_many(toy: ElfImage, tmp_path: Path) -> None:
    text = "int helper(void) { return 1; }"
    with pytest.raises(BadSource, match=r"helper is in a\.c and in b\.c"):
        linked(toy, *compiled(tmp_path, text, text))
    linked(toy, *compiled(tmp_path, text, f"static {text}"))


@needs_gcc
def test_static_symbols_of_the_kernel_are_found_unless_there_are_two(tmp_path: Path) -> None:
    objects = compiled(tmp_path, "extern int count; int f(void) { return count; }")
    at = 0xFFFFFFFF80100000
    one = Symbol("count", at, 4, "object", is_global=False)
    (placed,) = linked(fake(one), *objects)
    rip = placed.symbols["f"].address
    decoded = decode_one(placed.code[0][1], rip)
    assert f"{at - rip - len(decoded.bytes) & (1 << 64) - 1:#x}" in _wide(decoded.op_str)
    two = Symbol("count", at + 0x10, 4, "object", is_global=False)
    with pytest.raises(
        BadSymbol, match=r"a\.c:1: in f.*2 symbols 'count', all static: .*\(file\.c:0\)"
    ):
        linked(fake(one, two), *objects)
    linked(fake(one, two, Symbol("count", at + 0x20, 4, "object")), *objects)


def _wide(operands: str) -> str:
    """Return operands with a negative displacement as the 64 bits it stands for."""
    sign, _, number = operands.rpartition("[rip ")[2].rstrip("]").partition(" ")
    value = int(number, 16)
    return f"{(value if sign == '+' else -value) & (1 << 64) - 1:#x}"


@needs_gcc
@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("int prinkt(void); int f(void) { return prinkt(); }", BadSymbol,
         r"^a\.c:1: in f\+0x\d+: no symbol 'prinkt' in toy\.elf: did you mean printk"),
        ("int memmove(void); int f(void) { return memmove() + 1; }", BadSymbol,
         "the compiler calls it by itself"),
        ("__thread int x; int f(void) { return x; }", BadImage, "thread-local"),
        ("int x; __attribute__((constructor)) void f(void) { x = 1; }", BadImage, "constructor"),
        ('asm(".text; .long seq_puts@GOTPCREL");', BadImage, r"GOTPCREL.*-fno-pic"),
        ("char big[40000] = { 1 };", PokeError, r"a\.c has 40,000 bytes of variables, poke_data"),
        ("const char big[40000] = { 1 };", PokeError, "40,000 bytes of code and const"),
        ("char big[1ul << 40];", PokeError, "bytes of variables"),
    ],
)  # fmt: skip
def test_what_cannot_be_linked_is_said(
    toy: ElfImage, tmp_path: Path, text: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        linked(toy, *compiled(tmp_path, text))


@needs_gcc
def test_a_kernel_without_room_for_variables(toy: ElfImage, tmp_path: Path) -> None:
    objects = compiled(tmp_path, "static int n; int f(void) { return n++; }")
    with pytest.raises(
        PokeError, match=r"a\.c has variables of its own, and toy\.elf has no poke_d"
    ):
        linked(toy, *objects, data=None)
    linked(toy, *compiled(tmp_path, "int f(void) { return 1; }"), data=None)


@needs_gcc
def test_what_is_out_of_reach_is_said_and_the_large_model_reaches(tmp_path: Path) -> None:
    text = "void far(void); void f(void) { far(); far(); }"
    image = fake(Symbol("far", 0xFFFF_8000_0000_0000, 1, "func"))
    with pytest.raises(
        BadImage, match=r"a\.c:1: in f.*0xffff7f.* is too far away for R_X86_64_PLT32"
    ):
        linked(image, *compiled(tmp_path, text))
    (placed,) = linked(image, *compiled(tmp_path, text, model="large"))
    assert struct.pack("<Q", 0xFFFF_8000_0000_0000) in placed.code[0][1]


def put(kind: int, target: int, place: int) -> bytes:
    section = bytearray(b"\xaa" * 16)
    relocation.apply(section, 4, kind, target, place)
    assert section[:4] == b"\xaa" * 4
    return bytes(section[4:])


M = 1 << 64


@pytest.mark.parametrize(
    ("kind", "target", "place", "bytes_"),
    [
        (1, 0xFFFFFFFF80001234, 0, "<Q"), (1, -4, 0, "<Q"), (24, 8, 0x100, "<q"),
        (2, 0xFFFFFFFF80001000, 0xFFFFFFFF80002000, "<i"),
        (4, 0x7FFFFFFF, 0, "<i"), (2, 0, 1 << 31, "<i"),
        (10, 0xFFFFFFFF, 0, "<I"), (11, 0xFFFFFFFF80000000, 0, "<i"), (11, 0x7FFFFFFF, 0, "<i"),
    ],
)  # fmt: skip
def test_relocations_by_the_book(kind: int, target: int, place: int, bytes_: str) -> None:
    relative = kind in (2, 4, 24)
    value = (target - (place if relative else 0)) % M
    if bytes_ not in ("<Q", "<I") and value >> 63:
        value -= M
    expected = struct.pack(bytes_, value)
    assert put(kind, target, place) == expected + b"\xaa" * (12 - len(expected))


@pytest.mark.parametrize(
    ("kind", "target", "place", "says"),
    [
        (4, 0x80000000, 0, "0x80000000 is too far away for R_X86_64_PLT32"),
        (2, 0, (1 << 31) + 1, "too far away"),
        (10, 1 << 32, 0, "does not fit into 32 bits"), (10, -1, 0, "does not fit"),
        (11, 1 << 31, 0, "does not fit"), (11, 0xFFFFFFFF7FFFFFFF, 0, "does not fit"),
        (42, 0, 0, "R_X86_64_REX_GOTPCRELX needs a global offset table: compile with -fno-pic"),
        (23, 0, 0, "thread-local"), (99, 0, 0, "of type 99 needs something unknown"),
    ],
)  # fmt: skip
def test_relocations_that_do_not_fit(kind: int, target: int, place: int, says: str) -> None:
    with pytest.raises(BadImage, match=says):
        put(kind, target, place)


def test_a_relocation_at_the_end_of_its_section() -> None:
    section = bytearray(8)
    relocation.apply(section, 4, 2, 0, 0)
    with pytest.raises(BadImage, match="outside its section"):
        relocation.apply(section, 5, 2, 0, 0)
    relocation.apply(section, 99, relocation.NONE, 0, 0)
    assert section == bytes(8)
