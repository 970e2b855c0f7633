"""The player goes where its buttons say, and what was seen is seen again."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from emu import resources
from emu.errors import BadSchedule, GuestDied, PokeError, TextpokeError
from emu.lab import boot
from emu.lab import player as playing
from emu.lab.end import End
from emu.lab.player import Player
from emu.lab.rounds import Rounds
from emu.lab.scenario import Scenario, recorded_break
from emu.machine.hashing import state_hash
from emu.moves.plan import PHASES, Check, Phase, Plan
from emu.moves.schedule import Schedule
from emu.patch.redirect import Redirect
from emu.timeline.mark import Mark
from tests.labs import STOPS

CORES = 4


@pytest.fixture(scope="module")
def shared() -> Player:
    """A player for tests that do not mind where it has been."""
    return Player.live(Scenario(seed=11))


def rounds_of(player: Player) -> Rounds:
    """The run of a kernel that we patch."""
    assert isinstance(player.rounds, Rounds)
    return player.rounds


def seen(player: Player) -> tuple[Mark, int, str]:
    """Return where a player stands, and the state of the machine there."""
    moment = player.moment
    return moment.mark, moment.time, state_hash(moment.machine, moment.patcher.state())


def executed(player: Player) -> list[int]:
    return [player.moment.machine.retired_by(core) for core in range(CORES)]


def recorded(name: str) -> Schedule:
    path = resources.schedule(name)
    assert path is not None
    return Schedule.read(path)


def test_next_phase_goes_through_the_phases_in_and_out_and_back_again() -> None:
    player = Player.live(Scenario(seed=12))
    there = [seen(player)]
    names = []
    for _ in range(2 * len(STOPS)):
        player.next_phase()
        names.append(player.phase)
        there.append(seen(player))
    assert names == [*STOPS, *STOPS]
    assert rounds_of(player).ends[0].plan == 1
    assert rounds_of(player).ends[-1].plan == 2
    back = [seen(player)]
    for _ in range(2 * len(STOPS)):
        player.previous_phase()
        back.append(seen(player))
    assert back == there[::-1]
    player.previous_phase()
    assert seen(player) == there[0]
    again = [seen(player)]
    for _ in range(2 * len(STOPS)):
        player.next_phase()
        again.append(seen(player))
    assert again == there
    assert player.at_edge


def test_a_step_at_the_edge_is_one_instruction_of_one_core(shared: Player) -> None:
    shared.go_to_edge()
    for core in (2, 0, 3, 1, 1):
        before = executed(shared)
        shared.step(core)
        assert [b - a for a, b in zip(before, executed(shared), strict=True)] == [
            int(each == core) for each in range(CORES)
        ]
        assert shared.at_edge


def test_a_step_back_of_a_core_undoes_its_last_instruction(shared: Player) -> None:
    shared.go_to_edge()
    shared.play(1_000)
    for core in (1, 1, 3):
        before = executed(shared)[core]
        shared.back(core)
        assert executed(shared)[core] == before - 1
        there = seen(shared)
        shared.step(core)
        assert executed(shared)[core] == before
        shared.back(core)
        assert seen(shared) == there


def test_steps_from_the_past_follow_the_record(shared: Player) -> None:
    shared.go_to_edge()
    shared.play(500)
    end = seen(shared)
    for _ in range(20):
        shared.back()
    assert not shared.at_edge
    for _ in range(20):
        shared.step()
    assert seen(shared) == end


def test_the_run_after_looking_back_is_the_run_without() -> None:
    ends = []
    for looking in (True, False):
        player = Player.live(Scenario(seed=13))
        for _ in range(4):
            player.next_phase()
            if looking:
                player.back(2)
                player.previous_phase()
                player.go(player.lab.machine.now - 700)
                player.go_to_edge()
        player.play(50_000)
        ends.append((player.lab.hash(), player.lab.verdict()))
    assert ends[0] == ends[1]


def test_the_patcher_steps_alone(shared: Player) -> None:
    shared.go_to_edge()
    _idle(shared)
    rounds_of(shared).request()
    shared.go_to_edge()
    index = shared.lab.patcher.index
    before = executed(shared)
    shared.step(CORES)
    assert shared.lab.patcher.index == index + 1
    assert executed(shared) == before
    _idle(shared)
    with pytest.raises(TextpokeError, match="the patcher cannot move"):
        shared.step(CORES)


def _idle(player: Player) -> None:
    """Go on until the patcher has no plan."""
    while not player.lab.patcher.done:
        player.next_phase()


def test_a_core_that_sleeps_wakes_first() -> None:
    player = Player.live(Scenario(seed=14, append="load turns=3 tasks=1"))
    asleep: list[int] = []
    while not asleep and player.end is None:
        player.play(1_000)
        standing = map(player.lab.machine.standing, range(CORES))
        asleep = [each.core for each in standing if each.activity == "halted"]
    before = executed(player)
    player.step(asleep[0])
    assert executed(player)[asleep[0]] == before[asleep[0]] + 1
    assert sum(executed(player)) > sum(before) + 1, "nobody else went on meanwhile"


def test_playing_goes_on_from_the_past_to_the_edge_and_beyond(shared: Player) -> None:
    shared.go_to_edge()
    shared.play(30_000)
    edge = shared.timeline.edge
    shared.go(shared.moment.time - 20_000)
    assert shared.moment.mark < edge
    for _ in range(100):
        before = shared.moment.mark
        shared.play(5_000)
        assert shared.moment.mark > before
        if shared.moment.mark > edge:
            break
    else:
        pytest.fail("never came past the edge")


def test_a_phase_is_found_before_and_behind() -> None:
    player = Player.live(Scenario(seed=15))
    player.go_to_phase("tail")
    assert player.phase == "tail"
    player.go_to_phase("done")
    first = player.moment.mark
    player.go_to_phase("arm")
    assert player.moment.mark < first
    assert player.phase == "arm"


def test_a_phase_is_not_left_for_a_failure_before_its_end() -> None:
    player = Player.live(Scenario(seed=3, broken="emulate"))
    player.go_to_phase("done")
    assert player.failures
    assert player.phase == "done"


def test_a_phase_that_the_guest_does_not_live_to_see_is_told() -> None:
    player = Player.live(Scenario(seed=1, broken="arm"))
    with pytest.raises(GuestDied, match="ends before phase done: "):
        player.go_to_phase("done")
    assert player.at_edge


def test_lanes_that_were_made_before_a_core_first_switched_have_names_for_all_they_show() -> None:
    recording = boot("toy", cores=CORES, append="selftest")
    recording.run(instructions=100_000)  # before there are tasks
    scenario = Scenario(append="selftest", cores=CORES)
    player = Player.recorded(recording.schedule(), scenario)
    made = [player.lanes()]
    for _ in range(40):
        player.play(100_000)
        made.append(player.lanes())
    tasks = {int(lane.task.max()) for lane in made[-1].lanes}
    assert max(tasks) > 0  # cores have switched since
    for lanes in made:
        assert all(lane.task.max() < len(lanes.names) for lane in lanes.lanes)


@pytest.mark.parametrize("refuses", ["plan", "request"])
def test_a_request_that_is_refused_is_the_next_one_again(
    refuses: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = Player.live(Scenario(seed=18))
    asked: list[bool] = []
    make = player.lab.plan

    def plan(
        redirects: Sequence[Redirect], *, inward: bool, broken: str | None = None
    ) -> tuple[Plan, ...]:
        asked.append(inward)
        return make(redirects, inward=inward, broken=broken)

    def refuse(*_args: object, **_options: object) -> None:
        raise PokeError("refused")

    with monkeypatch.context() as patched:
        patched.setattr(player.lab, refuses, refuse)
        for _ in range(3):
            with pytest.raises(PokeError, match="refused"):
                rounds_of(player).request()
    monkeypatch.setattr(player.lab, "plan", plan)
    player.go_to_phase(PHASES[-1])
    rounds_of(player).request()
    assert asked == [True, False]


def test_a_plan_that_is_refused_leaves_the_player_where_the_run_is() -> None:
    player = Player.live(Scenario(seed=18))
    site = player.lab.guest.image.sites.of("cmdline_proc_show")
    refused = Plan("refused", (Phase("arm"), Check(site, b"\x90")), ())
    for act in (player.next_phase, lambda: player.step(CORES)):
        player.lab.request(refused)
        player.go_to_edge()  # a request is a move
        with pytest.raises(PokeError, match="nothing changed"):
            act()
        assert player.at_edge
        assert player.moment.time == player.lab.machine.now
    before = executed(player)
    player.play(10_000)
    assert all(a > b for a, b in zip(executed(player), before, strict=True)), "who may move?"


def test_a_core_that_nothing_wakes_leaves_the_player_where_the_run_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    player = Player.live(Scenario(seed=14, append="load turns=3 tasks=1"))
    asleep: list[int] = []
    while not asleep and player.end is None:
        player.play(1_000)
        standing = map(player.lab.machine.standing, range(CORES))
        asleep = [each.core for each in standing if each.activity == "halted"]
    monkeypatch.setattr(playing, "PATIENCE", 0)
    with pytest.raises(TextpokeError, match="sleeps, and nothing has woken it"):
        player.step(asleep[0])
    assert player.at_edge
    assert player.scene().instructions == player.moment.mark.instructions


def test_a_run_without_plans_has_no_phases_and_no_failures() -> None:
    lab = boot("toy", cores=2, append="load")
    lab.run_until_tasks()
    player = Player.recorded(lab.schedule(), Scenario(cores=2))
    assert player.scene(frozenset({"tasks", "listing", "path"})).phase == "before"
    before = player.timeline.edge
    with pytest.raises(TextpokeError, match="this run patches nothing"):
        player.next_failure()
    with pytest.raises(TextpokeError, match="no phase comes any more"):
        player.next_phase()
    with pytest.raises(TextpokeError, match="no phase comes any more"):
        player.go_to_phase("arm")
    assert player.at_edge
    assert player.timeline.edge == before, "it waited, for nothing"
    player.scene(frozenset({"tasks", "listing", "path"}))


def test_a_phase_that_one_plan_lacks_is_found_in_the_next() -> None:
    player = Player.live(Scenario(seed=15, broken="sync3", append="load int3=6.1"))
    player.go_to_phase("sync3")
    assert player.phase == "sync3"
    assert rounds_of(player).ends[-1].plan == 2
    player.go_to_phase("done")
    assert player.phase == "done"


def test_a_dead_guest_cannot_go_on_but_back() -> None:
    player = Player.live(Scenario(seed=1, broken="arm"))
    while player.play(200_000):
        pass
    assert player.end in (End.DIED, End.EXIT)
    player.go_to_edge()
    with pytest.raises(TextpokeError, match="cannot go on"):
        player.step()
    with pytest.raises(TextpokeError, match="cannot go on"):
        player.next_phase()
    assert not player.play(1_000)
    dead = seen(player)
    player.previous_phase()
    assert player.moment.machine.alive
    player.go_to_edge()
    assert seen(player) == dead


@pytest.mark.parametrize("broken", ["sync1", "int3", "unsorted", "emulate"])
def test_a_run_stops_where_it_fails_and_says_how(broken: str) -> None:
    player = Player.live(Scenario(seed=3, broken=broken))
    player.next_failure()
    scene = player.scene()
    assert scene.failure is not None
    assert scene.failure.sentence == scene.sentence
    assert scene.failure.time < player.moment.time
    there = seen(player)
    player.back()
    assert player.scene().failure is None
    assert not player.play(1_000_000), "it should stand still where it fails"
    assert seen(player) == there


def test_what_is_not_broken_does_not_fail() -> None:
    player = Player.live(Scenario(seed=3))
    with pytest.raises(TextpokeError, match="nothing more goes wrong"):
        player.next_failure()


def test_a_recorded_run_stands_where_the_patcher_begins() -> None:
    player = Player.recorded(recorded("sync1-sdm"), Scenario())
    assert not player.at_edge
    assert player.moment.patcher.plan is not None
    player.next_phase()
    assert player.phase == "arm"
    end = recorded("sync1-sdm").end
    assert end is not None
    player.go_to_edge()
    assert player.lab.hash() == end.hash


def test_a_schedule_of_another_kernel_does_not_fit() -> None:
    schedule = recorded("sync1-sdm")
    other = dataclasses.replace(schedule.image, sha256="0" * 64)
    with pytest.raises(BadSchedule):
        Player.recorded(dataclasses.replace(schedule, image=other), Scenario())


def test_a_run_is_saved_as_it_was_with_steps_of_a_person(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    player = Player.live(Scenario(seed=16))
    player.next_phase()
    for core in (1, 1, 2):
        player.step(core)
    player.step(CORES)
    player.next_phase()
    player.save(str(file))
    again = Player.recorded(Schedule.read(file), Scenario())
    again.go_to_edge()
    assert again.lab.hash() == player.lab.hash()


def test_a_function_without_a_replacement_is_refused() -> None:
    with pytest.raises(TextpokeError, match="no replacement for vfs_read"):
        Player.live(Scenario(functions=("vfs_read",)))


def test_old_events_are_forgotten_and_nobody_misses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    every = Player.live(Scenario(seed=11))
    monkeypatch.setattr("emu.lab.player.EVENTS", 1 << 11)
    last = Player.live(Scenario(seed=11))
    for player in (every, last):
        while player.log().rows < 3 << 11:
            player.play(50_000)
        for _ in range(2):
            player.next_phase()
    assert every.lab.machine.events.first == 0
    assert last.lab.machine.events.first > 0
    assert seen(last) == seen(every)
    assert last.log().rows == every.log().rows
    assert last.log().line(0) == every.log().line(0)
    assert last.scene() == every.scene()


def test_a_break_that_does_no_harm_alone_is_not_waited_for_long() -> None:
    schedule = recorded_break("drain", "sdm")
    assert schedule is not None
    player = Player.recorded(schedule, Scenario(broken="drain"))
    before = player.timeline.edge.instructions
    with pytest.raises(TextpokeError, match="nothing more goes wrong") as told:
        player.next_failure()
    assert "\n" not in str(told.value)
    assert player.timeline.edge.instructions - before < 2 * playing.AFTERWARDS
