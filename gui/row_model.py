"""Models of rows: what the listing, the tasks, the log and the help have in common."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, Qt

from gui.rows import Index


class RowModel(QAbstractTableModel):
    """A flat table with names for its columns.

    headers: the names of the columns.
    """

    headers: Sequence[str] = ()

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    # Names below are Qt's.

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else self.count

    def columnCount(self, parent: Index | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.headers)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the name of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.headers[section]
        return None
