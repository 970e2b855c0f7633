"""The README is true: its picture is the demo's, and what it says can be typed works."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.patch.c_source import needs_gcc

needs_qt = pytest.mark.skipif(find_spec("PySide6") is None, reason="PySide6 is not installed")
ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = [
    block
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    if not language
]


def textpoke(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, 80 columns wide."""
    return subprocess.run(
        [sys.executable, "-m", "emu.cli.main", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def squeezed(text: str) -> str:
    """Return text without the blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_its_picture_is_what_the_demo_shows(tmp_path: Path) -> None:
    """Every block of the README is in the output of the demo with seed 1."""
    shown = squeezed(textpoke(["demo", "--auto", "--seed", "1"], tmp_path).stdout)
    assert BLOCKS
    for block in BLOCKS:
        for part in re.split(r"\n\n(?=\d/9)", squeezed(block)):
            assert part in shown


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("run toy --append selftest --hash", 1),  # a debug-exit of 0, as in QEMU
        ("patch toy vfs_read --with new.s", 0),
        ("symbols toy 'vfs_*'", 0),
        ("types toy 'struct task'", 0),
        ("disasm toy vfs_read", 0),
        ("doctor", 0),
        pytest.param("gui --screenshot tail.png --at tail", 0, marks=needs_qt),
        pytest.param(
            "gui --screenshot torn.png --break sync1 --at failure --theme dark --size 1280x720",
            0,
            marks=needs_qt,
        ),
        ("tasks toy --steps 1e6", 0),
        ("stack toy all", 0),
        ("stack toy --append load --seed 1", 0),
        ("run toy --append load --seed 1 --faults 3000 --steps 3e6", 6),
    ],
)
def test_its_commands_work(command: str, status: int, tmp_path: Path) -> None:
    """What README and documents show can be typed."""
    documents = [README, *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))]
    assert any(command.split(" --", maxsplit=1)[0] in document for document in documents)
    (tmp_path / "new.s").write_text("mov eax, 8\nret\n")
    ended = textpoke(shlex.split(command), tmp_path)
    assert ended.returncode == status, ended.stderr


@pytest.mark.slow
@needs_gcc
def test_its_fix_in_c_can_be_followed(tmp_path: Path) -> None:
    """The file, each of the commands and the lines of Python do what is said."""
    (fix,) = re.findall(r"```c\n(.*?)```", README, re.DOTALL)
    (commands,) = [
        block.splitlines()
        for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        if "fix.c" in block
    ]
    (python,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "fix.c").write_text(fix)
    assert len(commands) == 2
    for command in commands:
        ended = textpoke(shlex.split(command)[1:], tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == "textpoke: moves are chosen at random from seed 1\n"
        assert ended.stdout.endswith("verdict: safe\n")
    ran = subprocess.run(
        [sys.executable, "-c", python],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "[4, 4, 4, 4, 0, 0, 0, 0]\n1\n", ran.stderr


@pytest.mark.slow
def test_its_real_kernel_is_traced(tmp_path: Path, linux_file: Path) -> None:
    """Each of the commands behind `get`, which has fetched a kernel for the tests."""
    commands, typed = re.search(
        r"```sh\ntextpoke linux get\n(.*?)```.*?```text\n(.*?)```", README, re.DOTALL
    ).groups()  # type: ignore[union-attr] # it is there, or this fails
    (tmp_path / "trace.txt").write_text(typed)
    booting, tracing, breaking = commands.splitlines()
    ended = textpoke([*shlex.split(booting)[1:], str(linux_file)], tmp_path)
    assert ended.returncode == 0, ended.stderr
    ended = textpoke([*shlex.split(tracing)[1:], str(linux_file)], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "cmdline_proc_show (1)" in ended.stdout
    ended = textpoke([*shlex.split(breaking)[1:], str(linux_file)], tmp_path)
    assert ended.returncode in (0, 1), ended.stderr
    assert "core 1 executed" in ended.stderr or "core 1 lost" in ended.stderr


def test_what_is_said_of_objects_can_be_followed(tmp_path: Path) -> None:
    """The lines of Python in docs/objects.md, one after the other."""
    text = (ROOT / "docs" / "objects.md").read_text()
    ran = subprocess.run(
        [sys.executable, "-c", "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "(struct task){" in ran.stdout
    assert "struct task {" in ran.stdout


def test_what_is_said_of_a_stock_kernel_can_be_followed(linux_file: Path) -> None:
    """The lines for which one has to have a package."""
    text = (ROOT / "docs" / "objects.md").read_text()
    (code,) = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    code = re.sub(r'"linux-image[^"]*"', repr(str(linux_file)), code)
    assert str(linux_file) in code
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "swapper\n4026531837\n", ran.stderr


@pytest.mark.parametrize("name", re.findall(r"\]\(([^)]+)\)", README))
def test_its_links_lead_somewhere(name: str) -> None:
    """Every link is to a file of the project."""
    assert (ROOT / name).is_file()


def test_its_verbs_are_all_there_are(tmp_path: Path) -> None:
    """The table of verbs is the list that --help prints."""
    listed = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    helped = re.findall(r"^  (\w+)  ", textpoke(["--help"], tmp_path).stdout, re.MULTILINE)
    assert sorted(listed) == sorted(helped)
