"""The last moves of a machine, for whoever asks how it came to stand where it stands."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.machine.state import MOVE_BYTES
from emu.moves import move

KEPT: Final = 32
"""Moves that are remembered."""


class RecentMoves:
    """The last moves, and where the core of each stood before it."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, MOVE_BYTES), np.uint8)
        self._places = np.zeros(0, np.int64)

    def add(self, rows: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
        """Note moves: rows [n, MOVE_BYTES] and places [n], from the tables of the state."""
        rows, places = rows[-KEPT:].copy(), places[-KEPT:]
        left = KEPT - len(rows)
        if left:
            rows = np.concatenate([self._rows[-left:], rows])
            places = np.concatenate([self._places[-left:], places])
        self._rows, self._places = rows, places.copy()

    def rows(self) -> NDArray[np.void]:
        """Return the moves, oldest first, with dtype move.ROW."""
        return np.ascontiguousarray(self._rows).view(move.ROW).reshape(-1)

    def places(self) -> list[int]:
        """Return the linear RIP of each move's core before it; no meaning if it has no core."""
        return [int(place) & (1 << 64) - 1 for place in self._places]
