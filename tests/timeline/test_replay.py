"""A run that was recorded is made again, to the same state and the same verdict."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emu.errors import BadSchedule, TextpokeError
from emu.lab import Lab
from emu.machine import state
from emu.machine.events import PROBE
from emu.moves import move
from emu.moves.fault import DropIpi
from emu.moves.plan import Plan, Store
from emu.moves.schedule import Schedule
from emu.moves.segment import Chosen, Moves, Segment
from emu.patch.breaks import BREAKS
from tests.labs import MODELS
from tests.timeline.runs import patched, replayed, spelled_out


def alike(one: Lab, other: Lab) -> None:
    """Assert that two runs ended in the same state, having seen the same."""
    assert one.hash() == other.hash()
    assert one.verdict() == other.verdict()
    assert one.machine.retired() == other.machine.retired()
    assert one.machine.moves == other.machine.moves
    assert one.machine.output == other.machine.output
    tables = [lab.machine.events.since(0) for lab in (one, other)]
    own = [table[table[:, state.E_KIND] < PROBE] for table in tables]
    assert np.array_equal(own[0], own[1])


@settings(max_examples=6, deadline=None, derandomize=True, phases=(Phase.generate,))
@given(
    model=st.sampled_from(MODELS),
    seed=st.integers(0, (1 << 64) - 1),
    broken=st.sampled_from([None, *BREAKS]),
)
def test_record_write_read_replay(
    tmp_path_factory: pytest.TempPathFactory, model: str, seed: int, broken: str | None
) -> None:
    lab = patched(model, seed, broken)
    path = tmp_path_factory.mktemp("replay") / "run.json"
    lab.schedule().write(path)
    again = replayed(Schedule.read(path))
    alike(lab, again)
    assert again.schedule() == lab.schedule()  # and so is a recording of the replay


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("broken", [None, *BREAKS])
def test_every_break_under_every_model(model: str, broken: str | None) -> None:
    lab = patched(model, 77, broken)
    alike(lab, replayed(lab.schedule()))


def test_another_seed_ends_in_another_state() -> None:
    assert patched("sdm", 1).hash() != patched("sdm", 2).hash()


def test_moves_one_by_one_replay_and_are_recorded_again() -> None:
    schedule, end = spelled_out("sdm", 5)
    kinds = {int(kind) for kind in schedule.segments[2].rows["kind"]}  # type: ignore[union-attr]
    assert kinds == {move.RUN, move.FETCH, move.PATCH}
    lab = replayed(schedule)
    assert lab.hash() == end
    again = lab.schedule()
    assert moves(again.segments) == moves(schedule.segments)
    assert replayed(again).hash() == end


def moves(segments: tuple[Segment, ...]) -> bytes:
    """Return all moves of explicit segments, however they are cut."""
    return b"".join(segment.rows.tobytes() for segment in segments if isinstance(segment, Moves))


def never_the_same(schedule: Schedule) -> None:
    """Assert that a schedule is refused, or ends in another state than it says."""
    assert schedule.end is not None
    try:
        lab = replayed(schedule)
    except TextpokeError:
        return
    assert lab.hash() != schedule.end.hash


@pytest.mark.parametrize("change", ["one less", "one more", "seed", "quantum", "actors", "gone"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_changed_segment_never_ends_in_the_same_state(change: str, which: int) -> None:
    schedule = patched("sdm", 3).schedule()
    segments = list(schedule.segments)
    places = [at for at, each in enumerate(segments) if isinstance(each, Chosen)]
    at = places[which]
    old = segments[at]
    assert isinstance(old, Chosen)
    if change == "gone":
        del segments[at]
    else:
        changes: dict[str, dict[str, object]] = {
            "one less": {"count": old.count - 1},
            "one more": {"count": old.count + 1},
            "seed": {"seed": old.seed + 1, "start": None},
            "quantum": {"quantum": old.quantum + 1},
            "actors": {"actors": 0b10111},
        }
        segments[at] = dataclasses.replace(old, **changes[change])  # type: ignore[arg-type]
    never_the_same(dataclasses.replace(schedule, segments=tuple(segments)))


def with_a_stale_fetch() -> tuple[Schedule, NDArray[np.void], list[int]]:
    """Return a schedule of moves one by one, its last segment, and where a fetch is stale there."""
    for seed in range(1, 30):
        schedule, _ = spelled_out("sdm", seed)
        rows = schedule.segments[2].rows  # type: ignore[union-attr]
        fetches = np.flatnonzero((rows["kind"] == move.FETCH) & (rows["length"] > 0))
        if stale := [int(at) for at in fetches if rows[at]["ages"][0] > 0]:
            return schedule, rows, stale[:1]
    raise AssertionError("no seed has a stale fetch")


def executes(schedule: Schedule, rows: NDArray[np.void], at: int) -> bool:
    """Return whether anything is executed by the move: some Runs end before their first."""
    retired = [
        replayed(
            dataclasses.replace(
                schedule, segments=(*schedule.segments[:2], Moves(rows[:end])), end=None
            )
        ).machine.retired()
        for end in (at, at + 1)
    ]
    return retired[0] != retired[1]


def test_a_changed_move_never_ends_in_the_same_state() -> None:
    schedule, rows, stale = with_a_stale_fetch()
    patches = [int(at) for at in np.flatnonzero(rows["kind"] == move.PATCH)]
    runs = [int(at) for at in np.flatnonzero(rows["kind"] == move.RUN)]
    middle = runs[len(runs) // 2 :]
    runs = [runs[0], next(at for at in middle if executes(schedule, rows, at)), runs[-1]]
    for at in (patches[0], patches[-1], *runs, *stale):
        without = Moves(np.delete(rows, at))
        segments = (*schedule.segments[:2], without)
        never_the_same(dataclasses.replace(schedule, segments=segments))
    for at in stale:
        newest = rows.copy()
        newest[at]["ages"][0] = 0
        segments = (*schedule.segments[:2], Moves(newest))
        never_the_same(dataclasses.replace(schedule, segments=segments))


def test_a_changed_plan_never_ends_in_the_same_state() -> None:
    schedule = patched("sdm", 4).schedule()
    (inward, outward) = schedule.plans
    stores = [at for at, step in enumerate(inward.steps) if isinstance(step, Store)]
    for at in stores[:3]:  # the trampoline and the replacement
        steps = list(inward.steps)
        step = steps[at]
        assert isinstance(step, Store)
        steps[at] = Store(step.address, bytes([step.data[0] ^ 1, *step.data[1:]]))
        changed = Plan(inward.name, tuple(steps), inward.changes)
        never_the_same(dataclasses.replace(schedule, plans=(changed, outward)))
    never_the_same(dataclasses.replace(schedule, plans=(outward, inward)))


def test_a_wrong_hash_of_a_segment_is_found_where_it_is(tmp_path: Path) -> None:
    schedule = patched("sdm", 8).schedule()
    first = schedule.segments[0]
    assert isinstance(first, Chosen)
    wrong = dataclasses.replace(first, hash="00" * 16)
    changed = dataclasses.replace(schedule, segments=(wrong, *schedule.segments[1:]))
    path = tmp_path / "changed.json"
    changed.write(path)
    with pytest.raises(BadSchedule, match="segment 0 ends in another state"):
        replayed(Schedule.read(path))


def test_a_move_that_is_not_possible_is_named_and_no_step_of_the_patcher() -> None:
    schedule, _ = spelled_out("sdm", 5)
    lost = Moves.of([DropIpi(0, 251), move.Patch()])
    changed = dataclasses.replace(schedule, segments=(*schedule.segments[:2], lost))
    with pytest.raises(BadSchedule, match=r"segment 2, move 0 \(fault drop-ipi 0 251\)"):
        replayed(changed)


def test_a_replay_goes_on_where_it_ends() -> None:
    lab = patched("sdm", 9)
    again = replayed(lab.schedule())
    for each in (lab, again):
        each.run(instructions=10_000)
    alike(lab, again)
