"""--snapshot and --from: a run that is left on disk, and goes on from there."""

import json
from pathlib import Path

import pytest

from emu import resources
from emu.errors import TextpokeError
from emu.lab import go_on
from tests.cli.conftest import Command
from tests.cli.kernel_file import long_mode
from tests.cli.person import Person
from tests.cli.test_interactive import DEAF, ECHO, PAGES

UNTIL = ("--append", "selftest", "--until", "toy kernel")


@pytest.fixture
def half(textpoke: Command, tmp_path: Path) -> Path:
    """A selftest of the toy kernel that has just begun."""
    file = tmp_path / "half.snapshot"
    said = textpoke("run", "toy", *UNTIL, "--snapshot", file)
    assert said.status == 0
    assert said.err == (
        f"textpoke: the machine is in {file}: textpoke run --from goes on with it\n"
    )
    return file


def test_a_run_goes_on_where_it_was_left(textpoke: Command, half: Path, tmp_path: Path) -> None:
    first = textpoke("run", "toy", *UNTIL, "--hash").out.split()[-1].decode()
    assert go_on(half).hash() == first
    rest = [textpoke("run", "--from", half, "--hash") for _ in range(2)]
    assert rest[0] == rest[1]
    assert rest[0].status == 1
    assert b"selftest: all ok" in rest[0].out
    assert b"toy kernel" not in rest[0].out
    again = tmp_path / "again.snapshot"
    for seed in (1, 2):
        words = ("--from", half, "--seed", seed, "--steps", 10_000, "--snapshot", again)
        assert textpoke("run", *words).status == 6
    assert textpoke("run", "--from", again).status == 1


def test_its_kernel_names_things(textpoke: Command, half: Path, tmp_path: Path) -> None:
    for words in ((), ("toy",), (resources.toy(),)):
        said = textpoke("run", "--from", half, *words, "--steps", 1, "--json")
        assert json.loads(said.out)["report"]["cores"][0]["source"] is not None
    image, file = long_mode(tmp_path, "again: nop; jmp again"), tmp_path / "loop.snapshot"
    assert textpoke("run", image, "--cores", 1, "--steps", 9000, "--snapshot", file).status == 6
    named = textpoke("run", "--from", file, image, "--steps", 100)
    bare = textpoke("run", "--from", file, "--steps", 100)
    assert (named.status, bare.status) == (6, 6)
    assert "core 0 in core0" in named.err
    assert "core 0 in 0x20000" in bare.err
    assert "is not that file" in textpoke("run", "--from", file, "toy").refusal()


def test_what_makes_no_sense(textpoke: Command, half: Path, tmp_path: Path) -> None:
    assert "IMAGE" in textpoke("run", "--snapshot", tmp_path / "x").refusal()
    for option, value in (("--cores", 4), ("--ram", 64), ("--append", ""), ("--clock", "counted")):
        assert option in textpoke("run", "--from", half, option, value).refusal()
    assert "--save" in textpoke("run", "--from", half, "--save", tmp_path / "x").refusal()
    assert "need a seed" in textpoke("run", "--from", half, "--faults", 9).refusal()
    assert "no folder" in textpoke("run", "toy", "--snapshot", tmp_path / "a" / "b").refusal()
    assert "No such file" in textpoke("run", "--from", tmp_path / "none").refusal()
    assert "not a snapshot" in textpoke("run", "--from", resources.toy()).refusal()
    with pytest.raises(TextpokeError, match="where the machine is switched on"):
        go_on(half).schedule()


def test_of_a_machine_that_ended_there_is_none(textpoke: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.snapshot"
    said = textpoke(
        "run", long_mode(tmp_path, "mov al, 1; out 0xf4, al"), "--cores", 1, "--snapshot", file
    )
    assert (said.status, file.exists()) == (3, False)
    assert "the machine has ended" in said.err


def test_where_nobody_can_move_there_is_one(textpoke: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.snapshot"
    image = long_mode(tmp_path, DEAF)
    assert textpoke("run", image, "--cores", 1, "--snapshot", file).status == 4
    assert textpoke("run", "--from", file).status == 4


def test_a_person_writes_one_and_goes_on(textpoke: Command, tmp_path: Path) -> None:
    file = tmp_path / "echo.snapshot"
    image = long_mode(tmp_path, ECHO, pages=PAGES)
    person = Person("run", image, "--cores", 1, "--snapshot", file)
    person.read_until(">")
    person.type("ab")
    person.read_until("ab")
    person.type("\x01s")
    person.read_until("goes on with it")
    written = file.read_bytes()
    person.type("c")
    person.read_until("c")
    person.type("\x01x")
    assert person.end() == 0
    assert file.read_bytes() != written  # leaving writes it again
    words = tmp_path / "words"
    words.write_bytes(b"dq")
    said = textpoke("run", "--from", file, "--input", words)
    assert (said.status, said.out) == (0, b"dq")
