"""Tables of rows: what the listing, the tasks and the log have in common.

One row is the current one. A person chooses it with the mouse or the keys (`chosen`), or the
panel puts it where the selection is (`put`), which tells nobody. All rows are equally high, so a
million of them cost nothing.
"""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from gui.painting import told
from gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex

PADDING = 5
"""Left and right of a cell's content, in pixels."""

_ONE_LINE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_Action = QAbstractItemView.CursorAction
_ENDS = {_Action.MoveHome, _Action.MoveEnd}


class RowView(QTableView):
    """A table whose rows are chosen whole. lines: of text in a row."""

    chosen = Signal(int)  # the row that a person chose
    resized = Signal()  # the room for rows and columns is another, or rows are higher
    own_keys = frozenset(
        (
            Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
            Qt.Key.Key_Home, Qt.Key.Key_End,
        )
    )  # fmt: skip
    """While the table has the focus these are its own, whatever the window uses them for."""

    def __init__(self, lines: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines, self._putting = lines, False
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)  # Tab goes on to the next widget
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(1)
        self.clicked.connect(lambda index: self.chosen.emit(index.row()))
        self.activated.connect(lambda index: self.chosen.emit(index.row()))
        self._measure()

    def put(self, row: int | None, hint: QAbstractItemView.ScrollHint) -> None:
        """Make a row the current one, or none, and scroll to it."""
        self._putting = True
        if row is None:
            self.setCurrentIndex(QModelIndex())
        else:
            index = self.model().index(row, 0)
            if index.row() != self.currentIndex().row():
                self.setCurrentIndex(index)
            self.scrollTo(index, hint)
        self._putting = False

    def in_view(self) -> range:
        """Return the rows that can be seen whole."""
        first = self.rowAt(0)
        if first < 0:
            return range(0)
        end = self.rowAt(self.viewport().height() - 1)
        if end < 0:
            return range(first, self.model().rowCount())
        return range(first, end)

    # Names below are Qt's.

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell of it, if a person did it."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._putting:
            self.chosen.emit(current.row())

    def rowsAboutToBeRemoved(self, parent: Index, start: int, end: int) -> None:
        """Let Qt make another row the current one, and tell nobody: no person chose it."""
        self._putting = True
        super().rowsAboutToBeRemoved(parent, start, end)
        self._putting = False

    def keyboardSearch(self, search: str) -> None:
        """Search for nothing: Qt would read every row of a million for a letter typed."""
        del search

    def event(self, event: QEvent) -> bool:
        """Keep the table's keys from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = event.key() in self.own_keys
            if own and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                event.accept()
                return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell of it."""
        super().resizeEvent(event)
        self.resized.emit()

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Let Home and End go to the first and the last row, not column.

        Where no row is the current one, any key goes to the first that can be.
        """
        if not self.currentIndex().isValid():
            rows = (self.model().index(row, 0) for row in range(self.model().rowCount()))
            enabled = (index for index in rows if index.flags() & Qt.ItemFlag.ItemIsEnabled)
            return next(enabled, QModelIndex())
        if action in _ENDS:
            modifiers |= Qt.KeyboardModifier.ControlModifier
        return super().moveCursor(action, modifiers)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def _measure(self) -> None:
        height = self._lines * QFontMetrics(self.font()).height() + 4 * self._lines
        self.verticalHeader().setDefaultSectionSize(height)
        self.resized.emit()


class RowDelegate(QStyledItemDelegate):
    """Paints the cells of a RowView; what is in them is its subclasses' business."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground, then the content."""
        with told():
            box = QRectF(option.rect)
            state = option.state
            painter.save()
            painter.setClipRect(box)
            if state & QStyle.StateFlag.State_Selected:
                painter.fillRect(box, QColor(self.theme.tint))
                if index.column() == 0:  # not by colour alone
                    painter.fillRect(
                        QRectF(box.left(), box.top(), 3, box.height()), QColor(self.theme.accent)
                    )
            painter.setFont(option.font)
            painter.setPen(QColor(self.theme.ink))
            self.paint_content(painter, box, index)
            painter.restore()

    def paint_content(self, painter: QPainter, box: QRectF, index: Index) -> None:
        """Paint what the cell says."""
        raise NotImplementedError


def paint_rule(painter: QPainter, box: QRectF) -> None:
    """Paint a line along the lower edge of a box, in the painter's pen."""
    painter.drawLine(box.bottomLeft() - QPointF(0, 1), box.bottomRight() - QPointF(0, 1))


def paint_elided(
    painter: QPainter,
    box: QRectF,
    text: str,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> float:
    """Paint one line of plain text into a box; return its width. What does not fit ends in ..."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text, elide, int(box.width()))
    painter.drawText(box, _ONE_LINE, shown)
    return metrics.horizontalAdvance(shown)
