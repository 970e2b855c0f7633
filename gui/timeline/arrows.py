"""Arrows: interrupts on their way from core to core, or from the patcher.

Handled: a full line to a small filled dot. Pending at the position: a dashed line to a hollow dot,
at the time at which the recorded run delivers it, or where the lanes end. Where too many share the
pixels, handled ones are one thin line a pixel, from the topmost to the lowest lane concerned;
pending ones are always drawn.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from emu.scene.lanes import Arrows
from gui.timeline import instants
from gui.timeline.excerpt import Excerpt
from gui.timeline.sheet import Sheet
from gui.timeline.signs import HANDLED, PENDING, Signs
from gui.timeline.stripes import argb, draw

_FAINT = 0.25  # opacity of an arrow among many
_MANY = 300  # as single lines they would cost more than they tell
_HEAD = 0.42  # of a sign's size: an arrow ends before the dot that it points at


def pending(arrows: Arrows, position: int) -> NDArray[np.bool_]:
    """Return which interrupts are sent at a position and not yet taken by their core."""
    delivered = arrows.delivered
    return (arrows.sent <= position) & ((delivered < 0) | (delivered > position))


def paint_handled(
    painter: QPainter, sheet: Sheet, excerpt: Excerpt, position: int, signs: Signs
) -> None:
    """Paint what has arrived, or, behind the position, what will."""
    arrows = excerpt.arrows
    begin_x, end_x = _xs(sheet, excerpt)
    handled = ~_waits(arrows, position) & _known(sheet, arrows)
    if handled.sum() > _MANY:
        _crowd(painter, sheet, arrows, handled, begin_x)
        return
    painter.setPen(QPen(QColor(sheet.theme.accent), 1.3))
    for index in np.flatnonzero(handled).tolist():
        _arrow(painter, sheet, arrows, index, begin_x[index], end_x[index], signs)


def paint_pending(
    painter: QPainter, sheet: Sheet, excerpt: Excerpt, position: int, signs: Signs
) -> None:
    """Paint what is on its way. Above the instants: the one at its end has not happened yet."""
    arrows = excerpt.arrows
    begin_x, end_x = _xs(sheet, excerpt)
    painter.setPen(QPen(QColor(sheet.theme.warn), 1.5, Qt.PenStyle.DashLine))
    for index in _apart(_waits(arrows, position) & _known(sheet, arrows), end_x, arrows):
        _arrow(painter, sheet, arrows, index, begin_x[index], end_x[index], signs, PENDING)


def _xs(sheet: Sheet, excerpt: Excerpt) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the x of both ends of each arrow."""
    arrows = excerpt.arrows
    ends = np.where(arrows.delivered >= 0, arrows.delivered, excerpt.until)
    xs = sheet.interval.xs
    return sheet.left + xs(arrows.sent, sheet.width), sheet.left + xs(ends, sheet.width)


def _waits(arrows: Arrows, position: int) -> NDArray[np.bool_]:
    """Return which are pending, or were never taken as far as the run has got."""
    return pending(arrows, position) | (arrows.delivered < 0)


def _known(sheet: Sheet, arrows: Arrows) -> NDArray[np.bool_]:
    return (arrows.target < len(sheet.lanes)) & (arrows.target >= 0)


def _apart(waits: NDArray[np.bool_], end_x: NDArray[np.float64], arrows: Arrows) -> list[int]:
    """Return the pending ones, one for each target and pixel."""
    places = {
        (int(arrows.target[index]), int(arrows.source[index]), int(end_x[index])): index
        for index in np.flatnonzero(waits).tolist()
    }
    return list(places.values())


def _arrow(  # noqa: PLR0913, PLR0917 -- two ends
    painter: QPainter,
    sheet: Sheet,
    arrows: Arrows,
    index: int,
    begin_x: float,
    end_x: float,
    signs: Signs,
    head: str = HANDLED,
) -> None:
    source, target = int(arrows.source[index]), int(arrows.target[index])
    begin = QPointF(begin_x, _leaves(sheet, source, target))
    end = QPointF(end_x, instants.middle(sheet.lanes[target], signs.size))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QLineF(begin, end)
    if line.length() > signs.size:
        line.setLength(line.length() - signs.size * _HEAD)
        painter.drawLine(line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if sheet.left <= end_x <= sheet.left + sheet.width + signs.size:
        signs.put(painter, head, end_x, end.y())


def _leaves(sheet: Sheet, source: int, target: int) -> float:
    """Return the y at which an arrow leaves its sender, on the side of its target."""
    if not 0 <= source < len(sheet.lanes):
        return sheet.patcher.middle
    box = sheet.lanes[source].box
    if source == target:
        return box.middle
    return float(box.bottom if target > source else box.top)


def _crowd(
    painter: QPainter,
    sheet: Sheet,
    arrows: Arrows,
    which: NDArray[np.bool_],
    begin_x: NDArray[np.float64],
) -> None:
    """One line a pixel, from the topmost to the lowest lane concerned (the patcher is above)."""
    pixels = begin_x[which].astype(np.int64) - sheet.left
    seen = (pixels >= 0) & (pixels < sheet.width)
    ends = np.stack((arrows.source[which][seen], arrows.target[which][seen]))
    tops = np.full(sheet.width, len(sheet.lanes), dtype=np.int64)
    lows = np.full(sheet.width, -1, dtype=np.int64)
    np.minimum.at(tops, pixels[seen], ends.min(axis=0))
    np.maximum.at(lows, pixels[seen], ends.max(axis=0))
    ys = [int(sheet.patcher.middle), *(int(rows.box.middle) for rows in sheet.lanes)]
    colour = np.uint32(argb(sheet.theme.accent, _FAINT))
    for upper, (top, bottom) in enumerate(pairwise(ys), -1):  # -1: the patcher
        row = np.where((tops <= upper) & (lows > upper), colour, np.uint32(0))
        draw(painter, QRect(sheet.left, top, sheet.width, bottom - top), row)
