"""The gutter: whose lane it is, left of the axis; and the legend above it all."""

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from emu.scene.lanes import Kind, Left
from gui.badge import paint_badge
from gui.timeline import signs
from gui.timeline.sheet import PATCHER, Sheet

LEGEND: Final = (
    (Kind.INT3, "int3"),
    (Kind.SYNC, "asked to serialise"),
    (signs.PENDING, "still on its way"),
    (Left.PREEMPTED, "preempted"),
    (Left.YIELDED, "yielded"),
    (Left.BLOCKED, "blocked"),
    (signs.STORE, "patcher's store"),
    (Kind.TICK, "timer tick"),
    (Kind.INTERRUPT, "interrupt"),
    (Kind.SERIALISED, "serialised"),
    (Kind.STALE, "stale bytes"),
    (Kind.TORN, "torn bytes"),
    (Kind.TRAP, "exception"),
)
"""What the signs mean; those first without which the rest says little."""
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def paint(painter: QPainter, sheet: Sheet, selected: int | None) -> None:
    """Paint badge and number of each core, the selected one stronger."""
    painter.setPen(QColor(sheet.theme.dim))
    rows = sheet.patcher
    painter.drawText(QRectF(8, rows.top, sheet.left - 10, rows.height), _MIDDLE, PATCHER)
    metrics = painter.fontMetrics()
    for core, lane in enumerate(sheet.lanes):
        box = lane.box
        if core == selected:
            painter.fillRect(
                0, lane.whole.top, sheet.left - 4, lane.whole.height, QColor(sheet.theme.tint)
            )
            painter.fillRect(0, lane.whole.top, 3, lane.whole.height, QColor(sheet.theme.accent))
        size = min(metrics.height(), lane.whole.height - 2)
        middle = min(max(box.middle, lane.whole.top + size / 2), lane.whole.bottom - size / 2)
        paint_badge(painter, sheet.theme, core, QRectF(8, middle - size / 2, size, size))
        if lane.whole.height < metrics.ascent():
            continue  # too low for words: the badge has the number
        font = QFont(painter.font())
        painter.save()
        font.setBold(core == selected)
        painter.setFont(font)
        painter.setPen(QColor(sheet.theme.ink))
        words = QRectF(14 + size, middle - metrics.height() / 2, sheet.left, metrics.height())
        painter.drawText(words, _MIDDLE, f"core {core}")
        painter.restore()


def paint_legend(painter: QPainter, sheet: Sheet) -> None:
    """Paint what the signs mean; what does not fit is left out."""
    metrics, rows = painter.fontMetrics(), sheet.legend
    size = metrics.height() - 2
    x = 8
    painter.setPen(QColor(sheet.theme.dim))
    for sign, text in LEGEND:
        wide = size + 4 + metrics.horizontalAdvance(text)
        if x + wide > sheet.left + sheet.width:
            break
        box = QRectF(x, rows.top + (rows.height - size) / 2, size, size)
        signs.paint(painter, sheet.theme, sign, box)
        words = QRectF(x + size + 4, rows.top, wide, rows.height)
        painter.drawText(words, _MIDDLE, text)
        x += wide + metrics.horizontalAdvance("m")
