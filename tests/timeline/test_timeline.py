"""Any past moment is what the run was there, whoever asks, from wherever and however often."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from emu.errors import PokeError, TextpokeError
from emu.lab import End, Lab, boot
from emu.machine import loop, state
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.text import MODELS
from emu.moves import move
from emu.moves.chooser import EVERYBODY, random
from emu.timeline.mark import Mark
from emu.timeline.timeline import Moment, Timeline
from tests.cli.kernel_file import long_mode
from tests.cli.test_interactive import echo
from tests.labs import plans, redirected
from tests.timeline.lives import ACTS, Life, hash_of, patched, steps
from tests.timeline.runs import spelled_out

ACT = st.tuples(st.sampled_from(ACTS), st.integers(1, 12_000))


@pytest.fixture(scope="module")
def life() -> Life:
    """A run of some 60,000 instructions with a function patched in and out."""
    return patched(3)


def retired(moment: Moment, core: int) -> int:
    return int(moment.machine.state.core[core, state.C_RETIRED])


def somewhere(timeline: Timeline, part: float) -> Mark:
    """Return a point that a part of the run lies before."""
    begin, end = timeline.beginning.instructions, timeline.edge.instructions
    return timeline.at_time(begin + int(part * (end - begin))).mark


# --- the same states ---------------------------------------------------------------------------


@settings(max_examples=5, deadline=None, derandomize=True, phases=(Phase.generate,))
@given(
    seed=st.integers(0, 2**32),
    cores=st.sampled_from((1, 2, 4, 8)),
    model=st.sampled_from(MODELS),
    quantum=st.sampled_from((1, 13, 100, 2500)),
    acts=st.lists(ACT, min_size=4, max_size=9),
    part=st.floats(0, 1),
    count=st.integers(1, 25),
)
def test_back_and_forward_again(  # noqa: PLR0913, PLR0917 -- what a run and a place in it are
    seed: int,
    cores: int,
    model: str,
    quantum: int,
    acts: list[tuple[str, int]],
    part: float,
    count: int,
) -> None:
    life = Life(seed, cores=cores, model=model, quantum=quantum)
    life.bounded()
    life.live(acts)
    timeline, edge = life.timeline, life.timeline.edge
    for start in (edge, somewhere(timeline, part)):
        back = steps(timeline, start, count)
        mark = min(back)
        for expected in sorted({*back, start}):
            assert mark == expected
            if mark in back:
                assert hash_of(timeline.at(mark)) == back[mark], mark
            mark = timeline.after(mark).mark
    for mark, seen in reversed(life.seen.items()):
        assert hash_of(timeline.at(mark)) == seen, mark


def test_every_point_is_where_the_run_was() -> None:
    """The oracle: each move whole, or cut short, on a machine that was saved before it."""
    life = patched(3)
    lab, timeline = life.lab, life.timeline
    expected: dict[Mark, str] = {}
    kinds: set[int] = set()
    cut = Machine.from_snapshot(lab.machine.save())
    while not {move.RUN, move.PATCH, move.FETCH} <= kinds or len(expected) < 100:
        if lab.patcher.done:
            life.request()
        before, saved, patcher = timeline.edge, lab.machine.save(), lab.patcher.state()
        lab.machine.record()
        if lab.machine.drive(lab.chooser, moves=1) == loop.PATCHER:
            lab.patcher.step()
        (row,) = lab.machine.recorded()
        kinds.add(int(row["kind"]))
        for inside in range(1, timeline.edge.instructions - before.instructions):
            if len(expected) < 120:
                cut.restore(saved)
                assert cut.run(int(row["actor"]), inside) == inside
                there = Mark(before.instructions + inside, before.moves)
                expected[there] = state_hash(cut, patcher)
        if len(expected) < 120 or int(row["kind"]) != move.RUN:
            expected[timeline.edge] = lab.hash()
    lab.run(instructions=2000)
    mark = timeline.before(min(expected)).mark
    for there in sorted(expected)[:90]:
        if there.instructions - mark.instructions <= 1 >= there.moves - mark.moves:
            assert timeline.after(mark).mark == there  # no point between, and none left out
        mark = there
    for there in sorted(expected, key=lambda each: hash((7, each))):
        assert hash_of(timeline.at(there)) == expected[there], there


@pytest.mark.parametrize("quantum", [1, 5])
def test_a_long_walk_back_and_forward(quantum: int) -> None:
    """Over many stretches of moves that are gone through one by one, and checkpoints."""
    life = Life(9, quantum=quantum)
    life.bounded(distance=3000)
    life.live([("patch", 4000), ("input", 5), ("core", 30), ("run", 900)])
    timeline, walked = life.timeline, [life.timeline.edge]
    hashes = {}
    for step in range(700):
        moment = timeline.before(walked[-1])
        walked.append(moment.mark)
        assert walked[-1] < walked[-2]
        if step % 70 == 0:
            hashes[moment.mark] = hash_of(moment)
    for mark, behind in reversed(list(zip(walked[1:], walked, strict=False))):
        assert timeline.after(mark).mark == behind
        if mark in hashes:
            assert hash_of(timeline.at(mark)) == hashes[mark]


def test_looking_back_leaves_the_run_alone() -> None:
    lives = [patched(11), patched(11)]
    for look in range(12):
        for life in lives:
            life.live([("patch" if look == 4 else "run", 500)])
        timeline, machine = lives[1].timeline, lives[1].lab.machine
        left = len(machine.events), machine.output.copy(), machine.moves
        hash_of(timeline.at(somewhere(timeline, look / 12)))
        timeline.before(timeline.edge, look % 4)
        assert (len(machine.events), machine.output, machine.moves) == left
    plain, watched = lives
    assert watched.seen == plain.seen
    assert watched.lab.schedule() == plain.lab.schedule()
    tables = [life.lab.machine.events.since(0) for life in lives]
    assert np.array_equal(tables[0], tables[1])


def test_a_moment_is_read_like_the_run() -> None:
    """Tasks, stacks and the patcher's step, at points when the run itself was asked, too."""
    life = patched(6)
    seen = {}
    for _ in range(4):
        life.live([("patch", 700)])
        lab = life.lab
        tasks = lab.guest.tasks()
        seen[life.timeline.edge] = (
            tasks,
            [lab.guest.stack(task) for task in tasks],
            lab.patcher.progress(),
            lab.machine.now,
        )
    life.live([("run", 5000)])
    for mark, (tasks, stacks, progress, now) in seen.items():
        moment = life.timeline.at(mark)
        assert moment.guest.tasks() == tasks
        assert [moment.guest.stack(task) for task in moment.guest.tasks()] == stacks
        assert moment.patcher.progress() == progress
        assert moment.time == moment.machine.now == now


def test_the_edge_is_the_run_itself(life: Life) -> None:
    moment = life.timeline.at(life.timeline.edge)
    assert moment.machine is life.lab.machine
    assert moment.guest is life.lab.guest
    assert moment.patcher is life.lab.patcher
    assert life.timeline.at_time(1 << 60).machine is life.lab.machine
    assert life.timeline.before(life.timeline.edge).machine is not life.lab.machine


# --- times and cores ---------------------------------------------------------------------------


def test_at_a_time_it_is_the_last_point_not_later(life: Life) -> None:
    timeline = life.timeline
    first = timeline.at(timeline.beginning).time
    for ns in np.linspace(first, life.lab.machine.now - 1, 60).astype(int).tolist():
        moment = timeline.at_time(ns)
        assert moment.time <= ns
        assert timeline.after(moment.mark).time > ns
    assert timeline.at_time(first - 1).mark == timeline.beginning


@pytest.mark.parametrize("core", range(4))
def test_back_and_forward_by_one_core(life: Life, core: int) -> None:
    timeline = life.timeline
    for part in (0.1, 0.45, 0.8):
        here = somewhere(timeline, part)
        count = retired(timeline.at(here), core)
        back = timeline.before(here, core)
        assert retired(back, core) == count - 1
        assert retired(timeline.after(back.mark), core) == count
        assert timeline.after(back.mark, core).mark <= here
        forward = timeline.after(here, core)
        assert forward.mark > here
        assert retired(forward, core) == count + 1
        assert retired(timeline.before(forward.mark), core) == count


def test_a_core_that_waits_is_neither_stepped_back_nor_forward() -> None:
    lab = boot("toy", append="load", seed=5, ram_mib=8)
    timeline = lab.keep_timeline()
    lab.run(instructions=60_000)
    assert not lab.machine.started(3)
    middle = somewhere(timeline, 0.5)
    assert timeline.before(middle, 3).mark == middle
    assert timeline.after(middle, 3).mark == timeline.edge
    lab.run(instructions=200_000)
    first = timeline.after(middle, 3)
    assert retired(first, 3) == 1
    assert retired(timeline.before(first.mark), 3) == 0
    assert timeline.before(first.mark, 3).mark == timeline.before(first.mark).mark


def test_at_the_ends_it_stays(life: Life) -> None:
    timeline = life.timeline
    assert timeline.before(timeline.beginning).mark == timeline.beginning
    assert timeline.after(timeline.edge).mark == timeline.edge
    assert timeline.after(timeline.edge, 1).mark == timeline.edge


def test_what_is_no_point_of_the_run_is_refused(life: Life) -> None:
    timeline, edge = life.timeline, life.timeline.edge
    first, middle = timeline.beginning, somewhere(timeline, 0.5)
    for wrong in (
        Mark(first.instructions - 1, first.moves),
        Mark(edge.instructions + 1, edge.moves),
        Mark(middle.instructions, middle.moves + 40),
        Mark(middle.instructions + 5000, middle.moves),
    ):
        with pytest.raises(TextpokeError, match="is no point of the run"):
            timeline.at(wrong)


# --- what happens to a run ---------------------------------------------------------------------


def test_a_request_is_a_move_and_an_input_is_one_for_each_part() -> None:
    life = patched(7)
    lab, timeline = life.lab, life.timeline
    lab.run(stop=lambda: lab.patcher.done)
    before = timeline.edge
    life.request()
    assert timeline.edge == Mark(before.instructions, before.moves + 1)
    requests, room = lab.patcher.requests, lab.machine.input_room
    lab.input(bytes(20))
    lab.run(instructions=5000)
    moment = timeline.at(before)
    assert moment.patcher.requests == requests - 1
    assert moment.patcher.done
    moment = timeline.after(before)
    assert moment.patcher.requests == requests
    assert not moment.patcher.done
    assert moment.machine.input_room == room
    requested = moment.mark
    assert timeline.after(requested).machine.input_room == room - 15
    after = Mark(before.instructions, before.moves + 3)
    assert timeline.at(after).machine.input_room == room - 20
    assert timeline.before(requested).patcher.done


def test_a_refused_step_of_the_patcher_is_refused_again() -> None:
    life = Life(4)
    lab = life.lab
    inward, _ = plans(lab, redirected(lab))
    lab.carry_out(inward)
    lab.request(inward)  # its bytes are there already
    life.seen.clear()
    with pytest.raises(PokeError):
        lab.run(instructions=20_000)
    life.look()
    lab.run(instructions=5000)
    for mark, seen in life.seen.items():
        assert hash_of(life.timeline.at(mark)) == seen


def sleeper(folder: Path) -> Lab:
    """Return a lab whose core has its timer wake it once, and then sleeps until bytes come in."""
    timer = """
        mov eax, 0xfee00000
        mov dword ptr [rax + 0x3e0], 0
        mov dword ptr [rax + 0x320], 0x40
        mov dword ptr [rax + 0x380], 500
        sti; hlt; nop; nop; nop; nop
        mov dword ptr [rax + 0x380], 900
        hlt; nop; nop; cli; hlt
    """
    return boot(long_mode(folder, timer), cores=1, ram_mib=16)


def test_while_all_sleep_time_passes_before_the_next_move(tmp_path: Path) -> None:
    lab = sleeper(tmp_path)
    timeline = lab.keep_timeline()
    lab.choose(random(1, 3))
    assert lab.run(instructions=1000) in (End.STUCK, End.DIED)
    points = [timeline.beginning]
    while points[-1] != timeline.edge:
        points.append(timeline.after(points[-1]).mark)
    times = [timeline.at(mark).time for mark in points]
    assert max(np.diff(times)) > 300  # it has slept
    for ns in (time + near for time in times[1:-1] for near in (-1, 0, 1)):
        moment = timeline.at_time(ns)
        assert moment.mark == points[int(np.searchsorted(times, ns, side="right")) - 1]


def test_a_choice_of_nobody_lets_time_pass(tmp_path: Path) -> None:
    """While all sleep, picking nobody wakes them: that belongs to the point, for ever."""
    lab = sleeper(tmp_path)
    timeline = lab.keep_timeline()
    chooser = random(1, 3)
    lab.choose(chooser)
    while lab.machine.standing(0).activity != "halted":
        lab.run(instructions=1)
    slept, mark = lab.machine.now, timeline.edge
    timeline.before(mark)  # is looked at before it happens, and kept
    chooser.actors = chooser.native[3] = 2
    lab.choose(chooser)
    assert lab.run() is End.STUCK
    assert timeline.edge == mark
    assert lab.machine.now > slept + 300
    expected = lab.hash()
    chooser.actors = chooser.native[3] = EVERYBODY
    lab.choose(chooser)
    lab.run(instructions=2)
    assert hash_of(timeline.at(mark)) == expected
    last = timeline.before(mark).mark
    for ns in range(slept - 3, slept + 300):
        moment = timeline.at_time(ns)
        assert moment.time <= ns
        assert moment.mark == last if ns >= slept else moment.mark <= last


def test_input_wakes_a_core_that_sleeps(tmp_path: Path) -> None:
    lab = boot(echo(tmp_path), cores=1, ram_mib=16)
    timeline = lab.keep_timeline()
    seen = {}
    for word in (b"one", b"two, which is longer than a move", b"q"):
        lab.run(instructions=100_000)
        seen[timeline.edge] = lab.hash()
        lab.input(word)
        seen[timeline.edge] = lab.hash()
    assert lab.run() is End.EXIT
    seen[timeline.edge] = lab.hash()
    last = timeline.before(timeline.edge)
    assert last.machine.end is None
    for mark, expected in reversed(seen.items()):
        assert hash_of(timeline.at(mark)) == expected
        back = timeline.before(mark).mark
        assert timeline.after(back).mark == mark or mark == timeline.beginning


@pytest.mark.parametrize("seed", [1, 2])
def test_moves_of_timers_and_interrupts(seed: int) -> None:
    """In clock mode `chosen` ticks and deliveries are moves; here with faults, too."""
    lab = boot("toy", append="load", clock="chosen", seed=seed, faults=3, ram_mib=8)
    lab.run_until_tasks()
    timeline = lab.keep_timeline()
    lab.request(plans(lab, redirected(lab))[0])
    lab.machine.record()
    seen = {}
    for _ in range(20):
        lab.run(instructions=1500)
        seen[timeline.edge] = lab.hash()
    kinds = {int(kind) for kind in lab.machine.recorded()["kind"]}
    assert kinds >= {move.RUN, move.TICK, move.DELIVER, move.FAULT}
    for mark, expected in reversed(seen.items()):
        assert hash_of(timeline.at(mark)) == expected
    back = steps(timeline, min(seen), 60)
    for mark in sorted(back):
        assert hash_of(timeline.at(mark)) == back[mark]


def test_the_past_of_a_replay() -> None:
    """A schedule that lists its moves, steps of the patcher among them."""
    schedule, end = spelled_out("sdm", 5)
    setup = schedule.machine
    lab = boot(cores=setup.cores, ram_mib=setup.ram_mib, append=setup.command_line)
    timeline = lab.keep_timeline()
    seen: dict[Mark, tuple[int, bytes]] = {}

    def look() -> None:
        seen[timeline.edge] = lab.machine.retired(), lab.patcher.state()

    lab.replay(schedule, on_step=look)
    assert lab.hash() == end
    assert len(seen) > 5
    for mark, (instructions, patcher) in reversed(seen.items()):
        moment = timeline.at(mark)
        assert (moment.machine.retired(), moment.patcher.state()) == (instructions, patcher)


def test_a_lab_keeps_one_timeline() -> None:
    lab = boot("toy", ram_mib=8)
    assert lab.timeline is None
    kept = lab.keep_timeline()
    assert lab.keep_timeline() is kept
    assert lab.timeline is kept
