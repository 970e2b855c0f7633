"""Slices: which task has a core, as boxes with names.

All boxes of a lane are one image: its opacity is the share of a pixel's time in which the core had
something to do, so that a thousand slices in a pixel are as true as one. Names, and the signs of
how a slice ended, are only for the slices that are wide enough for them. An idle core has no box.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from emu.scene.lanes import Column, Left
from gui.timeline import stripes
from gui.timeline.excerpt import Excerpt, LaneExcerpt
from gui.timeline.sheet import LaneRows, Sheet
from gui.timeline.signs import Signs

_FILL: Final = {"light": 0.24, "dark": 0.34}  # share of the core's colour in a box
_SEPARATED = 3.0  # pixels that a slice must have to begin with a line
_PADDING = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Wide:
    """The slices of a core that can be told apart at this scale.

    Attributes:
        index: of each in its excerpt. begin, end: in pixels of the axis. idle: whether it is.
    """

    index: NDArray[np.int64]
    begin: NDArray[np.float64]
    end: NDArray[np.float64]
    idle: NDArray[np.bool_]


def paint(painter: QPainter, sheet: Sheet, excerpt: Excerpt, signs: Signs) -> None:
    """Paint the slices of all cores."""
    edges = sheet.interval.edges(sheet.width)
    for core, (lane, rows) in enumerate(zip(excerpt.lanes, sheet.lanes, strict=True)):
        colour = sheet.theme.cores[core % len(sheet.theme.cores)]
        if not len(lane.start):
            _undescribed(painter, sheet, colour, excerpt, rows)
            continue
        idle = excerpt.idle[lane.task]
        wide = _wide(sheet, lane, idle)
        _boxes(painter, sheet, colour, busy(lane, idle, edges), rows)
        _lines(painter, sheet, colour, wide, rows)
        _names(painter, sheet, excerpt.names, lane, wide, rows, signs)


def _wide(sheet: Sheet, lane: LaneExcerpt, idle: NDArray[np.bool_]) -> _Wide:
    bounds = np.append(lane.start, lane.until)
    least = int(_SEPARATED * sheet.interval.span / sheet.width)
    index = np.flatnonzero(np.diff(bounds) >= least)
    begin, end = (sheet.interval.xs(bounds[at], sheet.width) for at in (index, index + 1))
    return _Wide(index, begin, end, idle[index])


def busy(lane: LaneExcerpt, idle: NDArray[np.bool_], edges: Column) -> NDArray[np.float64]:
    """Return the share of each pixel, 0 to 1, in which the core has a task that is not idle.

    Where pixels are shorter than 1 ns, one without a time of its own has the state of the ns in
    which it lies.
    """
    ends = np.append(lane.start[1:], lane.until)
    spent = np.concatenate(([0], np.cumsum((ends - lane.start) * ~idle)))
    at = np.clip(edges, lane.start[0], lane.until)
    slices = np.searchsorted(lane.start, at, side="right") - 1
    before = spent[slices] + (at - lane.start[slices]) * ~idle[slices]
    length = np.diff(edges)
    shares: NDArray[np.float64] = np.diff(before) / np.maximum(length, 1)
    timeless = np.flatnonzero(length == 0)
    if len(timeless):
        inside = edges[timeless] - 1
        known = (inside >= lane.start[0]) & (inside < lane.until)
        slices = np.searchsorted(lane.start, inside, side="right") - 1
        shares[timeless] = known & ~idle[slices]
    return shares


def _undescribed(
    painter: QPainter, sheet: Sheet, colour: str, excerpt: Excerpt, rows: LaneRows
) -> None:
    """A core of which nothing says what it runs: a line, as long as something is known at all."""
    end = min(sheet.x(excerpt.until), sheet.left + sheet.width)
    painter.setPen(QColor(colour))
    y = int(rows.box.middle)
    painter.drawLine(sheet.left, y, int(end), y)


def _boxes(
    painter: QPainter, sheet: Sheet, colour: str, shares: NDArray[np.float64], rows: LaneRows
) -> None:
    box = QRect(sheet.left, rows.box.top, sheet.width, rows.box.height)
    fill = stripes.mixed(colour, sheet.theme.panel, _FILL[sheet.theme.name])
    stripes.draw(painter, box, stripes.shaded(fill, shares))
    border = stripes.shaded(colour, shares * 0.9)
    for y in (box.top(), box.bottom()):
        stripes.draw(painter, QRect(box.left(), y, box.width(), 1), border)


def _lines(painter: QPainter, sheet: Sheet, colour: str, wide: _Wide, rows: LaneRows) -> None:
    """Lines where slices begin and end."""
    ends = np.concatenate((wide.begin[~wide.idle], wide.end[~wide.idle])).astype(np.int64)
    ends = ends[(ends >= 0) & (ends < sheet.width)]
    pixels = np.zeros(sheet.width, dtype=np.uint32)
    pixels[ends] = stripes.argb(colour, 0.9)
    box = QRect(sheet.left, rows.box.top, sheet.width, rows.box.height)
    stripes.draw(painter, box, pixels)


def _names(  # noqa: PLR0913, PLR0917 -- what a lane is made of
    painter: QPainter,
    sheet: Sheet,
    names: tuple[str, ...],
    lane: LaneExcerpt,
    wide: _Wide,
    rows: LaneRows,
    signs: Signs,
) -> None:
    metrics = painter.fontMetrics()
    begins, ends = np.maximum(wide.begin, 0.0), np.minimum(wide.end, sheet.width)
    least_name = metrics.horizontalAdvance("MM") + 2 * _PADDING
    least_sign = signs.size + 2
    ink, dim = QColor(sheet.theme.ink), QColor(sheet.theme.dim)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    low = rows.box.height < metrics.height() - 2  # no room for text
    for at in np.flatnonzero(ends - begins >= min(least_name, least_sign)).tolist():
        begin, end = sheet.left + float(begins[at]), sheet.left + float(ends[at])
        index, idle = int(wide.index[at]), bool(wide.idle[at])
        left = Left(int(lane.left[index]))
        shown = left is not Left.NOT_YET and wide.end[at] <= sheet.width and not idle
        if shown and end - begin >= least_sign:
            signs.put(painter, left, end - signs.size / 2, rows.box.middle)
            end -= signs.size
        room = int(end - begin) - 2 * _PADDING
        if room < least_name - 2 * _PADDING or low:
            continue
        painter.setPen(dim if idle else ink)
        task = int(lane.task[index])
        name = names[task] if task >= 0 else "?"
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        box = QRectF(begin + _PADDING, rows.box.top, room + 1, rows.box.height)
        painter.drawText(box, flags, text)
