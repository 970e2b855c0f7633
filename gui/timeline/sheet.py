"""Sheets: where on a timeline what is painted. Its layers share one."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from gui.theme import Theme
from gui.timeline.interval import Interval

PATCHER: Final = "patcher"
WHOLE_RUN: Final = "whole run"
_RIGHT: Final = 10  # pixels of margin


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of pixels: [top, bottom)."""

    top: int
    bottom: int

    @property
    def height(self) -> int:
        """How many they are."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The y of their middle."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class LaneRows:
    """Of one core: signs of instants above, the box of its slices below; low lanes overlap them."""

    whole: Rows
    signs: Rows
    box: Rows


@dataclass(frozen=True, slots=True)
class Sheet:
    """The places of everything.

    Attributes:
        left, width: of the axis of time, in pixels.
        legend, ruler, names, patcher: from top to bottom; names are the bands'.
        lanes: one for each core. bottom: below the last of them.
        sign: the size of an instant's sign, in pixels.
    """

    theme: Theme
    interval: Interval
    left: int
    width: int
    legend: Rows
    ruler: Rows
    names: Rows
    patcher: Rows
    lanes: tuple[LaneRows, ...]
    bottom: int
    sign: int

    def x(self, time: int) -> float:
        """Return the x of a time."""
        return self.left + self.interval.x(time, self.width)

    def time(self, x: float) -> int:
        """Return the time at an x."""
        return self.interval.time(x - self.left, self.width)

    @property
    def precision(self) -> int:
        """How long a pixel is, in ns, at least 1."""
        return max(self.interval.span // self.width, 1)

    @property
    def origin(self) -> int:
        """The number of the axis' first pixel, counted from time 0."""
        return self.interval.begin * self.width // self.interval.span

    def core_at(self, y: float) -> int | None:
        """Return the core whose lane is at a y."""
        for core, lane in enumerate(self.lanes):
            if lane.whole.top <= y < lane.whole.bottom:
                return core
        return None


def gutter(metrics: QFontMetrics) -> int:
    """Return how wide the names of lanes are, in pixels."""
    core = metrics.height() + 6 + metrics.horizontalAdvance("core 0")
    words = max(metrics.horizontalAdvance(word) for word in (PATCHER, WHOLE_RUN))
    return max(core, words) + 16


def axis(metrics: QFontMetrics, width: int) -> tuple[int, int]:
    """Return where the axis of time begins, and its width, in a widget of some width."""
    left = gutter(metrics)
    return left, max(width - left - _RIGHT, 1)


def least_height(metrics: QFontMetrics, cores: int) -> int:
    """Return the least height at which everything can be read."""
    return _head(metrics)[-1] + cores * (metrics.height() + 4) + 2


def lay_out(
    theme: Theme, interval: Interval, size: QSize, metrics: QFontMetrics, cores: int
) -> Sheet:
    """Return the sheet of a view of some size."""
    left, width = axis(metrics, size.width())
    legend, ruler, names, patcher = (Rows(top, bottom) for top, bottom in pairwise(_head(metrics)))
    room = max(size.height() - 2 - patcher.bottom, 4 * cores)
    tops = [patcher.bottom + room * core // max(cores, 1) for core in range(cores + 1)]
    lanes = tuple(_lane(metrics, top, bottom) for top, bottom in pairwise(tops))
    height = lanes[0].whole.height if lanes else 0
    sign = min(max(int(height * 0.42), 9), metrics.height() + 2)
    return Sheet(theme, interval, left, width, legend, ruler, names, patcher, lanes, tops[-1], sign)


def _head(metrics: QFontMetrics) -> tuple[int, ...]:
    """Return where the rows above the lanes begin, and where the last of them ends."""
    height = metrics.height()
    tops = [0]
    for row in (height + 4, height + 7, height + 1, height - 1):
        tops.append(tops[-1] + row)
    return tuple(tops)


def _lane(metrics: QFontMetrics, top: int, bottom: int) -> LaneRows:
    """Divide a lane: text must fit into the box first, signs take what is left."""
    height = bottom - top
    text = metrics.height() + 2
    above = min(max(height - 3 - text, 4), int(height * 0.46))
    return LaneRows(
        Rows(top, bottom),
        Rows(top + 1, top + 1 + above),
        Rows(top + 1 + above, max(bottom - 2, top + 2 + above)),
    )
