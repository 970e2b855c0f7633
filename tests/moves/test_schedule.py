import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadSchedule
from emu.machine import boot, state, text
from emu.machine.setup import Setup
from emu.moves import chooser, move, plan, plan_data, schedule
from emu.moves.schedule import End, ImageId, MachineSetup, Schedule
from emu.moves.segment import Chosen, Moves
from tests.moves.strategies import json_values, moves, plans, schedules

STEPS = (
    plan.Phase("arm"),
    plan.Check(0xFFFFFFFF80202180, bytes.fromhex("0f1f440000")),
    plan.Store(0xFFFFFFFF80202180, b"\xcc"),
    plan.Rmw(0xFFFFFFFF80300000, -1),
    plan.Ipi(251, 15),
    plan.Wait("acknowledged", ((0xFFFFFFFF80300010, 4),)),
)
PLAN = plan.Plan(
    "patch vfs_read in",
    STEPS,
    (plan.Change(0xFFFFFFFF80202180, bytes.fromhex("0f1f440000"), bytes.fromhex("e8fbdeffff")),),
)
SAMPLE = Schedule(
    image=ImageId("toy.elf", "ab" * 32),
    machine=MachineSetup(4, 64, "load", "sdm"),
    instructions=2_000_000_000,
    plans=(PLAN,),
    segments=(
        Moves.of([move.Run(0, 100), move.Fetch(1, (2, 1)), move.Patch(), move.Request(0)]),
        Chosen("random", 7, 100, 5321, hash="cd" * 16),
    ),
    end=End("ef" * 16, "torn", {"calls": 12}),
)
CHOSEN = dataclasses.replace(
    SAMPLE, machine=dataclasses.replace(SAMPLE.machine, clock="chosen"), segments=()
)


RECORDED = sorted((Path(__file__).parents[2] / "resources" / "schedules").glob("*.json"))


def document() -> dict[str, Any]:
    return copy.deepcopy(SAMPLE.to_json())


ROUND = {"chooser": "round-robin", "seed": 0, "quantum": 100, "count": 9}


def refusal(data: object) -> str:
    with pytest.raises(BadSchedule) as caught:
        Schedule.from_json(data, "run.json")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("run.json: ")
    return message


# --- what is written is what is read -----------------------------------------------------------


@given(schedules)
def test_every_schedule_comes_back_from_json(made: Schedule) -> None:
    assert Schedule.from_json(json.loads(json.dumps(made.to_json()))) == made


@given(plans)
def test_every_plan_comes_back(made: plan.Plan) -> None:
    one = dataclasses.replace(SAMPLE, plans=(made,))
    assert Schedule.from_json(one.to_json()).plans == (made,)


@given(st.lists(moves))
def test_every_move_comes_back(made: list[move.Move]) -> None:
    one = dataclasses.replace(CHOSEN, plans=(PLAN,) * 3, segments=(Moves.of(made),))
    (segment,) = Schedule.from_json(one.to_json()).segments
    assert isinstance(segment, Moves)
    assert [move.decode(row) for row in segment.rows] == made


def test_recorded_schedules_are_read_and_written_unchanged(tmp_path: Path) -> None:
    assert RECORDED
    for path in RECORDED:
        Schedule.read(path).write(tmp_path / path.name)
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_file_comes_back_and_is_the_same_when_written_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    SAMPLE.write(first)
    read = Schedule.read(first)
    read.write(second)
    assert read == SAMPLE
    assert first.read_bytes() == second.read_bytes()


def test_a_step_or_a_move_has_a_line_of_its_own_in_a_long_list(tmp_path: Path) -> None:
    long = dataclasses.replace(SAMPLE, segments=(Moves.of([move.Run(0, 9)] * 50),))
    long.write(tmp_path / "a.json")
    lines = (tmp_path / "a.json").read_text().splitlines()
    assert [line.strip(" ,") for line in lines].count('"run 0 9"') == 50
    assert ["store", "ffffffff80202180", "cc"] in [
        json.loads(line.strip(" ,")) for line in lines if '["store"' in line
    ]
    assert max(map(len, lines)) <= 100


def test_what_a_recorder_leaves_in_a_row_makes_no_other_schedule() -> None:
    rows = move.encode([move.Run(0, 5), move.Patch()])
    rows["ages"], rows["length"], rows["actor"][1] = 7, 3, 4
    assert Moves(rows) == Moves.of([move.Run(0, 5), move.Patch()])


def test_names_from_an_image_are_made_printable_when_written() -> None:
    odd = dataclasses.replace(
        SAMPLE,
        image=ImageId("toy\x1b[2J.elf", "ab" * 32),
        plans=(dataclasses.replace(PLAN, name="x" * 1000),),
    )
    read = Schedule.from_json(odd.to_json())
    assert read.image.name == "toy\\x1b[2J.elf"
    assert len(read.plans[0].name) == plan_data.MAX_LABEL


def test_a_chooser_goes_on_where_it_was() -> None:
    picks = chooser.random(7, faults=50)
    picks.native[2], picks.random[0] = 3, 1 << 63
    made = Chosen("random", 7, 100, 5, start=Chosen.start_of(picks), faults=50).make()
    assert made.native.tolist() == picks.native.tolist()
    assert made.random.tolist() == picks.random.tolist()


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("machine", "cores"), 9, "machine.cores is 9, but must be 1 to 8"),
        (("machine", "cores"), 0, "machine.cores is 0"),
        (("machine", "cores"), True, "machine.cores is true, but must be a whole number"),
        (("machine", "cores"), "4", "machine.cores is '4'"),
        (("machine", "cores"), [4], "machine.cores is a list"),
        (("machine", "ram_mib"), 1 << 40, "machine.ram_mib"),
        (("machine", "model"), "sdmm", "must be coherent or observed or intel2010 or sdm"),
        (("machine", "clock"), "wall", "machine.clock is 'wall', but must be counted or chosen"),
        (("machine", "clock"), None, "machine.clock is null"),
        (("machine", "ns_per_instruction"), 2, "machine.ns_per_instruction"),
        (("machine", "command_line"), "x" * 2048, "machine.command_line has 2048 characters"),
        (("machine", "command_line"), "a\0b", "machine.command_line"),
        (("machine", "command_line"), "\ud800", "machine.command_line"),
        (("machine", "coers"), 4, "machine has an unknown key 'coers': did you mean 'cores'?"),
        (("image", "sha256"), "ab", "image.sha256 has 1 bytes, but must have 32"),
        (("image", "sha256"), "AB" * 32, "image.sha256"),
        (("image", "name"), "\x1b[2J", "image.name"),
        (("bounds", "instructions"), 0, "bounds.instructions"),
        (("bounds", "instructions"), 1 << 63, "bounds.instructions"),
        (("plans",), [{}] * 4097, "plans has 4097 elements"),
        (("plans", 0, "steps", 0), ["phase", "lunch"], "plans[0].steps[0][1] is 'lunch'"),
        (("plans", 0, "steps", 0), ["phase", "arm", 1], "plans[0].steps[0]"),
        (("plans", 0, "steps", 0), ["jump", "arm"], "plans[0].steps[0][0] is 'jump'"),
        (("plans", 0, "steps", 0), [], "plans[0].steps[0] has 0 elements"),
        (("plans", 0, "steps", 2, 2), "00" * 9, "plans[0].steps[2][2] has 9 bytes"),
        (("plans", 0, "steps", 2, 2), "0", "must be bytes in hex"),
        (("plans", 0, "steps", 2, 1), "f" * 17, "must be an address in hex"),
        (("plans", 0, "steps", 1, 1), "f" * 16, "where 5 bytes do not fit"),
        (("plans", 0, "steps", 3, 1), "3", "is 3, but must be a multiple of 4"),
        (("plans", 0, "steps", 3, 2), 1 << 31, "plans[0].steps[3][2]"),
        (("plans", 0, "steps", 4, 1), 15, "plans[0].steps[4][1] is 15"),
        (("plans", 0, "steps", 4, 2), 16, "plans[0].steps[4][2] is 16, but must be 0 to 15"),
        (("plans", 0, "steps", 5, 2), [["0", 0]] * 10, "plans[0].steps[5][2] has 10"),
        (("plans", 0, "steps", 5, 2, 0, 1), 1 << 32, "plans[0].steps[5][2][0][1]"),
        (("plans", 0, "changes", 0, 2), "00", "plans[0].changes[0][2] has 1 bytes"),
        (("segments", 0, "moves", 0), "run 4 1", "segments[0].moves[0] is 'run 4 1', but"),
        (("segments", 0, "moves", 0), "run 0 0", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "run 0 4294967296", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "run 0 01", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "run 0  1", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "run 0 1\n", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "run 0 \u0661", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "fetch 0", "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "fetch 0 256", "an age is 0 to 255"),
        (("segments", 0, "moves", 0), "fetch 0" + " 1" * 16, "segments[0].moves[0]"),
        (("segments", 0, "moves", 0), "request 1", "there are 1 plans"),
        (("segments", 0, "moves", 0), "jump 1", "but must begin with run, fetch, patch, request"),
        (("segments", 0, "moves", 0), "run 1", "but must be run CORE COUNT"),
        (("segments", 0, "moves", 0), "tick 1", "but the clock is counted: timers expire"),
        (("segments", 0, "moves", 0), "deliver 1 48", "but the clock is counted"),
        (("segments", 0, "moves", 0), 7, "segments[0].moves[0] is not text"),
        (("segments", 0, "moves"), {}, "segments[0].moves is an object"),
        (("segments", 0, "seed"), 7, "segments[0] has an unknown key 'seed'"),
        (("segments", 1, "chooser"), "script", "must be round-robin or random"),
        (("segments", 1, "seed"), 1 << 64, "segments[1].seed"),
        (("segments", 1, "seed"), -1, "segments[1].seed"),
        (("segments", 1, "quantum"), 0, "segments[1].quantum"),
        (("segments", 1, "start"), {"last": 5, "state": "0" * 16}, "segments[1].start.last"),
        (("segments", 1, "start"), {"last": 0, "state": 5}, "segments[1].start.state"),
        (("segments", 1, "hash"), "xyz", "segments[1].hash"),
        (("segments", 1, "faults"), 0, "segments[1].faults is 0, but must be 1 to 4294967295"),
        (("segments", 1, "faults"), 1 << 32, "segments[1].faults"),
        (("segments", 1), ROUND | {"faults": 9}, "segments[1].faults is there, but only a random"),
        (("end", "counts"), [1], "end.counts"),
        (("end", "counts"), {"calls": -1}, "end.counts.calls is -1"),
        (("end", "counts"), {str(n): n for n in range(65)}, "end.counts"),
        (("end", "verdict"), "to\nrn", "end.verdict"),
        (("version",), 0, "version is 0"),
        (("version",), "1", "version is '1'"),
        (("more",), 1, "has an unknown key 'more'"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_its_place(
    path: tuple[str | int, ...], value: object, said: str
) -> None:
    data = document()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert said in refusal(data)


def test_a_missing_key_is_named() -> None:
    data = document()
    del data["machine"]["ram_mib"]
    assert refusal(data) == "run.json: machine has no 'ram_mib', which it needs"


def test_more_moves_than_a_schedule_may_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emu.moves.segment.MAX_MOVES", 7)
    data = document()
    data["segments"] = [{"moves": ["patch"] * 4}] * 2
    assert "segments[1].moves has 4 elements" in refusal(data)


def test_a_newer_format_is_named() -> None:
    said = refusal({"format": schedule.FORMAT, "version": 2, "anything": {}})
    assert "was written by a newer textpoke (format 2), this one reads 1" in said


@pytest.mark.parametrize("data", [{}, [], None, 3, {"format": "lesson"}])
def test_another_file_is_not_a_schedule(data: object) -> None:
    assert "not a schedule" in refusal(data)


def test_another_image_is_named() -> None:
    SAMPLE.check_image("ab" * 32)
    with pytest.raises(BadSchedule, match=r"for toy\.elf \(sha256 abab.* not for other\.elf .*cd"):
        SAMPLE.check_image("cd" * 32, "other.elf")


@given(json_values)
def test_any_json_is_a_schedule_or_refused(data: object) -> None:
    with pytest.raises(BadSchedule):
        Schedule.from_json(data)


@given(st.data(), json_values)
def test_any_value_in_any_place_is_accepted_or_refused(data: st.DataObject, value: object) -> None:
    changed = document()
    place: Any = changed
    for _ in range(8):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = copy.deepcopy(value)
            break
        place = place[key]
    try:
        read = Schedule.from_json(changed)
    except BadSchedule:
        return
    assert Schedule.from_json(read.to_json()) == read


# --- the same bounds as in the machine ----------------------------------------------------------


def test_a_schedule_can_say_whatever_a_machine_can_be() -> None:
    assert schedule.MODELS == text.MODELS
    assert schedule.MAX_CORES == state.MAX_CORES
    fields = [field.name for field in dataclasses.fields(Setup)]
    assert fields == ["image", "sha256", *(f.name for f in dataclasses.fields(MachineSetup))]
    assert schedule.MAX_RAM_MIB == boot.MAX_RAM >> 20
    assert schedule.MAX_COMMAND_LINE == boot.MAX_COMMAND_LINE - 1
    assert len(state.allocate(1, np.zeros(1 << 12, np.uint8)).wait) == plan_data.MAX_WORDS
    assert move.ROW.itemsize == state.MOVE_BYTES
