"""What numpy makes of events before they are painted."""

from dataclasses import replace

import numpy as np

from emu.scene.lanes import Kind, Left
from gui.timeline import excerpt, instants, slices
from gui.timeline.interval import Interval
from tests.gui.timeline.synthetic import lane, lanes, many


def test_the_greatest_kind_of_a_pixel_wins() -> None:
    interval, width = Interval(0, 1_000), 10
    happened = (
        (0, Kind.TICK),
        (99, Kind.INT3),
        (99, Kind.TICK),
        (100, Kind.SYNC),
        (950, Kind.TORN),
    )
    core = lane(instants=happened)
    found = instants.greatest(core.time, core.kind, interval.edges(width))
    assert found.tolist() == [Kind.INT3, Kind.SYNC, 0, 0, 0, 0, 0, 0, 0, Kind.TORN]


def test_instants_outside_of_the_interval_are_in_no_pixel() -> None:
    core = lane(instants=[(50, Kind.INT3), (250, Kind.INT3)])
    found = instants.greatest(core.time, core.kind, Interval(100, 200).edges(10))
    assert not found.any()


def test_one_int3_among_a_million_ticks_has_a_pixel_at_every_scale() -> None:
    each = 1_000_000
    time, kind = np.arange(each, dtype=np.int64) * 1_000, np.full(each, Kind.TICK, dtype=np.uint8)
    at = 617_283
    kind[at] = Kind.INT3
    for span in (10**9, 10**8, 10**6, 1_000):
        interval = Interval(int(time[at]) - span // 3, int(time[at]) + span // 3)
        found = instants.greatest(time, kind, interval.edges(1_600))
        assert (found == Kind.INT3).sum() == 1
        assert found[int(interval.x(int(time[at]), 1_600))] == Kind.INT3


def test_a_sign_is_the_greatest_of_its_stretch_and_stays_there_when_panned() -> None:
    kinds = np.zeros(100, dtype=np.uint8)
    kinds[[41, 43, 45, 90]] = [Kind.SYNC, Kind.INT3, Kind.INT3, Kind.SYNC]
    assert instants.chosen(kinds, 0, 10).tolist() == [43, 90]
    assert (instants.chosen(kinds[3:], 3, 10) + 3).tolist() == [43, 90]
    assert instants.chosen(np.zeros(9, dtype=np.uint8), 0, 10).tolist() == []


def test_a_box_is_as_strong_as_the_core_was_busy() -> None:
    core = lane([(100, 1, Left.BLOCKED), (200, 0, Left.YIELDED), (250, 2, Left.NOT_YET)])
    interval = Interval(0, 400)
    taken = excerpt.take(lanes(core, end=300), interval)
    got = slices.busy(taken.lanes[0], taken.idle[taken.lanes[0].task], interval.edges(4))
    assert got.tolist() == [0, 1, 0.5, 0]
    fine = slices.busy(taken.lanes[0], taken.idle[taken.lanes[0].task], interval.edges(800))
    assert fine.tolist() == [0] * 200 + [1] * 200 + [0] * 100 + [1] * 100 + [0] * 200


def test_the_slice_under_way_at_the_begin_belongs_to_an_excerpt() -> None:
    core = lane([(10, 1, Left.PREEMPTED), (20, 2, Left.BLOCKED), (90, 3, Left.NOT_YET)])
    made = lanes(core, end=100)
    assert excerpt.take(made, Interval(15, 30)).lanes[0].start.tolist() == [10, 20]
    assert excerpt.take(made, Interval(20, 30)).lanes[0].start.tolist() == [20]
    assert excerpt.take(made, Interval(20, 30)).lanes[0].until == 90
    assert excerpt.take(made, Interval(95, 99)).lanes[0].start.tolist() == [90]
    assert excerpt.take(made, Interval(0, 5)).lanes[0].start.tolist() == []


def test_an_arrow_that_only_crosses_the_interval_belongs_to_it() -> None:
    made = lanes(lane(), lane(), sent=[(10, 0, 1, 20), (30, 0, 1, 90), (35, 0, 1, -1)])
    assert excerpt.take(made, Interval(50, 60)).arrows.sent.tolist() == [30, 35]


def test_what_arrives_behind_the_interval_changes_nothing_that_is_seen() -> None:
    whole = many(2_000, 2)
    interval = Interval(100_000, 200_000)
    cut = [
        type(core)(*(getattr(core, name)[:400] for name in core.__slots__)) for core in whole.lanes
    ]
    less = replace(whole, end=300_000, lanes=tuple(cut))
    assert excerpt.take(less, interval).is_like(excerpt.take(whole, interval), interval, 800)
    earlier = Interval(100_000, whole.end)
    assert not excerpt.take(less, earlier).is_like(excerpt.take(whole, earlier), earlier, 800)


def test_a_slice_that_ends_differently_is_a_change() -> None:
    interval = Interval(0, 100)
    one, other = (
        excerpt.take(lanes(lane([(0, 1, left), (50, 2, Left.NOT_YET)]), end=100), interval)
        for left in (Left.PREEMPTED, Left.YIELDED)
    )
    assert not one.is_like(other, interval, 100)


def test_a_core_whose_task_has_no_name_yet_is_drawn_as_busy() -> None:
    core = lane([(0, -1, Left.NOT_YET)])
    taken = excerpt.take(
        replace(lanes(core, end=400), names=(), idle=frozenset()), Interval(0, 400)
    )
    idle = taken.idle[taken.lanes[0].task]
    assert idle.tolist() == [False]
    assert slices.busy(taken.lanes[0], idle, Interval(0, 400).edges(4)).tolist() == [1] * 4
