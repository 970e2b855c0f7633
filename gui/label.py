"""Labels: text as it is. A name from a guest that looks like markup is shown, not obeyed."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPalette, QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from gui.text import fit, scaled, tooltip


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

    Args:
        scale: of the font, relative to the application's.
        lines: at most.
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
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, QColor(colour))
        self.setPalette(palette)

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

    def refit(self) -> None:
        """Fit the text into the width, in a size that goes by the application's font.

        A font of one's own hears of no change, so who has the label calls this.
        """
        font = scaled(QApplication.font(), self._scale, bold=self._bold)
        fitted = fit(self._full, font, self.width(), self._lines)
        self.setFont(fitted.font)
        self.setText("\n".join(fitted.lines))
        self.setAccessibleName(self._full)
        self.setToolTip("" if fitted.whole else tooltip(self._full))
