"""The tasks as a table. Rows are places in the order, so only those that differ are painted."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QObject, Qt

from emu.scene.tasks import TaskRow
from gui.row_model import RowModel
from gui.rows import Index
from gui.tasks.words import REGION, in_order, standing

CORE, TASK = range(2)
HEADERS: Final = ("core", "task, and where it stands")


class TaskModel(RowModel):
    """The tasks of a scene, in order."""

    headers = HEADERS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tasks: tuple[TaskRow, ...] = ()

    def show(self, tasks: Sequence[TaskRow]) -> bool:
        """Take over the tasks of a scene; return whether any differs."""
        before, now = self.tasks, in_order(tasks)
        if now == before:
            return False
        if len(now) < len(before):
            self.beginRemoveRows(QModelIndex(), len(now), len(before) - 1)
            self.tasks = before[: len(now)]
            self.endRemoveRows()
        elif len(now) > len(before):
            self.beginInsertRows(QModelIndex(), len(before), len(now) - 1)
            self.tasks = (*before, *now[len(before) :])
            self.endInsertRows()
        self.tasks = now
        for row, (old, new) in enumerate(zip(before, now, strict=False)):
            if old != new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, TASK))
        return True

    def row_of(self, address: int | None) -> int | None:
        """Return the row of the task whose descriptor is at an address."""
        for row, task in enumerate(self.tasks):
            if task.address == address:
                return row
        return None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.tasks)

    # Names below are Qt's.

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell in words, for screen readers; the delegate paints from `tasks`."""
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        task = self.tasks[index.row()]
        if index.column() == CORE:
            return f"core {task.core}" if task.status == "running" else "off"
        return ", ".join(filter(None, (task.name, standing(task), REGION[task.region])))
