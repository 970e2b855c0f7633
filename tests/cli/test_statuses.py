"""The table of exit statuses in the README is what happens."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.kernel_file import long_mode

README = (Path(__file__).parents[2] / "README.md").read_text()
TABLE = dict(re.findall(r"^\| (\d[\d, ]*|odd) \| (.*) \|$", README, re.MULTILINE))

RESET = "mov al, 0xfe; out 0x64, al; hlt"
SWITCH_OFF = "mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt"
DEBUG_EXIT = "mov al, 20; out 0xf4, al; hlt"

ENDS: list[tuple[str, str, str, list[object], int]] = [
    ("0", "reset the machine", RESET, [], 0),
    ("0", "switched it off", SWITCH_OFF, [], 0),
    ("0", "`--until` was seen", "mov dx, 0x3f8; mov al, 0x21; out dx, al", ["--until", "!"], 0),
    ("odd", "2V + 1", DEBUG_EXIT, [], 41),
    ("2", "bad input", "hlt", ["--cores", 9], 2),
    ("4", "nobody can move", "cli; hlt", [], 4),
    ("4", "a triple fault", "lidt [0x300000]; ud2", [], 4),
    ("6", "the bound", "jmp 0x200000", ["--steps", 9000], 6),
]


@pytest.mark.parametrize("end", ENDS, ids=[says for _, says, *_ in ENDS])
def test_a_run_ends_with_the_status_of_the_table(
    textpoke: Command, tmp_path: Path, end: tuple[str, str, str, list[object], int]
) -> None:
    row, says, code, words, status = end
    assert says in TABLE[row]
    assert textpoke("run", long_mode(tmp_path, code), "--cores", 1, *words).status == status


def test_the_table_has_them_all() -> None:
    """Of the others, 1 is tested in test_linux_boot, 3 in test_linux, 70 to 141 in test_main.

    Those of a patch are in test_demo.
    """
    others = {"1", "3", "8, 10, 12, 14, 16", "70, 74", "130, 141"}
    assert set(TABLE) == {*(row for row, *_ in ENDS), *others}
