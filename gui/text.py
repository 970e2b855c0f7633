"""Text that comes from a guest, in places of a given size.

Names of a guest are never parsed as markup, and nothing is cut off silently: what does not fit is
broken into lines, then written smaller, and at last ends in an ellipsis.
"""

import functools
import html
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication

_ONE_LINE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip


@dataclass(frozen=True, slots=True)
class Fitted:
    """Text broken into lines. whole: nothing of it is missing."""

    font: QFont
    lines: tuple[str, ...]
    whole: bool


def mono() -> QFont:
    """Return the font for bytes and instructions, of the size of the application's."""
    return QFont(_mono(QApplication.font().pointSizeF()))


@functools.cache
def _mono(size: float) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setFamilies(["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"])
    font.setPointSizeF(size)
    return font


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """Return a font of another size."""
    other = QFont(font)
    other.setPointSizeF(max(4.0, font.pointSizeF() * factor))
    other.setBold(bold)
    return other


def tooltip(text: str) -> str:
    """Return text as a tooltip that shows it letter by letter; Qt takes `<b>` for markup else."""
    return f"<qt>{html.escape(text)}</qt>" if text else ""


def fit(
    text: str, font: QFont, width: float, lines: int, scales: Sequence[float] = (1.0, 0.9, 0.8)
) -> Fitted:
    """Break text into at most so many lines of a width.

    Args:
        text: plain.
        font: the wanted one.
        width: in pixels.
        lines: at least 1.
        scales: the factors of the font's size to try, greatest first.
    """
    smaller = font
    for scale in scales:
        smaller = scaled(font, scale, bold=font.bold())
        broken = _broken(text, QFontMetricsF(smaller), width)
        if len(broken) <= lines and all(
            QFontMetricsF(smaller).horizontalAdvance(line) <= width for line in broken
        ):
            return Fitted(smaller, tuple(broken), whole=True)
    metrics = QFontMetricsF(smaller)
    broken = _broken(text, metrics, width)
    kept = [*broken[: lines - 1], " ".join(broken[lines - 1 :])]
    cut = tuple(metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in kept)
    return Fitted(smaller, cut, whole=False)


def paint_text(
    painter: QPainter,
    box: QRectF,
    text: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    scales: Sequence[float] = (1.0, 0.9, 0.8),
) -> bool:
    """Paint text into a box in the painter's font and pen; say whether all of it is there.

    It stands in the middle of the box's height.
    """
    font = painter.font()
    fitted = Fitted(font, (), whole=False)
    for scale in scales:
        high = QFontMetricsF(scaled(font, scale, bold=font.bold())).lineSpacing()
        fitted = fit(text, font, box.width(), max(1, int((box.height() + 2) // high)), (scale,))
        if fitted.whole:
            break
    painter.setFont(fitted.font)
    high = QFontMetricsF(fitted.font).lineSpacing()
    top = box.center().y() - high * len(fitted.lines) / 2
    for number, line in enumerate(fitted.lines):
        place = QRectF(box.left(), top + number * high, box.width(), high)
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip,
                         line)  # fmt: skip
    painter.setFont(font)
    return fitted.whole


def paint_line(
    painter: QPainter, box: QRectF, text: str, scales: Sequence[float] = (1.0, 0.9, 0.8)
) -> bool:
    """Paint text as one line into a box in the painter's font and pen; say whether it is whole."""
    font = painter.font()
    fitted = fit(text, font, box.width(), 1, scales)
    painter.setFont(fitted.font)
    painter.drawText(box, _ONE_LINE, fitted.lines[0])
    painter.setFont(font)
    return fitted.whole


def _broken(text: str, metrics: QFontMetricsF, width: float) -> list[str]:
    """Return text in lines that are as long as the width allows; a word is never broken."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]
