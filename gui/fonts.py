"""Fonts: all are the application's own, or of its size, so that one setting scales the window."""

from typing import Final

from PySide6.QtGui import QFont

MONOSPACED: Final = ("DejaVu Sans Mono", "Consolas", "Menlo", "monospace")
"""For bytes, addresses and code; the first that the computer has."""


def monospaced(like: QFont) -> QFont:
    """Return the font for code, as large as another."""
    font = QFont(like)
    font.setFamilies(MONOSPACED)
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def bold(like: QFont) -> QFont:
    """Return the bold one of a font."""
    font = QFont(like)
    font.setBold(True)
    return font
