"""The pace: how many instructions are due, so that people can follow what runs."""

import time
from typing import Final

SPEEDS: Final[tuple[int | None, ...]] = (100, 1_000, 10_000, 100_000, 1_000_000, None)
"""Instructions a second that can be chosen; None: as fast as it goes."""

_PIECE: Final = 0.005
"""Seconds after which commands are looked at again."""

_OFTEN: Final = 0.012
"""Seconds from one piece to the next, a little less than a frame: each costs 1 ms of its own."""

_NAP: Final = 0.001
"""Seconds in which the other thread has its turn, however long the last piece took."""

_FIRST: Final = 20_000  # instructions of the first piece at full speed


class Pace:
    """Says how far to go on. speed: instructions a second, None: as fast as it goes.

    It measures real time, which decides how much of a run is seen a second and nothing else.
    """

    def __init__(self, speed: int | None) -> None:
        self._speed = speed
        self._last = time.perf_counter()
        self._due = 0.0
        self._piece = _FIRST

    def due(self) -> int:
        """Return the instructions that are due; 0: none yet."""
        if self._speed is None:
            return self._piece
        now = time.perf_counter()
        self._due = min(self._due + (now - self._last) * self._speed, self._speed / 10 + 1)
        self._last = now
        whole = int(self._due)
        self._due -= whole
        return whole

    @property
    def nap(self) -> float:
        """Seconds until something is due again."""
        if self._speed is None:
            return 0.0
        piece = max(_OFTEN, min(0.02, 1 / self._speed))
        return max(_NAP, self._last + piece - time.perf_counter())

    def took(self, seconds: float) -> None:
        """Learn how long the last piece took: at full speed the next takes about `_PIECE`."""
        if self._speed is None and seconds > 0:
            fitting = int(self._piece * _PIECE / seconds)
            self._piece = max(1_000, min(2 * self._piece, fitting))
