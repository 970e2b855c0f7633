"""The legend: what the looks of a byte mean."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPaintEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from gui.cells import LEGEND, paint_cell
from gui.painting import paint_event
from gui.text import mono
from gui.theme import Theme


class Legend(QWidget):
    """A sample of each look with its word, in as many lines as the width asks for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Bytes are " + ", ".join(word for word, _, _ in LEGEND))

    def sizeHint(self) -> QSize:
        """Return the height of one line."""
        return QSize(0, round(self._line()))

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines that a width needs."""
        return round(self._places(width)[-1].bottom())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 -- Qt's name
        """Paint samples and words."""
        with paint_event(self) as painter:
            samples = zip(LEGEND, self._places(self.width()), strict=True)
            for (word, text, look), place in samples:
                painter.setFont(mono())
                cell = QRectF(place.left(), place.top() + 1, self._cell(), place.height() - 2)
                paint_cell(painter, self.theme, cell, text, look)
                painter.setFont(QApplication.font())
                painter.setPen(QColor(self.theme.dim))
                words = place.adjusted(self._cell() + 5, 0, 0, 0)
                painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, word)

    def _line(self) -> float:
        return QFontMetricsF(QApplication.font()).lineSpacing() + 8

    def _cell(self) -> float:
        return QFontMetricsF(mono()).horizontalAdvance("cc") + 12

    def _places(self, width: float) -> list[QRectF]:
        metrics = QFontMetricsF(QApplication.font())
        places: list[QRectF] = []
        left = top = 0.0
        for word, _, _ in LEGEND:
            wide = self._cell() + 5 + metrics.horizontalAdvance(word) + 4
            if places and left + wide > width:
                left, top = 0.0, top + self._line()
            places.append(QRectF(left, top, wide, self._line()))
            left += wide + 10
        return places
