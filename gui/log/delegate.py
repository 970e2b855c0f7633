"""Paints the lines of the log."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from gui.badge import paint_badge
from gui.log.model import CORE, KIND, TIME, LogModel, in_ms, who
from gui.rows import PADDING, Index, RowDelegate, paint_elided, paint_rule
from gui.text import mono, scaled
from gui.theme import Theme

MARK = "▶"
"""Stands before the time of the line that the player's position is at."""


class LogDelegate(RowDelegate):
    """Paints a cell of a LogModel."""

    def __init__(self, theme: Theme, model: LogModel, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._model = model

    def paint_content(self, painter: QPainter, box: QRectF, index: Index) -> None:
        """Paint the time, the badge, the kind or the text."""
        row = index.row()
        line = self._model.line(row)
        now = row == self._model.marked
        if now:
            painter.setPen(QColor(self.theme.accent))
            paint_rule(painter, box)
            painter.setPen(QColor(self.theme.ink))
        elif row > self._model.marked:  # behind the position: known, but not yet
            painter.setPen(QColor(self.theme.dim))
        inner = box.adjusted(PADDING, 0, -PADDING, 0)
        if index.column() == TIME:
            painter.setFont(mono())
            if now:
                painter.setFont(scaled(painter.font(), 1, bold=True))
                paint_elided(painter, inner, MARK)
            text = in_ms(line.time)
            left = inner.right() - painter.fontMetrics().horizontalAdvance(text)
            paint_elided(painter, inner.adjusted(left - inner.left(), 0, 1, 0), text)
        elif index.column() == CORE:
            if line.core < 0:
                paint_elided(painter, inner, who(line.core))
            else:
                side = box.height() - 4
                paint_badge(
                    painter,
                    self.theme,
                    line.core,
                    QRectF(inner.left(), box.top() + 2, side, side),
                )
        else:
            if now:
                painter.setFont(scaled(painter.font(), 1, bold=True))
            paint_elided(painter, inner, line.kind if index.column() == KIND else line.text)
