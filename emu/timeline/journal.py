"""The journal: what happened to a run that does not follow from the chooser's picks.

Another chooser, or other actors, a plan for the patcher, moves that somebody made: with these in
their places, and a checkpoint, a run can be made again. Entries stand between two moves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.moves import move
from emu.moves.chooser import Chooser
from emu.moves.plan import Plan

_TIMELESS = (move.INPUT, move.FAULT)  # moves before which a sleeping machine does not wait


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Something that happened.

    Attributes:
        moves: how many the run had made before.
        what: a plan that the patcher was given, which is a move; or moves that were made (dtype
            move.ROW), of which the run's count has every one; or None: the chooser changed.
        chooser: who goes on, as it was then; to be copied.
        time: virtual ns at which it happened, None if it took time. While everybody sleeps, time
            passes as soon as somebody is to be picked, even if then nobody may be. Such a run only
            goes on after something happens, so these times are all there is to note.
    """

    moves: int
    what: Plan | NDArray[np.void] | None
    chooser: Chooser
    time: int | None


class Journal:
    """The entries of a run, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, at: int) -> Entry:
        return self._entries[at]

    def add(
        self, moves: int, what: Plan | NDArray[np.void] | None, chooser: Chooser, now: int
    ) -> None:
        """Note what has just happened. moves: made before. now: virtual time after it."""
        timed = not isinstance(what, np.ndarray) or bool(np.isin(what["kind"], _TIMELESS).all())
        self._entries.append(Entry(moves, what, chooser.copy(), now if timed else None))
