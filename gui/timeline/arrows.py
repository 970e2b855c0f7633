"""Arrows: interrupts on their way from core to core, or from the patcher.

Handled: a full line to a small filled dot. Pending at the position: a dashed line to a hollow dot,
at the time at which the recorded run delivers it, or where the lanes end. Where too many share the
pixels, handled ones are one thin line a pixel, from the topmost to the lowest lane concerned;
pending ones are always drawn.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from emu.scene.lanes import Arrows
from gui.timeline import instants
from gui.timeline.excerpt import Excerpt
from gui.timeline.sheet import Sheet
from gui.timeline.signs import HANDLED, PENDING, Signs

_MANY = 300  # as single lines they would cost more than they tell
_HEAD = 0.42  # of a sign's size: an arrow ends before the dot that it points at


def pending(arrows: Arrows, position: int) -> NDArray[np.bool_]:
    """Return which interrupts are sent at a position and not yet taken by their core."""
    delivered = arrows.delivered
    return (arrows.sent <= position) & ((delivered < 0) | (delivered > position))


def paint(painter: QPainter, sheet: Sheet, excerpt: Excerpt, position: int, signs: Signs) -> None:
    """Paint all arrows."""
    arrows = excerpt.arrows
    ends = np.where(arrows.delivered >= 0, arrows.delivered, excerpt.until)
    begin_x = sheet.left + sheet.interval.xs(arrows.sent, sheet.width)
    end_x = sheet.left + sheet.interval.xs(ends, sheet.width)
    known = (arrows.target < len(sheet.lanes)) & (arrows.target >= 0)
    waits = pending(arrows, position) & known
    handled = ~waits & known
    if handled.sum() > _MANY:
        _crowd(painter, sheet, arrows, handled, begin_x)
    else:
        painter.setPen(QPen(QColor(sheet.theme.accent), 1.3))
        for index in np.flatnonzero(handled).tolist():
            _arrow(painter, sheet, arrows, index, begin_x[index], end_x[index], signs)
    painter.setPen(QPen(QColor(sheet.theme.warn), 1.5, Qt.PenStyle.DashLine))
    for index in _apart(waits, end_x, arrows):
        _arrow(painter, sheet, arrows, index, begin_x[index], end_x[index], signs, PENDING)


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
    pixels = begin_x[which].astype(np.int64)
    tops = np.minimum(arrows.source, arrows.target)[which]
    lows = np.maximum(arrows.source, arrows.target)[which]
    seen = (pixels >= sheet.left) & (pixels < sheet.left + sheet.width)
    pixels, tops, lows = pixels[seen], tops[seen], lows[seen]
    if not len(pixels):
        return
    firsts = np.flatnonzero(np.diff(pixels, prepend=-1) > 0)
    ys = [sheet.patcher.middle, *(rows.box.middle for rows in sheet.lanes)]
    colour = QColor(sheet.theme.accent)
    colour.setAlpha(60)
    painter.setPen(colour)
    painter.drawLines(
        [
            QLineF(pixel, ys[top + 1], pixel, ys[low + 1])
            for pixel, top, low in zip(
                pixels[firsts].tolist(),
                np.minimum.reduceat(tops, firsts).tolist(),
                np.maximum.reduceat(lows, firsts).tolist(),
                strict=True,
            )
        ]
    )
