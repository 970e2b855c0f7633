import json
from pathlib import Path

from emu.image.elf import ElfImage
from tests.cli.conftest import Command
from tests.conftest import TOY
from tests.image.elf_builder import Builder, Sym


def test_a_pattern_lists_what_matches(textpoke: Command) -> None:
    said = textpoke("symbols", "toy", "vfs_*")
    lines = said.out.decode().splitlines()
    assert said.status == 0
    assert len(lines) >= 2
    read = next(line for line in lines if " vfs_read " in line).split()
    assert read[2:] == ["func", ".text", "*", "vfs_read", read[-1]]
    assert read[-1].startswith("vfs.c:")
    assert int(read[0], 16) == ElfImage.read(TOY).symbols["vfs_read"].address


def test_all_symbols_for_scripts(textpoke: Command) -> None:
    told = json.loads(textpoke("symbols", TOY, "--json").out)
    toy = ElfImage.read(TOY)
    assert told["image"] == "toy.elf"
    assert [each["name"] for each in told["symbols"]] == [each.name for each in toy.symbols]
    by_name = {each["name"]: each for each in told["symbols"]}
    read, cpus = by_name["vfs_read"], by_name["cpus"]
    assert read["site"] == read["address"] == hex(toy.sites.of("vfs_read"))
    assert read["file"].endswith("vfs.c")
    assert (cpus["kind"], cpus["site"], cpus["line"]) == ("object", None, None)
    assert cpus["section"] == ".bss"
    assert set(read) == {
        "name", "address", "size", "kind", "global", "section", "site", "file", "line",
    }  # fmt: skip


def test_lines_fit_into_80_columns(textpoke: Command) -> None:
    lines = textpoke("symbols", "toy").out.decode().splitlines()
    assert sum(len(line) > 80 for line in lines) < len(lines) // 50  # but for the longest names
    local = textpoke("symbols", "toy", "last_pid").out.decode().split()
    assert local[2:] == ["object", ".bss", "l", "last_pid"]


def test_a_stripped_image_has_none(textpoke: Command, tmp_path: Path) -> None:
    path = tmp_path / "stripped.elf"
    path.write_bytes(Builder(symbols=()).build())
    assert "has no symbols" in textpoke("symbols", path).refusal()


def test_names_that_are_not_there(textpoke: Command) -> None:
    part = textpoke("symbols", "toy", "vfs").refusal()
    assert part.startswith("no symbol 'vfs' in toy.elf: '*vfs*' matches ")
    assert "did you mean vfs_read" in textpoke("symbols", "toy", "vfs_raed").refusal()
    assert textpoke("symbols", "toy", "xx*").refusal() == "no symbol in toy.elf matches 'xx*'"
    assert "No such file" in textpoke("symbols", "/absent.elf").refusal()


def test_a_name_drives_no_terminal(textpoke: Command, tmp_path: Path) -> None:
    path = tmp_path / "evil.elf"
    path.write_bytes(Builder(symbols=(Sym("evil\x1b[2J", 0xFFFFFFFF80200000, 4),)).build())
    said = textpoke("symbols", path)
    assert said.status == 0
    assert b"evil\\x1b[2J" in said.out
    assert b"\x1b" not in said.out
