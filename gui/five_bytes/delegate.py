"""How the cells of the five bytes are painted."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from gui.badge import paint_badge
from gui.cells import Look, paint_cell
from gui.five_bytes.model import BytesModel, Row
from gui.painting import told
from gui.text import mono, paint_line, paint_text, scaled
from gui.theme import Theme

_PAD = 8


class Widths(NamedTuple):
    """What the columns need, in pixels: names, a byte, instructions, findings.

    least_name: without the task. least_decoded, least_since: if broken into two lines.
    """

    name: float
    least_name: float
    byte: float
    least_decoded: float
    since: float
    least_since: float


def _text_widths(metrics: QFontMetricsF, texts: Sequence[str]) -> tuple[float, float]:
    """Return the width of the longest text, and of the longest word or half."""
    longest = max((metrics.horizontalAdvance(text) for text in texts), default=0.0)
    words = [metrics.horizontalAdvance(word) for text in texts for word in text.split()]
    return longest + 2 * _PAD, max(longest * 0.6, *words, 0.0) + 2 * _PAD


class BytesDelegate(QStyledItemDelegate):
    """Paints badges, bytes, instructions and findings; knows what width they need."""

    def __init__(self, theme: Theme, model: BytesModel) -> None:
        super().__init__()
        self.theme, self._model = theme, model

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint a cell."""
        with told():
            row, column = self._model.rows[index.row()], index.column()
            box = QRectF(option.rect)
            painter.save()
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            if selected:
                painter.fillRect(box, QColor(self.theme.tint))
            if column == 0:
                if selected:
                    bar = QRectF(box.left(), box.top(), 4, box.height())
                    painter.fillRect(bar, QColor(self.theme.accent))
                self._paint_name(painter, box, row)
            elif column <= self._model.width:
                self._paint_byte(painter, box, index.row(), column - 1)
            elif column == self._model.width + 1:
                self._paint_decoded(painter, box, row)
            else:
                self._paint_since(painter, box, row)
            if row.core is None:
                painter.setPen(QColor(self.theme.line))
                painter.drawLine(box.bottomLeft(), box.bottomRight())
            painter.restore()

    def widths(self) -> Widths:
        """Return what the columns need, in pixels."""
        bold = QFontMetricsF(scaled(QApplication.font(), 1, bold=True))
        fixed = QFontMetricsF(scaled(mono(), 1, bold=True))
        rows, site = self._model.rows, self._model.site
        decoded = [row.decoded for row in rows]
        if site is not None:
            decoded += [site.old_text, site.new_text]
        names = [bold.horizontalAdvance(f"{row.name}  {row.task}") for row in rows]
        side = bold.lineSpacing() * 1.25 + 3 * _PAD
        plain = max((bold.horizontalAdvance(row.name) for row in rows), default=0.0)
        return Widths(
            side + max(names, default=0.0),
            side + plain,
            fixed.horizontalAdvance("cc") + 2 * _PAD,
            _text_widths(fixed, decoded)[1],
            *_text_widths(bold, ["serialised", *(row.since for row in rows)]),
        )

    def _paint_name(self, painter: QPainter, box: QRectF, row: Row) -> None:
        bold = scaled(QApplication.font(), 1, bold=True)
        side = min(box.height() - 4, QFontMetricsF(bold).lineSpacing() * 1.25)
        left = box.left() + _PAD
        if row.core is not None:
            badge = QRectF(left, box.center().y() - side / 2, side, side)
            paint_badge(painter, self.theme, row.core, badge)
            left += side + _PAD
        painter.setFont(bold if row.core is None else QApplication.font())
        painter.setPen(QColor(self.theme.ink))
        wide = QFontMetricsF(painter.font()).horizontalAdvance(f"{row.name}  ")
        room = QRectF(left, box.top(), max(1.0, box.right() - left), box.height())
        paint_line(painter, room, row.name)
        painter.setFont(QApplication.font())
        painter.setPen(QColor(self.theme.dim))
        room.adjust(wide, 0, -2, 0)
        if room.width() > 3 * _PAD:  # else there is the tooltip
            paint_line(painter, room, row.task)

    def _paint_byte(self, painter: QPainter, box: QRectF, row: int, index: int) -> None:
        byte = self._model.rows[row].code[index]
        painter.setFont(scaled(mono(), min(1.6, max(1.0, box.height() / 28))))
        look = Look(byte.version, byte.stale, (row, index) in self._model.fresh)
        paint_cell(painter, self.theme, box.adjusted(1, 1, -1, -1), f"{byte.value:02x}", look)

    def _paint_decoded(self, painter: QPainter, box: QRectF, row: Row) -> None:
        differs = row.decoded != self._model.rows[0].decoded
        painter.setFont(scaled(mono(), 1, bold=differs))
        painter.setPen(QColor(self.theme.ink))
        paint_text(painter, box.adjusted(_PAD, 0, -2, 0), row.decoded)

    def _paint_since(self, painter: QPainter, box: QRectF, row: Row) -> None:
        theme = self.theme
        colour = {None: theme.dim, True: theme.good, False: theme.bad}[row.serialised]
        painter.setFont(scaled(QApplication.font(), 1, bold=row.serialised is False))
        painter.setPen(QColor(colour))
        paint_text(painter, box.adjusted(_PAD, 0, -2, 0), row.since)
