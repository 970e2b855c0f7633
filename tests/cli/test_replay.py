import json
from pathlib import Path
from typing import Any

import pytest

from emu import resources
from tests.cli.conftest import Command

RUN = ("run", "toy", "--cores", 2, "--seed", 3, "--steps", "100_000", "--hash")


@pytest.fixture
def saved(textpoke: Command, tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    assert textpoke(*RUN, "--save", path).status == 6
    return path


def change(path: Path, *way: str | int, to: object) -> None:
    """Put another value into a schedule."""
    document: Any = json.loads(path.read_text())
    place = document
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = to
    path.write_text(json.dumps(document))


def test_a_saved_run_comes_to_the_same_state(textpoke: Command, saved: Path) -> None:
    said = textpoke("replay", saved, "--hash")
    assert (said.status, said.err) == (0, "")
    assert said.out.split()[-1] == textpoke(*RUN).out.split()[-1]


def test_a_schedule_that_is_cut(textpoke: Command, saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    assert "cut off in line" in textpoke("replay", saved).refusal()


def test_a_schedule_for_another_image(textpoke: Command, saved: Path) -> None:
    change(saved, "image", "sha256", to="ab" * 32)
    assert "the schedule is for toy.elf (sha256 abab" in textpoke("replay", saved).refusal()


def test_a_schedule_of_a_newer_format(textpoke: Command, saved: Path) -> None:
    change(saved, "version", to=2)
    said = textpoke("replay", saved).refusal()
    assert "was written by a newer textpoke (format 2), this one reads 1" in said


def test_a_schedule_with_nonsense(textpoke: Command, saved: Path) -> None:
    change(saved, "machine", "cores", to=99)
    assert "machine.cores is 99, but must be 1 to 8" in textpoke("replay", saved).refusal()


def test_a_schedule_that_ends_elsewhere(textpoke: Command, saved: Path) -> None:
    change(saved, "segments", 0, "seed", to=4)
    refusal = textpoke("replay", saved).refusal()
    assert "the schedule says" in refusal or "the bound of the schedule is passed" in refusal


def test_what_is_no_schedule(textpoke: Command, tmp_path: Path) -> None:
    assert "No such file" in textpoke("replay", tmp_path / "none.json").refusal()
    assert "not a schedule" in textpoke("replay", resources.toy()).refusal()


def test_the_fetches_of_an_interval(textpoke: Command, saved: Path) -> None:
    said = textpoke("replay", saved, "--fetches", "0..60_000")
    assert (said.status, said.err) == (0, "")
    lines = said.out.decode().splitlines()
    assert len(lines) == 60_000
    time, core, address, where, *rest = lines[50_000].split()
    assert int(time) >= 50_000
    assert core in "01"
    assert int(address, 16) >> 31 == 0x1FFFFFFFF
    assert where.partition("+")[0].isidentifier()
    assert len(rest) >= 2
    again = textpoke("replay", saved, "--fetches", "50000..50001", "--json")
    (fetch,) = json.loads(again.out)["fetches"]
    assert (fetch["number"], fetch["time"], fetch["core"]) == (50_000, int(time), int(core))
    assert (fetch["address"], fetch["symbol"]) == (f"{int(address, 16):#x}", where)
    assert " ".join(rest) == f"{bytes.fromhex(fetch['code']).hex(' ')} " + " ".join(
        fetch["text"].split()
    )


@pytest.mark.parametrize(
    "interval", ["", "5", "5..", "9..8", "-1..5", "a..b", "_.._", "0..1000001"]
)
def test_what_is_no_interval(textpoke: Command, saved: Path, interval: str) -> None:
    said = textpoke("replay", saved, f"--fetches={interval}").refusal()
    assert "is not an interval" in said or "more than 1,000,000" in said
