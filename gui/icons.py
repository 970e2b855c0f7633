"""Icons of the buttons, painted: triangles and bars. No font has to have them."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF

from gui.painting import painting

_SIZE: Final = 32

_SHAPES: Final = {  # of each icon, from left to right: "<" and ">" triangles, "|" bars
    "begin": "|<<",
    "previous-phase": "<<",
    "back": "|<",
    "step": ">|",
    "next-phase": ">>",
    "run": ">",
    "pause": "||",
    "edge": ">>|",
}


def icon(name: str, colour: str) -> QIcon:
    """Return an icon in a colour, #rrggbb."""
    pixmap = QPixmap(_SIZE, _SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    with painting(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        signs = _SHAPES[name]
        widths = [4.0 if sign == "|" else 11.0 if len(signs) > 1 else 18.0 for sign in signs]
        gap = 4.0 if signs == "||" else 1.0
        left = (_SIZE - sum(widths) - gap * (len(signs) - 1)) / 2
        for sign, width in zip(signs, widths, strict=True):
            _paint(painter, sign, QRectF(left, 7, width, 18))
            left += width + gap
    return QIcon(pixmap)


def _paint(painter: QPainter, sign: str, box: QRectF) -> None:
    middle = box.center().y()
    if sign == "|":
        painter.drawRect(box)
    elif sign == ">":
        corners = [box.topLeft(), box.bottomLeft(), QPointF(box.right(), middle)]
        painter.drawPolygon(QPolygonF(corners))
    else:
        corners = [box.topRight(), box.bottomRight(), QPointF(box.left(), middle)]
        painter.drawPolygon(QPolygonF(corners))
