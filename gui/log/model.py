"""The log as a table. It holds no lines, only asks for those that are painted.

A filter cannot be answered at once, for a million lines take seconds to read: `search` reads so
many at a time, and the lines found so far are shown.
"""

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QObject, Qt

from gui.log.lines import LogLine, LogView
from gui.row_model import RowModel
from gui.rows import Index

TIME, CORE, KIND, TEXT = range(4)
HEADERS: Final = ("time, ms", "core", "kind", "what happened")
AT_ONCE: Final = 4096
"""Lines that a search reads before the window is painted again."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines to show: those of one core (-1: the patcher) or kind, or of any (None)."""

    core: int | None = None
    kind: str | None = None

    def lets(self, line: LogLine) -> bool:
        """Return whether a line is to be shown."""
        return self.core in {None, line.core} and self.kind in {None, line.kind}


EVERYTHING: Final = Filter()


class LogModel(RowModel):
    """The lines of a log that a filter lets through.

    Attributes:
        filter: the filter.
        kinds: of the lines read so far. patched: whether the patcher made any of them.
        marked: the row at the player's position: the last that has happened there; -1: none.
    """

    headers = HEADERS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log: LogView = _NoLog()
        self._rows = 0  # shown
        self._read = 0  # by the search
        self._found = array("q")
        self._position = 0
        self.filter = EVERYTHING
        self.kinds: set[str] = set()
        self.patched = False
        self.marked = -1

    def show(self, log: LogView | None, position: int) -> None:
        """Take over a log, which is either the one before with more lines, or another run's."""
        shown = _NoLog() if log is None else log
        if self._goes_on(shown):
            self._log = shown
            if self.filter == EVERYTHING:
                self._insert(shown.rows)
        else:
            self.beginResetModel()
            self._log = shown
            self._start()
            self.endResetModel()
        self._position = position
        self._mark()

    def use_filter(self, chosen: Filter) -> None:
        """Show other lines. Where that is not everything, they come by `search`."""
        self.beginResetModel()
        self.filter = chosen
        self._start()
        self.endResetModel()
        self._mark()

    @property
    def unread(self) -> int:
        """How many lines the search has yet to read."""
        if self.filter == EVERYTHING:
            return 0
        return self._log.rows - self._read

    def search(self) -> None:
        """Read the next lines, and show those that the filter lets through."""
        if not self.unread:
            return
        begin, self._read = self._read, min(self._read + AT_ONCE, self._log.rows)
        for number in range(begin, self._read):
            line = self._log.line(number)
            self._learn(line)
            if self.filter.lets(line):
                self._found.append(number)
        self._insert(len(self._found))
        self._mark()

    def line(self, row: int) -> LogLine:
        """Return the line in a row."""
        line = self._line(row)
        self._learn(line)
        return line

    def learn_kinds(self) -> None:
        """Where no kind is known, read those around the position, which will be painted first."""
        if not self.kinds:
            for row in range(max(0, self.marked - 50), min(self._rows, self.marked + 50)):
                self.line(row)

    def row_at(self, time: int) -> int:
        """Return the last row that has happened at a time, -1 if none has."""
        return bisect_right(range(self._rows), time, key=lambda row: self._line(row).time) - 1

    def _learn(self, line: LogLine) -> None:
        self.kinds.add(line.kind)
        self.patched |= line.core < 0

    def _line(self, row: int) -> LogLine:
        return self._log.line(row if self.filter == EVERYTHING else self._found[row])

    def _goes_on(self, log: LogView) -> bool:
        """Return whether a log begins with all that is known of the one before."""
        before = self._log
        if before is log:
            return True
        known = before.rows
        if log.rows < known:
            return False
        return known == 0 or _same(before.line(known - 1), log.line(known - 1))

    def _start(self) -> None:
        self._read, self._found = 0, array("q")
        self._rows = self._log.rows if self.filter == EVERYTHING else 0
        self.marked = -1

    def _insert(self, rows: int) -> None:
        if rows > self._rows:
            self.beginInsertRows(QModelIndex(), self._rows, rows - 1)
            self._rows = rows
            self.endInsertRows()

    def _mark(self) -> None:
        before, self.marked = self.marked, self.row_at(self._position)
        if before != self.marked:
            for row in (before, self.marked):
                if 0 <= row < self._rows:
                    self.dataChanged.emit(self.index(row, TIME), self.index(row, TEXT))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._rows

    # Names below are Qt's.

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell in words."""
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        line = self.line(index.row())
        if index.column() == TIME:
            return in_ms(line.time) + (", now" if index.row() == self.marked else "")
        if index.column() == CORE:
            return who(line.core)
        return line.kind if index.column() == KIND else line.text


class _NoLog:
    """A log that nothing has been written to."""

    rows = 0

    def line(self, index: int) -> LogLine:
        raise IndexError(index)


def in_ms(time: int) -> str:
    """Return virtual ns as ms, to the last digit."""
    return f"{time // 1_000_000}.{time % 1_000_000:06d}"


def who(core: int) -> str:
    """Return the name of a core in the log."""
    return "patcher" if core < 0 else f"core {core}"


def _same(one: LogLine, other: LogLine) -> bool:
    return (one.time, one.core, one.kind, one.text) == (
        other.time, other.core, other.kind, other.text,
    )  # fmt: skip
