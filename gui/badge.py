"""Badges: a core's sign. Position, shape and number tell it; colour comes on top."""

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPolygonF

from gui.theme import Theme

SHAPES: Final = (
    "circle", "square", "diamond", "hexagon", "triangle", "pentagon", "octagon", "cross",
)  # fmt: skip
"""The shape of each core, by its number."""

_CORNERS: Final = {  # number of corners, and the angle of the first, in degrees from the right
    "diamond": (4, 90),
    "hexagon": (6, 0),
    "triangle": (3, 90),
    "pentagon": (5, 90),
    "octagon": (8, 22.5),
}


def paint_badge(painter: QPainter, theme: Theme, core: int, box: QRectF) -> None:
    """Paint the badge of a core into a square."""
    number = core % len(SHAPES)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.cores[number]))
    _paint_shape(painter, SHAPES[number], box)
    font = QFont(painter.font())
    font.setBold(True)
    triangle = SHAPES[number] == "triangle"
    font.setPixelSize(max(7, int(box.height() * (0.5 if triangle else 0.62))))
    painter.setFont(font)
    painter.setPen(QColor(theme.cores_ink[number]))
    lower = box.height() * 0.07 if triangle else 0.0
    painter.drawText(box.translated(0, lower), Qt.AlignmentFlag.AlignCenter, str(core))
    painter.restore()


def _paint_shape(painter: QPainter, shape: str, box: QRectF) -> None:
    if shape == "circle":
        painter.drawEllipse(box)
    elif shape == "square":
        painter.drawRect(box.adjusted(1, 1, -1, -1))
    elif shape == "cross":
        third = box.width() / 4
        painter.drawRect(box.adjusted(third, 0, -third, 0))
        painter.drawRect(box.adjusted(0, third, 0, -third))
    else:
        corners, first = _CORNERS[shape]
        painter.drawPolygon(_polygon(box, corners, first))


def _polygon(box: QRectF, corners: int, first: float) -> QPolygonF:
    middle, radius = box.center(), box.width() / 2 * 1.08
    points = []
    for corner in range(corners):
        angle = math.radians(first + corner * 360 / corners)
        points.append(
            QPointF(middle.x() + radius * math.cos(angle), middle.y() - radius * math.sin(angle))
        )
    return QPolygonF(points)
