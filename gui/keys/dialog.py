"""The help: a table of all keys."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from gui.keys.table import Key
from gui.row_model import RowModel
from gui.rows import PADDING, Index, RowDelegate, RowView, paint_elided, paint_rule
from gui.text import scaled
from gui.theme import Theme

HEADERS: Final = ("key", "what it does")


class KeyModel(RowModel):
    """The keys, below a row for each place where they work. A row is that place, or a key."""

    headers = HEADERS

    def __init__(self, keys: Sequence[Key], parent: QWidget) -> None:
        super().__init__(parent)
        self.lines: list[str | Key] = []
        where = None
        for key in keys:
            if key.where != where:
                where = key.where
                self.lines.append(where)
            self.lines.append(key)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    # Names below are Qt's.

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that the current row is always one of a key."""
        if isinstance(self.lines[index.row()], Key):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell."""
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        line = self.lines[index.row()]
        if isinstance(line, str):
            return line if index.column() == 0 else ""
        return line.does if index.column() else line.keys


class _Delegate(RowDelegate):
    def paint_content(self, painter: QPainter, box: QRectF, index: Index) -> None:
        heading = index.flags() == Qt.ItemFlag.NoItemFlags
        if heading:
            painter.setPen(QColor(self.theme.line))
            paint_rule(painter, box)
            painter.setPen(QColor(self.theme.ink))
        if heading or index.column() == 0:
            painter.setFont(scaled(painter.font(), 1, bold=True))
        paint_elided(painter, box.adjusted(PADDING + 3, 0, -PADDING, 0), str(index.data() or ""))


class HelpDialog(QDialog):
    """Shows the keys. keys: from `keys_of`, in groups."""

    def __init__(self, theme: Theme, keys: Sequence[Key], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Keys")
        self.model = KeyModel(keys, self)
        self.table = RowView()
        self.table.setAccessibleName("Keys and what they do")
        self.table.setModel(self.model)
        self.table.setItemDelegate(_Delegate(theme, self.table))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(buttons)
        metrics, strong = QFontMetrics(self.font()), QFontMetrics(scaled(self.font(), 1, bold=True))
        first = max((strong.horizontalAdvance(key.keys) for key in keys), default=0) + 4 * PADDING
        second = max((metrics.horizontalAdvance(key.does) for key in keys), default=0)
        for row, line in enumerate(self.model.lines):
            if isinstance(line, str):
                self.table.setSpan(row, 0, 1, len(HEADERS))
        self.table.setColumnWidth(0, first)
        row = self.table.verticalHeader().defaultSectionSize()
        self.resize(first + second + 12 * PADDING, min(len(self.model.lines) + 5, 32) * row)
