"""Labels: text as it is. A name from a guest that looks like markup is shown, not obeyed."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


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
