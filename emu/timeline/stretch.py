"""Stretches: some moves of a run, one after the other, and every point among them.

A Run of n instructions has n points: behind each of its instructions but the last, where the move
is under way, and its end. Every other move has one. Inside a Run only its core executes, and one
instruction takes one ns, so what is counted there follows from what is counted at its end.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.timeline.checkpoint import TIME, Checkpoint
from emu.timeline.mark import Mark


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some moves of a run.

    Attributes:
        start: before the first of them.
        counts: int64 [moves + 1, 1 + cores], virtual time and the instructions of each core,
            before the first move and after each, with whatever happened there.
        ended: int64 [moves + 1], virtual time when the move before ended, and nothing had happened
            yet: where nobody can be picked, time may pass.
    """

    start: Checkpoint
    counts: NDArray[np.int64]
    ended: NDArray[np.int64]

    @property
    def begin(self) -> int:
        """How many moves the run had made before these."""
        return self.start.mark.moves

    @property
    def end(self) -> int:
        """How many moves the run had made after these."""
        return self.begin + len(self.counts) - 1

    def __contains__(self, mark: Mark) -> bool:
        """Return whether a mark is a point of these moves."""
        if not self.begin <= mark.moves <= self.end:
            return False
        inside = self.inside(mark)
        return inside == 0 or (mark.moves < self.end and 0 < inside < self._length(mark.moves))

    def inside(self, mark: Mark) -> int:
        """Return how many instructions of the move that is under way were executed."""
        return mark.instructions - self._boundary(mark.moves).instructions

    def mover(self, moves: int) -> int:
        """Return the core that executed in the move behind the first `moves` of the run."""
        before, after = self.counts[moves - self.begin : moves - self.begin + 2, TIME + 1 :]
        return int(np.argmax(after - before))

    def count(self, mark: Mark, column: int) -> int:
        """Return what is counted at a point."""
        inside = self.inside(mark)
        if inside == 0:
            return int(self.counts[mark.moves - self.begin, column])
        after = int(self._at_end(column)[mark.moves - self.begin + 1])
        if column in (TIME, TIME + 1 + self.mover(mark.moves)):
            return after - (self._length(mark.moves) - inside)
        return after

    def last(self, column: int, value: int) -> Mark:
        """Return the last point with a count that is not greater; else the first point."""
        at = max(int(np.searchsorted(self.counts[:, column], value, side="right")) - 1, 0)
        moves = self.begin + at
        mark = self._boundary(moves)
        if moves == self.end:
            return mark
        length = self._length(moves)
        inside = min(length - (int(self._at_end(column)[at + 1]) - value), length - 1)
        return Mark(mark.instructions + inside, moves) if inside > 0 else mark

    def previous(self, mark: Mark) -> Mark:
        """Return the point before one, which is not the first."""
        if self.inside(mark):
            return Mark(mark.instructions - 1, mark.moves)
        executed = self._length(mark.moves - 1) > 0
        return Mark(mark.instructions - executed, mark.moves - 1)

    def next(self, mark: Mark) -> Mark:
        """Return the point after one, which is not the last."""
        if self.inside(mark) + 1 < self._length(mark.moves):
            return Mark(mark.instructions + 1, mark.moves)
        return self._boundary(mark.moves + 1)

    def _at_end(self, column: int) -> NDArray[np.int64]:
        """Return a count at the end of each move, from the one before the first on."""
        return self.ended if column == TIME else self.counts[:, column]

    def _boundary(self, moves: int) -> Mark:
        """Return the point after so many moves of the run."""
        return Mark(int(self.counts[moves - self.begin, TIME + 1 :].sum()), moves)

    def _length(self, moves: int) -> int:
        """Return the instructions of the move behind the first `moves` of the run."""
        return self._boundary(moves + 1).instructions - self._boundary(moves).instructions
