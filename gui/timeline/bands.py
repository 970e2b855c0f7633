"""Bands: the phases of the patcher's work, behind the lanes, with their names."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from emu.scene.lanes import Band
from gui.timeline.excerpt import Excerpt
from gui.timeline.sheet import Sheet
from gui.timeline.stripes import mixed

_PALE = 0.43  # share of the colour in a phase that is not the present one


def present(bands: tuple[Band, ...], position: int) -> Band | None:
    """Return the phase at a position, or None between requests. Of two, the later one."""
    for band in reversed(bands):
        if band.begin <= position and (band.end < 0 or position < band.end):
            return band
    return None


def paint(painter: QPainter, sheet: Sheet, excerpt: Excerpt, now: Band | None) -> None:
    """Paint the bands, the present one stronger. What lies behind the position fades later."""
    drawn = -1
    for band in excerpt.bands:
        begin = max(int(sheet.x(band.begin)), sheet.left)
        end = min(
            int(sheet.x(band.end if band.end >= 0 else excerpt.until)), sheet.left + sheet.width
        )
        if end <= drawn or begin >= end:  # thinner than a pixel
            end = begin + 1
            if end <= drawn:
                continue
        drawn = end
        _paint(painter, sheet, band, begin, end, strong=band == now)


def _paint(  # noqa: PLR0913 -- a place and what is there
    painter: QPainter, sheet: Sheet, band: Band, begin: int, end: int, *, strong: bool
) -> None:
    theme = sheet.theme
    tint = QColor(theme.tint if strong else mixed(theme.tint, theme.panel, _PALE))
    line = QColor(mixed(theme.line, theme.panel, 0.6))
    painter.fillRect(begin, sheet.names.top, end - begin, sheet.bottom - sheet.names.top, tint)
    painter.fillRect(begin, sheet.names.top, 1, sheet.bottom - sheet.names.top, line)
    room = end - begin - 6
    if room < 1.5 * sheet.names.height:  # hardly a letter
        return
    painter.save()
    font = QFont(painter.font())
    font.setBold(strong)
    painter.setFont(font)
    painter.setPen(QColor(theme.ink if strong else theme.dim))
    text = painter.fontMetrics().elidedText(band.phase, Qt.TextElideMode.ElideRight, room)
    box = QRectF(begin + 4, sheet.names.top, room + 1, sheet.names.height)
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()
