"""The cursor: where the player stands, what lies behind it, and what is pointed at.

All that moves, and is therefore painted above the rest each time.
"""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui.timeline import ruler
from gui.timeline.sheet import Sheet

_COVER: Final = {"light": 150, "dark": 140}  # opacity, of 255, over what lies behind the position
_TIP = 7  # pixels that a flag points


def paint(painter: QPainter, sheet: Sheet, position: int, asked: int | None) -> None:
    """Paint the position as a line with a flag, and fade what lies behind it.

    asked: the time that the player is on its way to, as a dashed line.
    """
    right, x, accent = sheet.left + sheet.width, sheet.x(position), QColor(sheet.theme.accent)
    cover = QColor(sheet.theme.panel)
    cover.setAlpha(_COVER[sheet.theme.name])
    begin = min(max(int(x) + 1, sheet.left), right + 1)
    painter.fillRect(
        begin, sheet.names.top, right + 1 - begin, sheet.bottom - sheet.names.top, cover
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if asked is not None and sheet.left <= sheet.x(asked) <= right:
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.DashLine))
        goal = sheet.x(asked)
        painter.drawLine(QPointF(goal, sheet.names.top), QPointF(goal, sheet.bottom))
    if sheet.left - 1 <= x <= right + 1:
        top = sheet.ruler.bottom - 2
        painter.fillRect(round(x) - 1, top, 2, sheet.bottom - top, accent)
    _paint_flag(painter, sheet, position)


def _paint_flag(painter: QPainter, sheet: Sheet, position: int) -> None:
    """The position's time; outside of the interval, with a tip that says on which side."""
    right, x = sheet.left + sheet.width, sheet.x(position)
    text = ruler.text_of(position, sheet.precision, sheet.interval.end)
    wide = painter.fontMetrics().horizontalAdvance(text) + 14
    box = QRectF(x - wide / 2, sheet.ruler.top + 1, wide, sheet.ruler.height - 4)
    box.moveLeft(min(max(box.left(), sheet.left - 4.0), right + 6.0 - wide))
    outside = not sheet.left - 1 <= x <= right + 1
    ruler.paint_labels(painter, sheet, box.adjusted(-_TIP, 0, _TIP, 0) if outside else box)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(sheet.theme.accent))
    if outside:
        tip = _TIP if x > right else -_TIP
        box.translate(-tip, 0)
        side = box.right() if x > right else box.left()
        corners = [QPointF(side, y) for y in (box.top() + 2, box.bottom() - 2)]
        painter.drawPolygon(QPolygonF([*corners, QPointF(side + tip, box.center().y())]))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(sheet.theme.on_accent))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_hint(painter: QPainter, sheet: Sheet, hint: str, at: QPoint, size: QSize) -> None:
    """Paint a line of text beside a point, inside of a view of some size."""
    metrics = painter.fontMetrics()
    text = metrics.elidedText(hint, Qt.TextElideMode.ElideRight, size.width() - 24)
    wide, high = metrics.horizontalAdvance(text) + 14, metrics.height() + 6
    above = at.y() - high - 8
    y = above if above > sheet.ruler.bottom else at.y() + 14
    x = min(max(at.x() + 10, 4), size.width() - wide - 4)
    box = QRectF(x + 0.5, min(max(y, 0), size.height() - high - 1) + 0.5, wide, high)
    painter.setPen(QPen(QColor(sheet.theme.line), 1))
    painter.setBrush(QColor(sheet.theme.ground))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(sheet.theme.ink))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
