"""Garbage is collected in the window's thread only.

Python collects cycles in whichever thread happens to allocate. If that is the machine's, and a
widget is part of a cycle, Qt's object is destroyed in a thread that is not its own, and the process
ends. So nobody collects by himself while the machine's thread lives, and the window does in turn.
Source: Qt, "Threads and QObjects"; Python, gc.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

_OFTEN: Final = 200
"""Milliseconds between two looks at how much there is."""


class Garbage(QObject):
    """Collects, from `start` to `stop`, as Python would: each generation by its own threshold."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Collect here, and nowhere else."""
        gc.disable()
        self._timer.start(_OFTEN)

    def settle(self) -> None:
        """Collect all there is, and from now on only what is new.

        For when another machine is on: its image and tables are some 10^6 objects that stay, and
        to look at them again takes longer than several frames. Those of the one before are found
        the next time.
        """
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _look(self) -> None:
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [g for g in range(3) if counts[g] > thresholds[g]]
        if due:
            gc.collect(due[-1])
