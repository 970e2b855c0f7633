"""Chevrons: the phases of a plan in a row, each a button.

Its status is told by a sign, a word and the way it is filled: done has a check mark, the present
one is filled, those to come are only outlined, one that is left out is hatched and struck through.
"""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QSizePolicy, QWidget

from emu.scene.chapter import Chapter
from gui.painting import paint_event
from gui.text import mono, paint_line, scaled, tooltip
from gui.theme import Theme

_SCALES: Final = (1.0, 0.92, 0.85, 0.78)


class Chevron(QAbstractButton):
    """A phase. number: from 1."""

    def __init__(self, theme: Theme, number: int, chapter: Chapter, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme, self.number, self.chapter = theme, number, chapter
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        words = f"phase {number}, {chapter.phase}, {chapter.status}"
        if chapter.does:
            words += f": {chapter.does}"
        self.setAccessibleName(words)
        self.setToolTip(tooltip(words))

    @property
    def title(self) -> str:
        """The first line."""
        return f"{'✓ ' * (self.chapter.status == 'done')}{self.number} {self.chapter.phase}"

    @property
    def does(self) -> str:
        """The second line."""
        return "left out" if self.chapter.status == "left out" else self.chapter.does

    def widths(self) -> tuple[float, float]:
        """Return the least width and the one that everything needs, in pixels.

        The present phase is never to be narrowed, the others may lose their second line.
        """
        title = QFontMetricsF(scaled(QApplication.font(), 1, bold=True))
        does = QFontMetricsF(mono())
        edges = 2 * self._notch() + 10
        narrow = title.horizontalAdvance(self.title) + edges
        wide = max(narrow, does.horizontalAdvance(self.does) + edges)
        return (wide if self.chapter.status == "now" else narrow), wide

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press it, as space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 -- Qt's name
        """Paint the outline, its filling and both lines."""
        with paint_event(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            theme, status = self.theme, self.chapter.status
            fill, ink, edge = {
                "done": (theme.tint, theme.ink, theme.line),
                "now": (theme.accent, theme.on_accent, theme.accent),
                "to come": (theme.panel, theme.dim, theme.line),
                "left out": (theme.panel, theme.bad, theme.bad),
            }[status]
            shape = self._shape()
            painter.setPen(QPen(QColor(edge), 1))
            painter.setBrush(QColor(fill))
            painter.drawPolygon(shape)
            self._paint_lines(painter, QColor(ink))
            if self.hasFocus():
                inner = QPen(QColor(ink), 1.5, Qt.PenStyle.DotLine)
                painter.setPen(inner)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolygon(self._shape(inset=3))

    def _paint_lines(self, painter: QPainter, ink: QColor) -> None:
        left = self._notch() + (6 if self.number > 1 else 2)
        half = self.height() / 2
        upper = QRectF(left, 3, self.width() - left - self._notch() * 0.7, half - 3)
        lower = upper.translated(0, upper.height())
        out = self.chapter.status == "left out"
        if out:
            hatch = QColor(ink)
            hatch.setAlpha(70)
            painter.setBrush(QBrush(hatch, Qt.BrushStyle.BDiagPattern))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPolygon(self._shape())
            painter.fillRect(upper.adjusted(-2, 1, 0, 0), QColor(self.theme.panel))
            painter.fillRect(lower.adjusted(-2, 0, 0, -1), QColor(self.theme.panel))
        painter.setPen(ink)
        title = scaled(QApplication.font(), 1, bold=self.chapter.status == "now")
        title.setStrikeOut(out)
        painter.setFont(title)
        paint_line(painter, upper, self.title, scales=_SCALES)
        painter.setFont(scaled(QApplication.font(), 1) if out else mono())
        paint_line(painter, lower, self.does, scales=_SCALES)

    def _notch(self) -> float:
        return self.height() * 0.22

    def _shape(self, inset: float = 0.5) -> QPolygonF:
        wide, high, notch = self.width() - inset, self.height() - inset, self._notch()
        points = [
            QPointF(inset, inset),
            QPointF(wide - notch, inset),
            QPointF(wide, self.height() / 2),
            QPointF(wide - notch, high),
            QPointF(inset, high),
        ]
        if self.number > 1:
            points.append(QPointF(inset + notch, self.height() / 2))
        return QPolygonF(points)


class ChevronStrip(QWidget):
    """The phases. `picked` carries the name of the one that was pressed."""

    picked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.chevrons: list[Chevron] = []
        self.setAccessibleName("Phases")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_chapters(self, chapters: Sequence[Chapter]) -> None:
        """Show these phases; does nothing if they are shown already."""
        if [each.chapter for each in self.chevrons] == list(chapters):
            return
        focus = next((each.number for each in self.chevrons if each.hasFocus()), None)
        for chevron in self.chevrons:
            chevron.hide()
            chevron.deleteLater()
        self.chevrons = [
            Chevron(self.theme, number, chapter, self) for number, chapter in enumerate(chapters, 1)
        ]
        for chevron in self.chevrons:
            chevron.clicked.connect(
                lambda _checked=False, phase=chevron.chapter.phase: self.picked.emit(phase)
            )
        self._place()
        for chevron in self.chevrons:
            chevron.show()
            if chevron.number == focus:
                chevron.setFocus()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self.theme = theme
        for chevron in self.chevrons:
            chevron.theme = theme
            chevron.update()

    def sizeHint(self) -> QSize:
        """Return the height of two lines; the width is what there is."""
        line = QFontMetricsF(QApplication.font()).lineSpacing()
        return QSize(0, round(line * 2 + 12))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self._place()

    def _place(self) -> None:
        """Share the width: titles first, then what the second lines need, then evenly."""
        if not self.chevrons:
            return
        for chevron in self.chevrons:
            chevron.resize(chevron.width(), self.height())
        overlap = self.height() * 0.22 - 4  # a chevron's point lies in the next one's notch
        width = self.width() + overlap * (len(self.chevrons) - 1)
        needs = [chevron.widths() for chevron in self.chevrons]
        titles, all_ = (sum(column) for column in zip(*needs, strict=True))
        if all_ <= width:
            shares = [everything + (width - all_) / len(needs) for _, everything in needs]
        elif titles <= width:
            part = (width - titles) / (all_ - titles)
            shares = [title + (everything - title) * part for title, everything in needs]
        else:
            shares = [title * width / titles for title, _ in needs]
        left = 0.0
        for chevron, share in zip(self.chevrons, shares, strict=True):
            right = left + share
            chevron.setGeometry(round(left), 0, round(right) - round(left), self.height())
            left = right - overlap
