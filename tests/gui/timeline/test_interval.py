"""Times and pixels, with times as large as they may get."""

import numpy as np
import pytest

from gui.timeline.interval import SHORTEST, Interval

LONG = 2**62


@pytest.mark.parametrize(
    "interval",
    [Interval(0, 1_000_000), Interval(7, 7 + 40), Interval(LONG, LONG + 999_999_937)],
    ids=["whole", "pixels shorter than 1 ns", "late"],
)
def test_an_edge_is_the_first_time_of_its_pixel(interval: Interval) -> None:
    width = 1_237
    edges = interval.edges(width)
    assert edges[0] == interval.begin
    assert edges[-1] == interval.end
    for pixel in range(width):
        first = int(edges[pixel])
        assert int(interval.x(first - 1, width)) < pixel or first == interval.begin
        assert int(interval.x(first, width)) >= pixel


def test_nothing_overflows_in_a_run_of_a_century() -> None:
    interval, width = Interval(0, LONG), 3_840
    assert (np.diff(interval.edges(width)) > 0).all()
    assert interval.x(LONG // 2, width) == width / 2
    xs = interval.xs(np.array([0, LONG // 4, LONG], dtype=np.int64), width)
    assert xs.tolist() == [0, width / 4, width]


def test_zooming_keeps_the_time_under_the_pointer() -> None:
    interval = Interval(1_000, 9_000)
    for factor in (0.25, 0.8, 1.25, 4.0):
        zoomed = interval.zoomed(3_000, factor)
        assert zoomed.span == pytest.approx(8_000 * factor, abs=1)
        assert zoomed.x(3_000, 800) == pytest.approx(interval.x(3_000, 800), abs=0.2)


def test_zooming_in_ends_at_single_instructions() -> None:
    interval = Interval(0, 100)
    for _ in range(50):
        interval = interval.zoomed(50, 0.5)
    assert interval.span == SHORTEST


def test_an_interval_stays_within_its_limits() -> None:
    limits = Interval(500, 2_500)
    assert Interval(0, 1_000).within(limits) == Interval(500, 1_500)
    assert Interval(2_000, 3_000).within(limits) == Interval(1_500, 2_500)
    assert Interval(0, 9_000).within(limits) == limits


def test_what_is_shown_already_does_not_move() -> None:
    interval = Interval(100, 200)
    assert interval.showing(199) is interval
    assert interval.showing(1_000) == Interval(950, 1_050)
