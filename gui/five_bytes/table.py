"""The table of the five bytes: rows share its height, columns its width."""

from typing import Final

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QHeaderView, QTableView

from gui.five_bytes.delegate import BytesDelegate, Widths
from gui.five_bytes.model import BytesModel
from gui.theme import Theme

_NO_WIDTHS: Final = Widths(0, 0, 0, 0, 0, 0)


def _within(value: float, least: float, most: float) -> int:
    return round(min(max(value, least), most))


class BytesTable(QTableView):
    """Shows a `BytesModel`. `core_picked` carries the core of the row that somebody went to.

    Columns never get narrower while the same site is shown, so that nothing jumps.
    """

    core_picked = Signal(object)  # int, or None for memory

    def __init__(self, theme: Theme, model: BytesModel) -> None:
        super().__init__()
        self._bytes, self._following = model, False
        self._painter = BytesDelegate(theme, model)
        self._needs = _NO_WIDTHS
        self._cause: tuple[object, ...] = (None, None, None)  # of the sizes given last
        self.setModel(model)
        self.setItemDelegate(self._painter)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(8)
        self.horizontalHeader().setSectionsClickable(False)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.selectionModel().currentRowChanged.connect(self._went)
        model.modelReset.connect(self._begin)
        self.use_theme(theme)

    def follow(self, core: int | None) -> None:
        """Select the row of a core; none for None."""
        row = self._bytes.row_of(core)
        self._following = True
        selected = [index.row() for index in self.selectionModel().selectedRows()]
        if core is None or row is None:
            if selected != [0]:  # memory, which somebody went to
                self.clearSelection()
        elif selected != [row]:
            self.selectRow(row)
        self._following = False

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self._painter.theme = theme
        self.setStyleSheet(
            f"QTableView {{ background: {theme.panel}; border: 0; }}"
            f"QHeaderView, QHeaderView::section {{ background: {theme.panel}; color: {theme.dim};"
            " border: 0; padding: 2px 0px 2px 3px; }"
        )
        self.viewport().update()

    def share(self) -> None:
        """Give rows and columns their sizes.

        Bytes come first, then findings, then names; instructions get what is left.
        """
        cause = (self._bytes.rows, self.viewport().size(), QApplication.font())
        if all(one is other or one == other for one, other in zip(cause, self._cause, strict=True)):
            return
        self._cause = cause
        needs = Widths(*map(max, zip(self._needs, self._painter.widths(), strict=True)))
        self._needs = needs
        rows, width = len(self._bytes.rows), self._bytes.width
        if not rows:
            return
        line = QFontMetricsF(QApplication.font()).lineSpacing()
        room = self.viewport().height()
        high = int(min(max(room / rows, line + 7), line * 2.6))
        self.verticalHeader().setDefaultSectionSize(high)
        whole = self.viewport().width()
        free = whole - needs.name - needs.least_decoded - needs.least_since
        cell = int(min(max(free / width, needs.byte), max(needs.byte, high * 1.15)))
        left = whole - cell * width
        name = _within(left - needs.least_decoded - needs.since, needs.least_name, needs.name)
        left -= name
        since = _within(left - needs.least_decoded, needs.least_since, needs.since)
        since = min(since, left * 5 // 9)  # where neither fits, both are elided
        self.setColumnWidth(0, name)
        for column in range(width):
            self.setColumnWidth(1 + column, cell)
        self.setColumnWidth(width + 1, left - since)
        self.setColumnWidth(width + 2, since)

    def minimumSizeHint(self) -> QSize:
        """Return the room for the heading, memory and four cores; more of them scroll."""
        line = QFontMetricsF(QApplication.font()).lineSpacing()
        heading = self.horizontalHeader().sizeHint().height()
        return QSize(round(line * 16), round(5 * (line + 7)) + heading + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new size."""
        super().resizeEvent(event)
        self.share()

    def _begin(self) -> None:
        """Forget the widths of another site."""
        self._needs = _NO_WIDTHS
        self.share()

    def _went(self, current: QModelIndex) -> None:
        if not self._following and current.isValid():
            self.core_picked.emit(self._bytes.rows[current.row()].core)
