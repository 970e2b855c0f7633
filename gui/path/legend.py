"""The legend of the call path: what the lines mean."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication

from emu.scene.path import Open
from gui.path.painting import paint_waiting, pen_of
from gui.text import scaled
from gui.theme import Theme

_LINES: Final[tuple[tuple[str, Open, bool], ...]] = (
    ("open", "yes", False),
    ("some cores", "some cores", False),
    ("closed", "no", False),
    ("taken", "yes", True),
)
_WAITING: Final = "a task waits there"
_SAMPLE = 26
_MARGIN = 8


class Legend:
    """Samples of the lines with their words, at the bottom of the panel."""

    def height(self, width: float) -> float:
        """Return how much of the height it takes."""
        return self._places(width)[-1].bottom() + 4

    def paint(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        """Paint it to the bottom of a room."""
        painter.setFont(scaled(QApplication.font(), 0.85))
        top = room.bottom() - self.height(room.width())
        *lines, waiting = self._places(room.width())
        samples = zip(_LINES, lines, strict=True)
        for (word, edge_open, taken), place in samples:
            box = place.translated(0, top)
            painter.setPen(pen_of(theme, edge_open, taken=taken))
            y = box.center().y()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.left() + _SAMPLE, y))
            painter.setPen(QColor(theme.dim))
            text = box.adjusted(_SAMPLE + 5, 0, 0, 0)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, word)
        box = waiting.translated(0, top)
        paint_waiting(
            painter, QColor(theme.dim), QRectF(box.left(), box.top(), _SAMPLE, box.height()), "+1"
        )
        text = box.adjusted(_SAMPLE + 5, 0, 0, 0)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, _WAITING)

    def _places(self, width: float) -> list[QRectF]:
        metrics = QFontMetricsF(scaled(QApplication.font(), 0.85))
        places: list[QRectF] = []
        left, top = float(_MARGIN), 0.0
        for word in (*(word for word, _, _ in _LINES), _WAITING):
            wide = _SAMPLE + 5 + metrics.horizontalAdvance(word) + 6
            if places and left + wide > width - _MARGIN:
                left, top = float(_MARGIN), top + metrics.lineSpacing() + 2
            places.append(QRectF(left, top, wide, metrics.lineSpacing()))
            left += wide + 8
        return places
