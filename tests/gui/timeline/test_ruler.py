"""Sensible steps, and times as text."""

import pytest

from gui.timeline.interval import Interval
from gui.timeline.ruler import step_of, text_of, ticks


@pytest.mark.parametrize(
    ("span", "most", "step"),
    [
        (1_000_000, 10, 100_000),
        (1_000_001, 10, 200_000),
        (40, 10, 5),
        (3, 10, 1),
        (2**62, 1, 5 * 10**18),
    ],
)
def test_steps_are_1_2_or_5_and_no_more_than_fit(span: int, most: int, step: int) -> None:
    assert step_of(span, most) == step
    assert span / step <= most


def test_ticks_are_multiples_of_the_step_inside() -> None:
    assert list(ticks(Interval(8_030_000, 8_330_000), 4)) == [8_100_000, 8_200_000, 8_300_000]


@pytest.mark.parametrize(
    ("time", "precision", "longest", "text"),
    [
        (8_832_120, 100_000, None, "8.8 ms"),
        (8_832_120, 1_000, None, "8.832 ms"),
        (8_832_129, 10, None, "8.832 12 ms"),
        (8_832_120, 1_000_000, None, "8 ms"),
        (999, 1, None, "999 ns"),
        (999, 1, 10_000, "0.999 µs"),
        (12_050, 10, None, "12.05 µs"),
        (5_000_000, 500, None, "5.000 0 ms"),
        (0, 1, None, "0 ns"),
    ],
)
def test_a_time_as_text(time: int, precision: int, longest: int | None, text: str) -> None:
    assert text_of(time, precision, longest).replace("\N{NARROW NO-BREAK SPACE}", " ") == text
