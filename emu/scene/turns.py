"""Turns: when each task last had a core, from the switches that a kernel tells of."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.guest.probes import SWITCH
from emu.machine.state import E_B, E_KIND, E_TIME
from emu.scene.table import Table

_WORD: Final = (1 << 64) - 1
_MOST: Final = 1024  # switches that are looked back at


class Turns:
    """The switches so far. limit: of those that are kept."""

    def __init__(self, limit: int) -> None:
        self._table = Table({"time": np.int64, "task": np.int64}, limit)

    def take(self, columns: NDArray[np.int64]) -> None:
        """Look at events, int64 [8, n], a row for each column of `Event`."""
        switches = columns[:, columns[E_KIND] == SWITCH]
        self._table.append(switches.shape[1], time=switches[E_TIME], task=switches[E_B])

    def before(self, time: int) -> dict[int, int]:
        """Return when tasks last lost a core before a time, by address; the latest of them."""
        end = int(np.searchsorted(self._table["time"], time))
        times, tasks = (self._table[name][max(0, end - _MOST) : end] for name in ("time", "task"))
        return {
            task & _WORD: when for task, when in zip(tasks.tolist(), times.tolist(), strict=True)
        }
