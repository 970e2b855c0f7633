"""The box of the story: one sentence, whom it is about, and one line of reason."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.badge import paint_badge
from gui.label import FittedLabel
from gui.painting import paint_event
from gui.theme import Theme


class StoryBox(QWidget):
    """A sentence in large letters with the badge of the core that acts, and a reason below it.

    A failure has a frame and a warning sign.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.sentence = FittedLabel(1.3, bold=True, lines=2, parent=self)
        self.reason = FittedLabel(1.0, lines=2, parent=self)
        self._actor: int | None = None
        self._failed = False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.use_theme(theme)

    def show_words(self, sentence: str, reason: str, actor: int | None, *, failed: bool) -> None:
        """Show other words; does nothing if they are shown already."""
        if (sentence, reason, actor, failed) == (
            self.sentence.full,
            self.reason.full,
            self._actor,
            self._failed,
        ):
            return
        self._actor, self._failed = actor, failed
        self.sentence.show_text(sentence)
        self.reason.show_text(reason)
        self._place()
        self.setAccessibleName("Failure" if failed else "What just happened")
        self.setAccessibleDescription("" if actor is None else f"about core {actor}")
        self.update()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self.theme = theme
        self.sentence.colour(theme.ink)
        self.reason.colour(theme.ink)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of two lines of the sentence and two of the reason."""
        high = 2 * self.sentence.line_height + 2 * self.reason.line_height
        return QSize(0, round(high) + 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the words again."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self._place()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 -- Qt's name
        """Paint ground, frame, warning sign and badge."""
        with paint_event(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            theme = self.theme
            if self._failed:
                painter.setPen(QPen(QColor(theme.bad), 3))
                painter.setBrush(QColor(theme.panel))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 3, 3)
                self._paint_warning(painter, self._sign(0))
            else:
                painter.fillRect(self.rect(), QColor(theme.tint))
                painter.fillRect(0, 0, 5, self.height(), QColor(theme.accent))
            if self._actor is not None:
                paint_badge(painter, theme, self._actor, self._sign(int(self._failed)))

    def _paint_warning(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.bad))
        top = box.center()
        top.setY(box.top())
        painter.drawPolygon(QPolygonF([top, box.bottomRight(), box.bottomLeft()]))
        wide, high = box.width(), box.height()
        painter.setBrush(QColor(self.theme.panel))
        stroke = QRectF(top.x() - wide * 0.05, box.top() + high * 0.36, wide * 0.1, high * 0.32)
        painter.drawRect(stroke)
        painter.drawRect(stroke.translated(0, high * 0.4).adjusted(0, 0, 0, -high * 0.22))

    def _signs(self) -> int:
        return int(self._failed) + int(self._actor is not None)

    def _sign(self, number: int) -> QRectF:
        """Return the place of a sign: the warning, the badge."""
        side = self.sentence.line_height * 1.25
        return QRectF(15 + number * (side + 8), (self.height() - side) / 2, side, side)

    def _place(self) -> None:
        """Set the lines into the middle; the reason has what the sentence leaves of four."""
        left = round(self._sign(self._signs()).left())
        width = max(1, self.width() - left - 10)
        used = self.sentence.fit_into(width, 2)
        heights = (
            round(used * self.sentence.line_height),
            round(self.reason.fit_into(width, 4 - used) * self.reason.line_height),
        )
        top = (self.height() - sum(heights)) // 2
        self.sentence.setGeometry(left, top, width, heights[0])
        self.reason.setGeometry(left, top + heights[0], width, heights[1])
