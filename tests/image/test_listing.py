"""Listings, of a C file whose code is known and of the toy kernel."""

import itertools
from pathlib import Path

import pytest

from emu.errors import BadImage, BadSymbol, Unsupported
from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.image.listing import extent, listing, operands
from emu.image.source import Sources
from tests.image.compiled import compiled

SOURCE = """int table[64];
const char words[] = "words";
int called(int a)
{
	return a * 3;
}
asm(".globl by_hand\\nby_hand: nop\\nnop\\nret");
int calls(int i)
{
	const char *volatile where = words;
	table[2] = called(i);
	return table[i] + *where;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("listing")


@pytest.fixture(scope="module")
def image(folder: Path) -> ElfImage:
    return compiled(folder, SOURCE, "-g", "-O1", "-fno-inline", "-mcmodel=kernel",
                    "-fcf-protection=none", "-fno-toplevel-reorder")  # fmt: skip


def texts(image: ElfImage, what: str) -> list[str]:
    rows = listing(image, *extent(image, what))
    return [f"{row.instruction.mnemonic} {row.operands}" for row in rows]


def test_operands_have_names(image: ElfImage) -> None:
    found = texts(image, "calls")
    assert "call called" in found
    assert any("words" in text for text in found)
    assert any("[rip" not in text and "[table+0x8]" in text for text in found)
    assert any("*4 + table]" in text for text in found)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("48 8b 05 {rip}", "rax, qword ptr [table+0x4]"),  # mov rax, [rip + table + 4]
        ("48 c7 c0 {abs}", "rax, table+0x4"),  # mov rax, table + 4, its sign extended
        ("8b 04 85 {abs}", "eax, dword ptr [rax*4 + table+0x4]"),
        ("48 2d {abs}", "rax, table+0x4"),
        ("48 25 {abs}", "rax, 0x{hex}"),  # and: a mask, no address
        ("6a 04", "4"),
    ],
)
def test_one_operand(image: ElfImage, code: str, text: str) -> None:
    target, at = image.symbols["table"].address + 4, 0x200000
    size = 7
    parts = {
        "rip": (target - at - size).to_bytes(4, "little", signed=True).hex(" "),
        "abs": target.to_bytes(4, "little").hex(" "),
    }
    instruction = decode_one(bytes.fromhex(code.format(**parts)), at)
    assert operands(image, instruction) == text.format(hex=f"{target:x}")


def test_source_lines_stand_where_they_change(image: ElfImage, folder: Path) -> None:
    rows = list(listing(image, *extent(image, "called"), sources=Sources([folder])))
    assert rows[0].symbol == "called"
    shown = [(row.place.line, row.source) for row in rows if row.place]
    assert (5, "\treturn a * 3;") in shown
    assert all(before != after for before, after in itertools.pairwise(shown))
    blind = list(listing(image, *extent(image, "called")))
    assert [row.place for row in blind] == [row.place for row in rows]
    assert not any(row.source for row in blind)


def test_extents(image: ElfImage) -> None:
    called = image.symbols["called"]
    whole = called.address, called.address + called.size
    assert extent(image, "called") == whole
    assert extent(image, hex(called.address + 1)) == whole
    assert extent(image, "probe.c:5") == whole
    assert extent(image, f"{called.address:#x}..{called.address + 2:#x}") == (
        whole[0],
        whole[0] + 2,
    )
    start, end = extent(image, "by_hand")
    assert texts(image, "by_hand")[:3] == ["nop ", "nop ", "ret "]
    assert end - start >= 3


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("caled", BadSymbol, "no function 'caled' in probe.elf: did you mean called"),
        ("table", BadSymbol, "'table' is no code"),
        ("0x5", BadSymbol, "no function of probe.elf is at 0x5: give a range"),
        ("0x9..0x8", BadSymbol, "is no range"),
        ("0x8..", BadSymbol, "is no range"),
        ("0x0..0x100001", Unsupported, "at most 1048576"),
        ("probe.c:1", BadSymbol, "line 1 of probe.c: the next line with code is 4"),
        ("prboe.c:5", BadSymbol, "no source file 'prboe.c' in probe.elf: did you mean probe.c"),
        ("probe.c:x", BadSymbol, "FILE:LINE"),
    ],
)  # fmt: skip
def test_what_is_not_there(
    image: ElfImage, what: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        extent(image, what)


def test_bytes_come_from_a_reader_if_one_is_given(image: ElfImage) -> None:
    start, end = extent(image, "called")
    rows = list(listing(image, start, end, lambda _, size: b"\xcc" * size))
    assert {row.instruction.mnemonic for row in rows} == {"int3"}
    with pytest.raises(BadImage, match="has no 4 bytes at 0x10"):
        list(listing(image, 0x10, 0x14))


def test_every_function_of_the_toy_is_listed_whole(toy: ElfImage) -> None:
    sites = 0
    for symbol in toy.symbols:
        if symbol.kind == "func" and symbol.size:
            rows = list(listing(toy, *extent(toy, hex(symbol.address))))
            assert sum(len(row.instruction.bytes) for row in rows) >= symbol.size
            sites += sum(row.site for row in rows)
    named = [site for site in toy.sites.all if toy.symbols.at(site)]  # an overridden one has none
    assert sites == len(named)


def test_a_line_and_its_addresses(image: ElfImage) -> None:
    called = image.symbols["called"]
    (found,) = image.lines.addresses("probe.c:4")
    assert found == called.address
    for address in image.lines.addresses("probe.c:5"):
        assert image.lines.at(address) == "probe.c:5"
    place = image.lines.place(called.address)
    assert place is not None
    assert place.path.endswith("probe.c")
    assert image.lines.addresses(f"{place.path}:4") == (called.address,)
