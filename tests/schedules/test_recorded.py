"""Every recorded break replays to the state and the verdict it was recorded with.

The verdicts are those of the necessity matrix (tests/necessity.py, docs/breaks.md).
"""

import dataclasses
from pathlib import Path

import pytest

from emu.lab import Lab, boot
from emu.lab.scenario import FUNCTION, SECOND
from emu.moves.schedule import MODELS, Schedule
from emu.patch.breaks import BREAKS
from tests.make_schedules import wanted
from tests.necessity import Outcome, found, worst

FOLDER = Path(__file__).parents[2] / "resources" / "schedules"

CELLS = [(name, model) for name in BREAKS for model in MODELS]
IDS = [f"{name}-{model}" for name, model in CELLS]


def replayed(recorded: Schedule) -> Lab:
    """Make the moves of a schedule on a new machine."""
    setup = recorded.machine
    lab = boot(
        cores=setup.cores, ram_mib=setup.ram_mib, append=setup.command_line, model=setup.model
    )
    recorded.check_image(lab.image.boot_image.sha256)
    lab.replay(recorded)
    return lab


def test_there_is_a_schedule_for_every_break_and_model() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(IDS)


@pytest.mark.parametrize(("name", "model"), CELLS, ids=IDS)
def test_a_recorded_break_replays_to_its_state_and_verdict(name: str, model: str) -> None:
    recorded = Schedule.read(FOLDER / f"{name}-{model}.json")
    assert recorded.machine.model == model
    lab = replayed(recorded)
    assert recorded.end is not None
    assert lab.hash() == recorded.end.hash
    verdict = lab.verdict()
    assert dataclasses.asdict(verdict) == recorded.end.counts
    assert verdict.name == recorded.end.verdict
    assert worst(found(verdict)) is wanted(name, model)
    if name == "unsorted":
        assert len(recorded.plans[0].changes) == 2
        assert recorded.plans[0].changes[0].address > recorded.plans[0].changes[1].address
    else:
        straddles = model == "observed" and name in ("sync1", "sync2")
        changed = lab.image.symbols.describe(recorded.plans[0].changes[0].address)
        assert changed == (SECOND if straddles else FUNCTION)
    if wanted(name, model) is Outcome.SAFE:
        assert verdict.new > 0


def test_a_replay_is_recorded_as_what_it_was() -> None:
    recorded = Schedule.read(FOLDER / "emulate-sdm.json")
    again = replayed(recorded).schedule()
    assert again.end == recorded.end
    assert again.plans == recorded.plans
    assert again.image == recorded.image
