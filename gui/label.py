"""Labels: text as it is. A name from a guest that looks like markup is shown, not obeyed."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from gui.painting import paint_event
from gui.text import Fitted, fit, scaled, tooltip


class Label(QLabel):
    """A label of plain text.

    Args:
        name: what it is for, to a screen reader.
        wraps: whether long text goes on in another line.
    """

    def __init__(self, name: str, *, wraps: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName(name)
        self.setWordWrap(wraps)

    def show_text(self, text: str) -> None:
        """Show a text; the same as before costs nothing."""
        if text != self.text():
            self.setText(text)


class FittedLabel(QLabel):
    """Plain text in at most so many lines; smaller where it is long, elided where it is too long.

    What is read out, and shown as a tooltip where something is missing, is the whole text. The
    size that it asks for does not depend on the text, so nothing moves when the text changes.

    It paints itself, in a font and a colour that are not the widget's: Qt puts back those that a
    widget had before, each time the application gets another style sheet.

    Args:
        scale: of the font, relative to the application's.
        lines: at most.

    Attributes:
        fitted: what it paints.
    """

    def __init__(
        self,
        scale: float = 1.0,
        *,
        bold: bool = False,
        lines: int = 1,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._scale, self._bold, self._lines = scale, bold, lines
        self._full = ""
        self._colour: QColor | None = None
        self.fitted = Fitted(self.font(), (), whole=True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.refit()

    @property
    def full(self) -> str:
        """The whole text."""
        return self._full

    @property
    def line_height(self) -> float:
        """The height of a line in the wanted font."""
        font = scaled(QApplication.font(), self._scale, bold=self._bold)
        return QFontMetricsF(font).lineSpacing()

    @property
    def wanted(self) -> float:
        """The width of the whole text as one line in the wanted font."""
        font = scaled(QApplication.font(), self._scale, bold=self._bold)
        return QFontMetricsF(font).horizontalAdvance(self._full)

    def show_text(self, text: str) -> None:
        """Show another text."""
        if text != self._full:
            self._full = text
            self.refit()

    def fit_into(self, width: int, lines: int) -> int:
        """Take at most so many lines of a width from now on; return how many the text takes."""
        self._lines = lines
        self.resize(width, self.height())
        self.refit()  # a hidden widget gets its resizeEvent only when it is shown
        return self.text().count("\n") + 1 if self._full else 0

    def colour(self, colour: str) -> None:
        """Write in a colour."""
        self._colour = QColor(colour)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room for all lines in the wanted font."""
        return QSize(0, round(self.line_height * self._lines) + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the same: it is only ever made narrower."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text again."""
        super().resizeEvent(event)
        self.refit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self.refit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 -- Qt's name
        """Paint the lines, from the left, in the middle of the height."""
        with paint_event(self) as painter:
            painter.setFont(self.fitted.font)
            painter.setPen(self._colour or self.palette().windowText().color())
            align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(self.rect()), align | Qt.TextFlag.TextDontClip, self.text())

    def refit(self) -> None:
        """Fit the text into the width, in a size that goes by the application's font."""
        font = scaled(QApplication.font(), self._scale, bold=self._bold)
        self.fitted = fit(self._full, font, self.width(), self._lines)
        self.setText("\n".join(self.fitted.lines))
        self.setAccessibleName(self._full)
        self.setToolTip("" if self.fitted.whole else tooltip(self._full))
        self.update()
