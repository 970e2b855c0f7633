"""textpoke demo: the transcript, the statuses, and a person at a terminal."""

import json
import os
import re
from pathlib import Path

import pytest

from emu.moves.schedule import Schedule
from tests.cli.conftest import Command
from tests.cli.person import Person

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "demo-seed-1.txt"
REWRITE = "TEXTPOKE_REWRITE_GOLDEN"
"""Set it in the environment to have the golden transcript written anew, after toy.elf changed."""

PHASES = ["arm", "int3", "sync1", "tail", "sync2", "head", "sync3", "drain", "done"]


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_the_transcript_is_the_golden_one(textpoke: Command) -> None:
    said = textpoke("demo", "--auto", "--seed", 1)
    assert (said.status, said.err) == (0, "")
    text = said.out.decode()
    if os.environ.get(REWRITE):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_transcript_fits_a_terminal_and_needs_no_colour(textpoke: Command) -> None:
    text = textpoke("demo", "--auto", "--seed", 1).out.decode()
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    titles = re.findall(r"^(\d)/9 (\w+) · ", text, re.MULTILINE)
    assert titles == [(str(n + 1), name) for n, name in enumerate(PHASES)]
    assert text.splitlines()[-1] == "verdict: safe"


def test_colour_adds_nothing(textpoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = textpoke("demo", "--auto", "--seed", 1).out.decode()
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = textpoke("demo", "--auto", "--seed", 1).out.decode()
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize(
    ("broken", "status", "says"),
    [
        ("arm", 14, "unhandled int3"),
        ("int3", 16, "harmful"),
        ("sync1", 16, "harmful"),
        ("tail-first", 16, "harmful"),
        ("head-first", 16, "harmful"),
        ("sync2", 16, "harmful"),
        ("sync3", 14, "unhandled int3"),
        ("unsorted", 14, "unhandled int3"),
        ("emulate", 12, "lost or late"),
        ("missed-core", 14, "unhandled int3"),
        ("drain", 0, "safe"),
    ],
)
def test_a_break_is_shown_by_a_recorded_run(
    textpoke: Command, broken: str, status: int, says: str
) -> None:
    said = textpoke("demo", "--auto", "--break", broken)
    lines = said.out.decode().splitlines()
    assert (said.status, said.err) == (status, "")
    assert f"Broken on purpose ({broken}): " in said.out.decode()
    assert lines[-1].startswith(f"verdict: {says}")
    assert "a recorded run" in lines[0] + lines[1]
    died = "The kernel has died." in said.out.decode()
    assert died or status != 14  # harm need not kill
    assert not died or status >= 14


def test_a_hazard_alone_is_status_8(textpoke: Command) -> None:
    said = textpoke("demo", "--auto", "--break", "tail-first", "--seed", 14, "--json")
    document = json.loads(said.out)
    counts = document["counts"]
    assert (said.status, document["status"]) == (8, 8)
    assert counts["hazard"] > 0
    assert (counts["torn"], counts["lost"], counts["late"], counts["unhandled"]) == (0, 0, 0, 0)


def test_json_is_one_line(textpoke: Command) -> None:
    said = textpoke("demo", "--json", "--seed", 1)
    (line,) = said.out.decode().splitlines()
    document = json.loads(line)
    assert (said.status, document["verdict"], document["cores"]) == (0, "safe", 4)
    assert f"calls {document['counts']['calls']:,} = old body" in GOLDEN.read_text()


def test_a_saved_demo_replays_to_its_state(textpoke: Command, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    said = textpoke("demo", "--json", "--seed", 2, "--cores", 2, "--save", path)
    document = json.loads(said.out)
    again = json.loads(textpoke("replay", path, "--json").out)
    assert again["hash"] == document["hash"]
    assert again["counts"] == document["counts"]
    assert Schedule.read(path).machine.cores == 2
    other = textpoke("demo", "--json", "--seed", 3, "--cores", 2)
    assert json.loads(other.out)["hash"] != document["hash"]


def test_a_saved_break_replays_to_its_status(textpoke: Command, tmp_path: Path) -> None:
    path = tmp_path / "emulate.json"
    assert textpoke("demo", "--auto", "--break", "emulate", "--save", path).status == 12
    said = textpoke("replay", path)
    assert (said.status, said.err) == (12, "")
    live = textpoke("demo", "--auto", "--break", "int3", "--seed", 1, "--save", path)
    assert live.status == textpoke("replay", path).status == 16


def test_what_the_demo_refuses(textpoke: Command, tmp_path: Path) -> None:
    said = textpoke("demo", "--auto", "--break", "sync4").refusal()
    assert "no break 'sync4': there are arm, int3, sync1, tail-first" in said
    assert "no fetch model 'x86'" in textpoke("demo", "--auto", "--model", "x86").refusal()
    textpoke("demo", "--cores", 9).refusal()
    textpoke("demo", "--auto", "--save", tmp_path / "none" / "run.json").refusal()


def test_enter_goes_on_and_q_leaves() -> None:
    person = Person("demo", "--seed", 1)
    for _ in range(3):
        person.read_until("q: leave")
        person.type("\n")
    person.read_until("q: leave")
    person.type("q\n")
    assert person.end() == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", person.shown)
    assert [name for name in PHASES if f" {name} · " in shown] == ["arm", "int3", "sync1"]
    assert "verdict: safe" in shown


def test_what_is_typed_before_the_first_question_is_no_answer() -> None:
    person = Person("demo", "--seed", 1)
    person.type("q\n")  # while it boots
    person.read_until("q: leave")
    person.type("\n")
    person.read_until("q: leave")
    person.type("q\n")
    assert person.end() == 0


def test_auto_does_not_wait_at_a_terminal() -> None:
    person = Person("demo", "--auto", "--break", "int3")
    assert person.end() == 16
    assert "q: leave" not in person.shown
