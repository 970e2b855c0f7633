"""Checkpoints stay few, lie evenly, and hold a bounded part of memory."""

import itertools

from emu.machine import pages
from emu.timeline.checkpoint import effort
from emu.timeline.timeline import Timeline
from tests.timeline.lives import Life, hash_of


def distances(timeline: Timeline) -> list[int]:
    marks = [checkpoint.mark for checkpoint in timeline.checkpoints]
    return [effort(two) - effort(one) for one, two in itertools.pairwise(marks)]


def held(timeline: Timeline) -> int:
    """Return the pages that the checkpoints hold beside those of the first: the objects."""
    rams = [checkpoint.snapshot.ram for checkpoint in timeline.checkpoints]
    first = {id(page) for chunk in rams[0] for page in chunk}
    return len({id(page) for ram in rams for chunk in ram for page in chunk} - first)


def test_they_come_while_a_lab_runs() -> None:
    life = Life(1)
    life.lab.run(instructions=2_000_000)
    found = distances(life.timeline)
    assert len(found) >= 5
    assert 250_000 <= min(found) <= max(found) <= 600_000


def test_too_many_are_thinned_out_evenly() -> None:
    life = Life(2)
    life.bounded(most=8, distance=2000)
    most = 0
    for turn in range(160):
        life.live([("run", 500), *([("patch", 500)] if turn % 20 == 0 else [])])
        most = max(most, len(life.timeline.checkpoints))
        assert len(life.timeline.checkpoints) <= 8
    assert most == 8
    found = distances(life.timeline)
    assert max(found) <= 4 * min(found)
    assert life.timeline.beginning == min(life.seen)  # the first has stayed
    for mark, seen in list(life.seen.items())[::9]:  # and what lay between is made again
        assert hash_of(life.timeline.at(mark)) == seen, mark


def test_the_pages_they_hold_are_bounded() -> None:
    life = Life(3)
    life.bounded(most=1000, most_pages=150, distance=2000)
    free = Life(3)
    free.bounded(most=1000, distance=2000)
    for each in (life, free):
        each.live([("run", 1500)] * 60)
    assert held(free.timeline) > 300
    assert held(life.timeline) <= life.timeline.checkpoints.pages <= 150
    assert len(life.timeline.checkpoints) > 2
    for mark, seen in list(life.seen.items())[::7]:
        assert hash_of(life.timeline.at(mark)) == seen


def test_looking_back_keeps_little() -> None:
    """What is gone through to look is forgotten: checkpoints do not grow by it."""
    life = Life(4)
    life.bounded(distance=20_000)
    life.live([("run", 60_000)] * 3)
    timeline = life.timeline
    before = len(timeline.checkpoints), timeline.checkpoints.pages
    mark = timeline.edge
    for _ in range(700):
        mark = timeline.before(mark, 1).mark
    moment = timeline.at(mark)
    assert (len(timeline.checkpoints), timeline.checkpoints.pages) == before
    assert len(moment.machine.events.since(moment.machine.events.first)) < 10_000
    assert pages.CHUNK * len(timeline.checkpoints.first.snapshot.ram) * 4096 == 8 << 20
