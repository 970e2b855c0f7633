"""A table whose rows only become more: columns of equal length that grow at their end.

A view of a column stays what it is when rows are added, so another thread may read it meanwhile.
Memory is bounded: of a table with more rows than its limit the older half is forgotten. Rows have
numbers that never change.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FIRST = 64  # rows that there is room for in the beginning


class Table:
    """Columns by name.

    Args:
        columns: their types.
        limit: of rows that are kept; at least half as many always are.
    """

    def __init__(self, columns: Mapping[str, DTypeLike], limit: int) -> None:
        self._columns = {name: np.zeros(_FIRST, kind) for name, kind in columns.items()}
        self._limit, self._room = limit, _FIRST
        self._count = 0  # rows that are kept
        self.first = 0  # the number of the oldest row that is kept

    def __len__(self) -> int:
        """Return the number that the next row gets."""
        return self.first + self._count

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, from `first` on, not to be written to."""
        column = self._columns[name][: self._count]
        column.flags.writeable = False
        return column

    def append(self, count: int, **values: NDArray[Any] | int) -> None:
        """Add rows; columns that are not given are 0."""
        self._make_room(count)
        for name, value in values.items():
            self._columns[name][self._count : self._count + count] = value
        self._count += count

    def fill(self, name: str, rows: NDArray[np.int64], values: NDArray[Any] | int) -> None:
        """Fill in what was not known yet, in a column's rows, given by ascending numbers.

        Those that are forgotten are passed over. Views that were taken before show it as well.
        """
        if len(rows) and rows[0] < self.first:
            kept = rows >= self.first
            rows = rows[kept]
            values = values[kept] if isinstance(values, np.ndarray) else values
        self._columns[name][rows - self.first] = values

    def rewrite(self, name: str, row: int, value: int) -> None:
        """Write another value into a column's row; views that were taken before keep theirs."""
        column = self._columns[name].copy()
        column[row - self.first] = value
        self._columns[name] = column

    def _make_room(self, count: int) -> None:
        if self._count + count <= self._room:
            return
        forgotten = max(0, self._count - self._limit // 2) if self._count >= self._limit else 0
        kept = self._count - forgotten
        while self._room < kept + count:
            self._room *= 2
        for name, column in self._columns.items():
            self._columns[name] = np.zeros(self._room, column.dtype)
            self._columns[name][:kept] = column[forgotten : self._count]
        self.first, self._count = self.first + forgotten, kept
