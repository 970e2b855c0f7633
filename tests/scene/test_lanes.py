"""Lanes are true: of the events, read slowly; of the kernel, asked at random instants; of APICs."""

from random import Random

import numpy as np
import pytest

from emu import resources
from emu.guest.guest import Guest
from emu.guest.tasks import Task
from emu.lab import Lab, boot
from emu.machine.state import A_IPI, A_ISR
from emu.moves.fault import DelayIpi, DropIpi
from emu.moves.schedule import Schedule
from emu.scene.chronicle import Chronicle
from emu.scene.lanes import Kind, Lanes, Left
from emu.scene.table import Table
from tests.labs import FUNCTION, REPLACEMENT
from tests.scene.slow_reading import Reading, read

SWITCHING = ("switch_task", "trace_sched_switch")  # where `current` is not yet or no more true


def begin(
    seed: int, *, cores: int = 4, faults: int = 0, limit: int = 1 << 20
) -> tuple[Lab, Chronicle]:
    """Switch a machine on and follow it from there."""
    print(f"seed {seed}")
    lab = boot("toy", cores=cores, append="load", seed=seed, quantum=400, faults=faults)
    return lab, Chronicle(lab.guest, limit=limit)


def patch(lab: Lab, chronicle: Chronicle, random_: Random) -> None:
    """Patch a function in, looking every now and then."""
    lab.run_until_tasks()
    redirect = lab.arena.redirect(FUNCTION, REPLACEMENT[FUNCTION])
    lab.watch([redirect])
    (plan,) = lab.plan([redirect], inward=True)
    lab.request(plan)
    assert lab.detectors
    for _ in range(60):
        lab.run(instructions=random_.randint(1, 6_000))
        if random_.random() < 0.7:
            chronicle.take(lab.detectors.watched)
    chronicle.take(lab.detectors.watched)


def pid(name: str) -> int:
    """Return the number of a task, which it keeps when it changes its name."""
    return int(name.rsplit("/", 1)[1])


def compare(lanes: Lanes, reading: Reading) -> None:
    """Compare all but names."""
    for lane, slices, instants in zip(lanes.lanes, reading.slices, reading.instants, strict=True):
        assert lane.start.tolist() == [each[0] for each in slices]
        assert lane.left.tolist() == [each[2] for each in slices]
        assert list(zip(lane.time, lane.kind, lane.event, strict=True)) == instants
        named: dict[int, int] = {}  # one life, one name
        for name, (_, address, _) in zip(lane.task.tolist(), slices, strict=True):
            assert named.setdefault(name, address) == address
    arrows = lanes.arrows
    columns = (
        arrows.sent, arrows.source, arrows.target, arrows.vector, arrows.delivered,
        arrows.acknowledged,
    )  # fmt: skip
    assert [tuple(row) for row in zip(*columns, strict=True)] == [a.row for a in reading.arrows]
    assert [[b.phase, b.begin, b.end, b.round] for b in lanes.bands] == reading.bands
    assert lanes.stores.tolist() == reading.stores


def pending_and_in_service(lanes: Lanes, core: int) -> tuple[set[int], set[int]]:
    arrows = lanes.arrows
    mine = arrows.target == core
    pending = mine & (arrows.delivered < 0)
    service = mine & (arrows.delivered >= 0) & (arrows.acknowledged < 0) & (arrows.vector != 2)
    return set(arrows.vector[pending].tolist()), set(arrows.vector[service].tolist())


def bits(lab: Lab, core: int, bank: int) -> set[int]:
    words = lab.machine.state.apic[core, bank : bank + 8].tolist()
    return {
        32 * index + bit for index, word in enumerate(words) for bit in range(32) if word >> bit & 1
    }


@pytest.mark.parametrize(("seed", "faults"), [(1, 0), (2, 40)])
def test_they_are_what_the_events_say(seed: int, faults: int) -> None:
    """Catches: a wrong vector for timer or sync, a lost IPI that arrives, an order of columns."""
    the_same(seed, faults)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 23))
def test_they_are_what_the_events_say_under_twenty_seeds(seed: int) -> None:
    the_same(seed, faults=(0, 15, 100)[seed % 3])


def the_same(seed: int, faults: int) -> None:
    lab, chronicle = begin(
        seed, cores=1 + seed % 4 if faults == 0 and seed > 2 else 4, faults=faults
    )
    patch(lab, chronicle, Random(seed))  # noqa: S311 -- the same each time
    sync = lab.guest.sync_vector
    assert sync is not None
    assert lab.detectors
    lanes = chronicle.lanes()
    compare(lanes, read(lab.machine, sync, lab.detectors.watched))
    assert (lanes.begin, lanes.end) == (0, lab.machine.now)
    assert lanes.lanes[0].task.min() >= 0
    seen = {int(kind) for lane in lanes.lanes for kind in lane.kind}
    if lanes.bands[-1].phase == "done":
        assert seen >= {Kind.TICK, Kind.SYNC, Kind.SERIALISED}


def test_who_has_a_core_is_who_the_kernel_says() -> None:
    """And how it was lost agrees with the kernel's own counts.

    Catches: preempted taken for yielded, the state of the wrong task, names by old descriptors.
    """
    lab, chronicle = begin(7)
    lab.run_until_tasks()
    random_ = Random(7)  # noqa: S311 -- the same each time
    before = {task.address: task for task in lab.guest.tasks()}
    chronicle.take()
    since = [len(lane.start) - 1 for lane in chronicle.lanes().lanes]
    checked = blocked = 0
    for _ in range(300):
        lab.run(instructions=random_.randint(1, 3_000))
        chronicle.take()
        lanes = chronicle.lanes()
        for core, lane in enumerate(lanes.lanes):
            if lab.image.symbols.describe(lab.machine.rip(core)).startswith(SWITCHING):
                continue
            current = lab.guest.current(core)
            assert current is not None
            assert pid(lanes.names[lane.task[-1]]) == current.pid
            assert (lane.task[-1] in lanes.idle) == (current.pid == 0)
            checked += 1
            blocked += on_queue(lab.guest, lanes, core)
    assert checked > 900
    assert blocked > 3
    after = {task.address: task for task in lab.guest.tasks()}
    lived = [each for each in before if each in after and before[each].pid == after[each].pid]
    assert len(lived) > 15
    for address in lived:
        count_switches(lanes, since, before[address], after[address])


def on_queue(guest: Guest, lanes: Lanes, core: int) -> int:
    """Check the task that had the core last: it wants it back, or waits. Returns how many wait."""
    lane = lanes.lanes[core]
    if len(lane.start) < 2 or lane.task[-2] == lane.task[-1] or lane.task[-2] in lanes.idle:
        return 0
    for task in guest.tasks():
        if task.pid == pid(lanes.names[lane.task[-2]]):
            if lane.left[-2] != Left.BLOCKED:
                assert task.on_rq
            return task.on_rq is False
    return 0


def count_switches(lanes: Lanes, since: list[int], before: Task, after: Task) -> None:
    assert before.cpu is not None
    lane, first = lanes.lanes[before.cpu], since[before.cpu]
    mine = np.array([pid(lanes.names[name]) == after.pid for name in lane.task[first:]])
    left = lane.left[first:][mine]
    preempted = np.count_nonzero(left == Left.PREEMPTED)
    gave_up = np.count_nonzero(np.isin(left, (Left.YIELDED, Left.BLOCKED)))
    # the kernel counts a few instructions before it tells
    for then, now, told in (
        (before.nivcsw, after.nivcsw, preempted),
        (before.nvcsw, after.nvcsw, gave_up),
    ):
        assert then is not None
        assert now is not None
        assert abs(now - then - told) <= 1


@pytest.mark.parametrize("every", [1, 20])
def test_arrows_end_as_the_apics_say(every: int) -> None:
    """Catches: one arrow for several cores, a delivery that answers only one of two requests.

    Of what is lost, held back or illegal, too. every: how many moves a look is about.
    """
    lab, chronicle = begin(3)
    lab.run_until_tasks()
    random_ = Random(3)  # noqa: S311 -- the same each time
    sync = lab.guest.sync_vector
    assert sync is not None
    seen = dropped = held = 0
    for number in range(600):
        lab.machine.interrupt(random_.choice((sync, 0x8)), random_.choice((1, 2, 4, 8, 15)))
        core = random_.randrange(4)
        if random_.random() < 0.3 and sync in bits(lab, core, A_IPI):
            if random_.random() < 0.3:
                lab.machine.make(DropIpi(core, sync))
                dropped += 1
            else:
                lab.machine.make(DelayIpi(core, sync, random_.randint(1, 3_000)))
                held += 1
        lab.run(instructions=random_.randint(1, 400))
        if number % every == 0:
            chronicle.take()
            lanes = chronicle.lanes()
            for core in range(4):
                pending, service = pending_and_in_service(lanes, core)
                assert pending >= bits(lab, core, A_IPI)
                assert service <= bits(lab, core, A_ISR)
                assert dropped + held or pending == bits(lab, core, A_IPI)
                seen += len(service)
    assert min(seen * every, dropped, held) > 20
    chronicle.take()
    compare(chronicle.lanes(), read(lab.machine, sync))


def test_a_descriptor_that_another_task_gets_gives_another_name() -> None:
    """Who looks seldom may miss a name, but never gives a task that of another."""
    lab, often = begin(5)
    seldom = Chronicle(lab.guest)
    lab.run_until_tasks()
    for number in range(4_000):
        lab.run(instructions=5_000)
        often.take()
        if number % 800 == 0:
            seldom.take()
    seldom.take()
    reused = unknown = 0
    for one, other in zip(often.lanes().lanes, seldom.lanes().lanes, strict=True):
        assert one.start.tolist() == other.start.tolist()
        truth = [pid(often.lanes().names[name]) if name >= 0 else None for name in one.task]
        seen = [pid(seldom.lanes().names[name]) if name >= 0 else None for name in other.task]
        assert None not in truth
        assert all(name in (None, true) for name, true in zip(seen, truth, strict=True))
        unknown += seen.count(None)
        reused += len(set(truth)) - len(set(seen) - {None})
    assert reused > 3  # children that nobody saw
    assert unknown < sum(len(lane.start) for lane in often.lanes().lanes) / 5


@pytest.mark.parametrize("name", ["tail-first-sdm", "sync2-sdm", "head-first-observed"])
def test_torn_bytes_are_what_the_detectors_call_torn(name: str) -> None:
    path = resources.schedule(name)
    assert path is not None
    recorded = Schedule.read(path)
    setup = recorded.machine
    lab = boot("toy", cores=setup.cores, append=setup.command_line, model=setup.model)
    chronicle = Chronicle(lab.guest)

    def look() -> None:
        chronicle.take(lab.detectors.watched if lab.detectors else ())

    lab.replay(recorded, look)
    look()
    lanes, verdict = chronicle.lanes(), lab.verdict()
    kinds = np.concatenate([lane.kind for lane in lanes.lanes])
    assert np.count_nonzero(kinds == Kind.TORN) == verdict.torn > 0
    assert np.count_nonzero(kinds == Kind.STALE) >= verdict.stale
    assert np.count_nonzero(kinds == Kind.INT3) >= verdict.int3 > 0


def test_old_rows_are_forgotten_and_begin_says_so() -> None:
    """And what was given out before stays what it was."""
    lab, chronicle = begin(1)
    short = Chronicle(lab.guest, limit=64)
    lab.run_until_tasks()
    chronicle.take()
    short.take()
    early = short.lanes()
    starts = [lane.start.copy() for lane in early.lanes]
    for _ in range(40):
        lab.run(instructions=500_000)
        chronicle.take()
        short.take()
    whole, lanes = chronicle.lanes(), short.lanes()
    assert whole.begin == 0 < lanes.begin < lanes.end == whole.end
    for old, new in zip(whole.lanes, lanes.lanes, strict=True):
        assert 32 <= len(new.start) <= 128
        assert new.start.tolist() == old.start[-len(new.start) :].tolist()
        assert new.left.tolist() == old.left[-len(new.start) :].tolist()
        assert new.event.tolist() == old.event[-len(new.event) :].tolist()
        assert new.start[0] <= lanes.begin
        names = [lanes.names[name] for name in new.task]
        assert names == [whole.names[name] for name in old.task[-len(new.start) :]]
    for lane, start in zip(early.lanes, starts, strict=True):
        assert lane.start.tolist() == start.tolist()


def test_of_a_kernel_that_does_not_tell_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emu.guest.toy.ToyGuest.probes", lambda _guest: ())
    lab, chronicle = begin(1)
    lab.run_until_tasks()
    chronicle.take()
    lanes = chronicle.lanes()
    assert [lane.task.tolist() for lane in lanes.lanes] == [[-1]] * 4
    assert lab.guest.current(0) is not None


def test_before_its_first_switch_a_core_has_its_current_task() -> None:
    lab = boot("toy", cores=2, append="passes=1000000")
    lab.run_until_tasks()
    lanes = Chronicle(lab.guest).lanes()
    assert [[lanes.names[name] for name in lane.task] for lane in lanes.lanes] == [
        [str(lab.guest.current(core))] for core in range(2)
    ]
    assert lanes.begin == lab.machine.now


def test_a_view_of_a_table_stays_when_the_table_grows() -> None:
    table = Table({"a": np.int64}, 1000)
    table.append(3, a=np.array([1, 2, 3]))
    view = table["a"]
    for number in range(5_000):
        table.append(1, a=number)
    assert view.tolist() == [1, 2, 3]
    assert 500 <= len(table["a"]) <= 2_000
    assert table["a"][-1] == 4_999
    assert len(table) == 5_003
    assert table.first == 5_003 - len(table["a"])
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 7


def test_what_is_filled_in_later_is_not_filled_into_forgotten_rows() -> None:
    table = Table({"a": np.int64}, 64)
    table.append(500, a=0)
    table.append(900, a=0)
    assert table.first > 0
    table.fill("a", np.array([0, table.first, 1399]), np.array([1, 2, 3]))
    assert (table["a"][0], table["a"][-1], table["a"].sum()) == (2, 3, 5)
