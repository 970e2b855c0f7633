import json
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from tests.cli.conftest import Command
from tests.conftest import ROOT, TOY


def test_a_function_with_symbols_and_source_lines(textpoke: Command) -> None:
    lines = textpoke("disasm", "toy", "sys_read").out.decode().splitlines()
    address = ElfImage.read(TOY).symbols["sys_read"].address
    assert lines[0] == "sys_read:"
    assert any(line.startswith("; syscall.c:") for line in lines)
    assert any(line.startswith(f"{address:016x} * 0f 1f 44 00 00 ") for line in lines) or any(
        line.startswith(f"{address:016x} * e8 ") for line in lines
    )
    assert any("call vfs_read" in line for line in lines)


def test_source_is_read_only_where_it_may_be(textpoke: Command, tmp_path: Path) -> None:
    copy = tmp_path / "toy.elf"
    copy.write_bytes(TOY.read_bytes())
    blind = textpoke("disasm", copy, "vfs_read").out.decode()
    assert "; vfs.c:" in blind
    assert "vfs_read(" not in blind
    seen = textpoke("disasm", copy, "vfs_read", "--source-dir", ROOT / "kernels").out.decode()
    assert "fops->read" in seen
    refusal = textpoke("disasm", copy, "vfs_read", "--source-dir", tmp_path / "absent").refusal()
    assert refusal.endswith("absent: not a folder with sources")


def test_a_range_for_scripts(textpoke: Command) -> None:
    start = ElfImage.read(TOY).symbols["vfs_read"].address
    told = json.loads(textpoke("disasm", "toy", f"{start:#x}..{start + 5:#x}", "--json").out)
    (row,) = told.pop("rows")
    assert told == {"image": "toy.elf", "start": hex(start), "end": hex(start + 5)}
    assert (row["address"], row["symbol"], row["site"]) == (hex(start), "vfs_read", True)
    assert row["crosses"] is None
    assert row["file"].endswith("vfs.c")
    assert bytes.fromhex(row["bytes"]) == ElfImage.read(TOY).read_virtual(start, 5)
    assert set(row) == {
        "address", "bytes", "mnemonic", "operands", "symbol", "file", "line", "source", "site",
        "crosses",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("function", "border"),
    [
        ("ring_write", "an 8-byte word"),
        ("cross_line", "a cache line"),
        ("cross_page", "a page"),
    ],
)
def test_a_site_across_a_border_says_so(textpoke: Command, function: str, border: str) -> None:
    lines = textpoke("disasm", "toy", function).out.decode().splitlines()
    assert [line for line in lines if f"; crosses {border}" in line and " * " in line]
    assert sum("crosses" in line for line in lines) == 1


def test_what_is_not_there(textpoke: Command) -> None:
    assert "did you mean vfs_read" in textpoke("disasm", "toy", "vfs_raed").refusal()
    assert "give a range" in textpoke("disasm", "toy", "0x5").refusal()
    assert "at most 1048576" in textpoke("disasm", "toy", "0x0..0xffffffffff").refusal()
