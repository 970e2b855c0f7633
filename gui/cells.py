"""Cells: a byte of a site, painted so that its version is told without any hue.

An old byte is outlined; a new one is inverted and bold; int3 is framed within its amber; a byte
that is the same in both instructions is outlined like the old one and has a bar of the new one's
ground below; anything else has a dotted frame. A stale byte is hatched besides, and its frame is
dashed and stands off.
"""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen

from emu.scene.scene import Byte, Version
from gui.theme import Theme


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell looks. fresh: it has just changed, and has a thick frame of the accent."""

    version: Version
    stale: bool = False
    fresh: bool = False


LEGEND: Final = (
    ("old", "0f", Look(Version.OLD)),
    ("int3", "cc", Look(Version.INT3)),
    ("new", "e8", Look(Version.NEW)),
    ("same in both", "00", Look(Version.BOTH)),
    ("stale in this core", "1f", Look(Version.OLD, stale=True)),
)
"""What the looks mean: word, sample text, look."""


def describe(byte: Byte) -> str:
    """Return a byte in words, for tooltips and screen readers."""
    what = {
        Version.OLD: "old",
        Version.INT3: "int3",
        Version.NEW: "new",
        Version.BOTH: "the same in the old and the new instruction",
        Version.OTHER: "neither old nor new",
    }[byte.version]
    behind = f"; stale: memory holds {byte.newest:02x}" if byte.stale else ""
    return f"{byte.value:02x}: {what}{behind}"


def paint_cell(painter: QPainter, theme: Theme, box: QRectF, text: str, look: Look) -> None:
    """Paint a byte into a box, in the painter's font.

    The text is made smaller where the box is too small for it.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground, ink = _colours(theme, look.version)
    ring = (2.5 if box.height() >= 22 else 1.5) if look.stale else 0.0
    cell = box.adjusted(1 + ring, 1 + ring, -1 - ring, -1 - ring)
    painter.fillRect(cell, ground)
    letters = _fitting(painter.font(), text, cell, bold=look.version in (Version.INT3, Version.NEW))
    if look.stale:
        _hatch(painter, theme, cell, look.version)
        wide = QFontMetricsF(letters).horizontalAdvance(text) + 2
        high = QFontMetricsF(letters).capHeight() + 4
        behind = QRectF(0, 0, min(wide, cell.width()), min(high, cell.height()))
        behind.moveCenter(cell.center())
        painter.fillRect(behind, ground)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _frame(painter, theme, cell, look.version)
    if look.stale:
        painter.setPen(_pen(theme.stale, 1.6, Qt.PenStyle.DashLine))
        painter.drawRect(box.adjusted(1, 1, -1, -1))
    if look.fresh:
        painter.setPen(_pen(theme.accent, 3.0))
        painter.drawRect(box.adjusted(1.5, 1.5, -1.5, -1.5))
    painter.setFont(letters)
    painter.setPen(ink)
    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def _colours(theme: Theme, version: Version) -> tuple[QColor, QColor]:
    """Return ground and ink."""
    if version is Version.INT3:
        return QColor(theme.int3), QColor(theme.int3_ink)
    if version is Version.NEW:
        return QColor(theme.new), QColor(theme.new_ink)
    return QColor(theme.old), QColor(theme.old_ink)


def _frame(painter: QPainter, theme: Theme, cell: QRectF, version: Version) -> None:
    if version is Version.INT3:
        inset = 2.5 if cell.height() >= 22 else 0.75
        painter.setPen(_pen(theme.int3_ink, 1.5))
        painter.drawRect(cell.adjusted(inset, inset, -inset, -inset))
        return
    if version is Version.OTHER:
        painter.setPen(_pen(theme.warn, 2.0, Qt.PenStyle.DotLine))
    else:
        painter.setPen(_pen(theme.dim, 1.0))
    painter.drawRect(cell.adjusted(0.5, 0.5, -0.5, -0.5))
    if version is Version.BOTH:
        high = max(2.0, cell.height() * 0.12)
        bar = QRectF(cell.left(), cell.bottom() - high, cell.width(), high)
        painter.fillRect(bar, QColor(theme.new))


def _hatch(painter: QPainter, theme: Theme, cell: QRectF, version: Version) -> None:
    """Hatch a cell: in the colour of stale bytes, or in the ink where that would not be seen."""
    if version in (Version.INT3, Version.NEW):
        colour = _colours(theme, version)[1]
        colour.setAlpha(120)
    else:
        colour = QColor(theme.stale)
    painter.fillRect(cell, QBrush(colour, Qt.BrushStyle.BDiagPattern))


def _pen(colour: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(QColor(colour), width, style)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if style == Qt.PenStyle.DashLine:
        pen.setDashPattern([3, 2])
    return pen


def _fitting(font: QFont, text: str, cell: QRectF, *, bold: bool) -> QFont:
    fitting = QFont(font)
    fitting.setBold(bold)
    metrics = QFontMetricsF(fitting)
    wide, high = metrics.horizontalAdvance(text) + 2, metrics.capHeight() + 3
    scale = min(1.0, cell.width() / wide, cell.height() / high)
    if scale < 1:
        fitting.setPointSizeF(max(5.0, fitting.pointSizeF() * scale))
    return fitting
