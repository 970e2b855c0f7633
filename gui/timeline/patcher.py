"""The patcher's lane: thin, above the cores; a mark for each store to text."""

import numpy as np
from PySide6.QtGui import QColor, QPainter

from gui.timeline import instants
from gui.timeline.excerpt import Excerpt
from gui.timeline.sheet import Sheet
from gui.timeline.signs import STORE, Signs


def paint(painter: QPainter, sheet: Sheet, excerpt: Excerpt, signs: Signs) -> None:
    """Paint the stores; of those that hide one another, one."""
    rows = sheet.patcher
    line = QColor(sheet.theme.line)
    painter.setPen(line)
    y = int(rows.bottom - 2)
    painter.drawLine(sheet.left, y, sheet.left + sheet.width, y)
    stored = np.zeros(sheet.width, dtype=np.uint8)
    xs = sheet.interval.xs(excerpt.stores, sheet.width).astype(np.int64)
    stored[np.clip(xs, 0, sheet.width - 1)] = 1
    pixels = instants.chosen(stored, sheet.origin, signs.size)
    lefts = pixels + (sheet.left - (signs.size - 1) // 2)
    signs.put_all(painter, STORE, lefts.tolist(), rows.middle)
