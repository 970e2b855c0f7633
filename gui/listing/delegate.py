"""Paints the lines of the listing."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from emu.scene.scene import Byte
from gui.badge import paint_badge
from gui.cells import Look, paint_cell
from gui.listing.model import ADDRESS, BYTES, CORES, ListingModel, Shown
from gui.rows import PADDING, Index, RowDelegate, paint_elided
from gui.text import mono, scaled
from gui.theme import Theme


def slot(core: int, height: float) -> QRectF:
    """Return the square of a core's badge in a line of some height, from the cell's corner.

    It is at the same place in every line, whichever cores stand there.
    """
    return QRectF(PADDING + 2 + core * height, 2, height - 4, height - 4)


class ListingDelegate(RowDelegate):
    """Paints a cell of a ListingModel."""

    def __init__(self, theme: Theme, model: ListingModel, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._model = model

    def paint_content(self, painter: QPainter, box: QRectF, index: Index) -> None:
        """Paint badges, the address, bytes or text."""
        shown = self._model.shown[index.row()]
        if index.column() == CORES:
            for core in shown.cores:
                place = slot(core, box.height()).translated(box.topLeft())
                paint_badge(painter, self.theme, core, place)
            return
        inner = box.adjusted(PADDING, 0, -PADDING, 0)
        if shown.line.kind != "instruction":
            self._paint_above(painter, inner, shown)
            return
        painter.setFont(mono())
        if index.column() == ADDRESS:
            painter.setPen(QColor(self.theme.dim))
            paint_elided(painter, inner, shown.line.offset, Qt.TextElideMode.ElideMiddle)
        elif index.column() == BYTES:
            self._paint_bytes(painter, inner, shown)
        else:
            if shown.line.row.site:
                painter.setFont(scaled(painter.font(), 1, bold=True))
            paint_elided(painter, inner, shown.line.row.text)

    def _paint_above(self, painter: QPainter, box: QRectF, shown: Shown) -> None:
        if shown.line.kind == "symbol":
            painter.setFont(scaled(mono(), 1, bold=True))
        else:
            painter.setPen(QColor(self.theme.dim))
        paint_elided(painter, box, shown.line.text)

    def _paint_bytes(self, painter: QPainter, box: QRectF, shown: Shown) -> None:
        """Paint as many bytes as there is room for, and dots where there are more."""
        code = shown.line.row.code
        if shown.site:
            self._paint_site(painter, box, shown.site)
            return
        wide = painter.fontMetrics().horizontalAdvance("00 ")
        room = max(1, int(box.width() + wide / 3) // wide)
        if len(code) <= room:
            paint_elided(painter, box, code.hex(" "))
        else:
            paint_elided(painter, box, f"{code[: room - 1].hex(' ')} …")

    def _paint_site(self, painter: QPainter, box: QRectF, site: tuple[Byte, ...]) -> None:
        """Paint the bytes of a site as cells, each where the byte of another line would be."""
        wide = painter.fontMetrics().horizontalAdvance("00 ")
        cell = QRectF(box.left() - wide / 6, box.top(), wide, box.height())
        for byte in site:
            paint_cell(
                painter, self.theme, cell, f"{byte.value:02x}", Look(byte.version, byte.stale)
            )
            cell.translate(wide, 0)
