"""Excerpts: what of the lanes lies in an interval, and whether that has changed.

Lanes grow while a run goes on. Only what can be seen matters for painting, and most of what
arrives cannot be seen by somebody who looks at the past.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.scene.lanes import Arrows, Band, Codes, Column, Lane, Lanes, Left
from gui.timeline.interval import Interval


@dataclass(frozen=True, slots=True, eq=False)
class LaneExcerpt:
    """Of a core: views of its columns.

    Attributes:
        start, task, left: of the slices, the one under way at the interval's begin included.
        until: when the last of them ends.
        last: its `Left`, noted, as it changes when the task loses the core.
        time, kind, event: of the instants.
    """

    start: Column
    task: Column
    left: Codes
    until: int
    last: int
    time: Column
    kind: Codes
    event: Column

    def is_like(self, other: "LaneExcerpt") -> bool:
        """Return whether it looks the same, however long the last slice is by now."""
        return (
            self.last == other.last
            and equal(self.start, other.start)
            and equal(self.task, other.task)
            and equal(self.left, other.left)
            and equal(self.time, other.time)
            and equal(self.kind, other.kind)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """Of all cores.

    Attributes:
        lanes: as views. arrows: copies of those that touch the interval.
        bands: those that touch it. stores: a view. until: where the lanes end.
        idle: names of tasks that only wait, as flags by index; the last is for -1, not known.
    """

    lanes: tuple[LaneExcerpt, ...]
    arrows: Arrows
    bands: tuple[Band, ...]
    stores: Column
    until: int
    names: tuple[str, ...]
    idle: NDArray[np.bool_]

    def is_like(self, other: "Excerpt", interval: Interval, width: int) -> bool:
        """Return whether both look the same in an interval of so many pixels."""
        ends = {int(interval.x(min(each.until, interval.end), width)) for each in (self, other)}
        return (
            len(ends) == 1
            and self.bands == other.bands
            and len(self.lanes) == len(other.lanes)
            and equal(self.stores, other.stores)
            and all(
                equal(mine, its)
                for mine, its in zip(columns(self.arrows), columns(other.arrows), strict=True)
            )
            and all(mine.is_like(its) for mine, its in zip(self.lanes, other.lanes, strict=True))
        )


def take(lanes: Lanes, interval: Interval) -> Excerpt:
    """Return what of the lanes lies in an interval."""
    idle = np.zeros(len(lanes.names) + 1, dtype=np.bool_)
    idle[list(lanes.idle)] = True
    low, high = np.searchsorted(lanes.stores, (interval.begin, interval.end))
    return Excerpt(
        tuple(_lane(lane, lanes.end, interval) for lane in lanes.lanes),
        _arrows(lanes.arrows, interval),
        tuple(
            band
            for band in lanes.bands
            if band.begin < interval.end and (band.end < 0 or band.end > interval.begin)
        ),
        lanes.stores[low:high],
        lanes.end,
        lanes.names,
        idle,
    )


def _lane(lane: Lane, end: int, interval: Interval) -> LaneExcerpt:
    low, high = np.searchsorted(lane.start, (interval.begin, interval.end))
    if low == len(lane.start) or lane.start[low] > interval.begin:
        low = max(low - 1, 0)
    first, behind = np.searchsorted(lane.time, (interval.begin, interval.end))
    return LaneExcerpt(
        lane.start[low:high],
        lane.task[low:high],
        lane.left[low:high],
        int(lane.start[high]) if high < len(lane.start) else end,
        int(lane.left[high - 1]) if high > low else int(Left.NOT_YET),
        lane.time[first:behind],
        lane.kind[first:behind],
        lane.event[first:behind],
    )


def _arrows(arrows: Arrows, interval: Interval) -> Arrows:
    sent, delivered = arrows.sent, arrows.delivered
    seen = (sent < interval.end) & ((delivered < 0) | (delivered >= interval.begin))
    return Arrows(*(column[seen] for column in columns(arrows)))


def columns(arrows: Arrows) -> tuple[Column, ...]:
    """Return all columns of arrows, in the order of their fields."""
    return (
        arrows.sent,
        arrows.source,
        arrows.target,
        arrows.vector,
        arrows.delivered,
        arrows.acknowledged,
    )


def equal(mine: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    """Return whether two columns hold the same; at once where they are the same memory."""
    if len(mine) != len(other):
        return False
    return mine.ctypes.data == other.ctypes.data or bool(np.array_equal(mine, other))
