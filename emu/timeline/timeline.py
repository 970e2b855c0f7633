"""The timeline: any past moment of a run.

A second machine gets the nearest checkpoint and makes the run's moves again, up to the mark; the
run itself is not touched. What is looked at next is mostly near what was looked at last, so the
moves around are gone through one by one, and kept with a checkpoint of their own: from there a
step back or forward takes about a millisecond.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.machine.machine import Machine
from emu.moves import move
from emu.moves.chooser import Chooser
from emu.moves.plan import Plan
from emu.patch.patcher import Patcher
from emu.timeline.checkpoint import TIME, Checkpoint, Checkpoints
from emu.timeline.journal import Journal
from emu.timeline.mark import Mark
from emu.timeline.past import Past, counts
from emu.timeline.stretch import Stretch

_AROUND = 64  # moves gone through one by one before a point, and behind it
_PIECES = 8  # of moves, in which a search looks for the one that matters
_STRETCHES = 8  # that are kept


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A run at a point; valid until the timeline is asked again, and only to be looked at.

    Attributes:
        mark: the point.
        time: virtual ns.
        guest, patcher, machine: as they were, or the run's own where it has got to.
    """

    mark: Mark
    time: int
    guest: Guest
    patcher: Patcher
    machine: Machine


class Timeline:
    """The past of a run from here on.

    machine, patcher: of the run. chooser: who picks its moves now. checkpoints: for the bounds.
    Everything that happens to the run must be told: `chosen`, `requested`, `made`, and `grew`
    between moves. Moves are made by `drive`, or else told.
    """

    def __init__(self, machine: Machine, patcher: Patcher, chooser: Chooser) -> None:
        self._machine, self._patcher, self._chooser = machine, patcher, chooser
        self._uncounted = 0  # moves that the machine does not count: requests, steps of a script
        self._journal = Journal()
        self.checkpoints = Checkpoints(self._checkpoint())
        self._past: Past | None = None  # made when somebody looks
        self._stretches: list[Stretch] = []

    # --- what the run tells --------------------------------------------------------------------

    @property
    def edge(self) -> Mark:
        """How far the run has got."""
        return Mark(self._machine.retired(), self._machine.moves + self._uncounted)

    @property
    def beginning(self) -> Mark:
        """The first point that can be seen."""
        return self.checkpoints.first.mark

    def chosen(self, chooser: Chooser) -> None:
        """Note who picks the next moves: another chooser, or with other actors or quantum."""
        self._chooser = chooser
        self._happened(None)

    def requested(self, plan: Plan) -> None:
        """Note that the patcher was given a plan, after it was."""
        self._uncounted += 1
        self._happened(plan, 1)

    def made(self, rows: NDArray[np.void]) -> None:
        """Note moves that somebody made, with dtype move.ROW, after they were made.

        Steps of the patcher among them are those that the caller makes, `Machine.play` does not.
        """
        if len(rows):
            self._uncounted += int((rows["kind"] == move.PATCH).sum())
            self._happened(rows.copy(), len(rows))

    def grew(self) -> None:
        """Take a checkpoint if it is time for one. To be called often, between two moves."""
        if self.checkpoints.due(self.edge):
            self.checkpoints.add(self._checkpoint())

    def _happened(self, what: Plan | NDArray[np.void] | None, moves: int = 0) -> None:
        before = self.edge.moves - moves
        self._journal.add(before, what, self._chooser, self._machine.now)

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            self.edge,
            len(self._journal),
            self._machine.save(),
            self._chooser.copy(),
            self._patcher.progress(),
        )

    # --- looking back --------------------------------------------------------------------------

    def at(self, mark: Mark) -> Moment:
        """Return the run at a point; TextpokeError if it has no such point."""
        if mark == self.edge:
            now = self._machine.now
            return Moment(mark, now, self._patcher.guest, self._patcher, self._machine)
        stretch = self._stretch(mark)
        past, inside = self._second(), stretch.inside(mark)
        past.restore(stretch.start)
        past.advance(mark.moves)
        if inside:
            past.run(stretch.mover(mark.moves), inside)
        return Moment(mark, past.machine.now, past.guest, past.patcher, past.machine)

    def at_time(self, ns: int) -> Moment:
        """Return the run at its last point whose virtual time is not later, or at its first."""
        return self.at(self._last(TIME, ns))

    def before(self, mark: Mark, core: int | None = None) -> Moment:
        """Return the run one point before a mark; at its beginning that.

        core: just before the last instruction of that core; where it has executed nothing yet,
        the point is the mark's own.
        """
        if core is None:
            return self.at(self._previous(mark))
        column = TIME + 1 + core
        executed = self._count(mark, column)
        if executed == self.checkpoints.first.counts[column]:
            return self.at(mark)
        return self.at(self._last(column, executed - 1))

    def after(self, mark: Mark, core: int | None = None) -> Moment:
        """Return the run one point after a mark, along what was; at the edge that.

        core: just after the next instruction of that core; the edge, if it executes none.
        """
        if core is not None:
            mark = self._last(TIME + 1 + core, self._count(mark, TIME + 1 + core))
        return self.at(mark if mark == self.edge else self._stretch(mark).next(mark))

    def _previous(self, mark: Mark) -> Mark:
        if mark == self.beginning:
            return mark
        stretch = self._stretch(mark)
        if not stretch.inside(mark) and mark.moves == stretch.begin:
            stretch = self._around(mark.moves - 1)
        return stretch.previous(mark)

    def _count(self, mark: Mark, column: int) -> int:
        if mark == self.edge:
            return int(counts(self._machine)[column])
        return self._stretch(mark).count(mark, column)

    def _last(self, column: int, value: int) -> Mark:
        """Return the last point of the run with a count that is not greater, else its first."""
        if counts(self._machine)[column] <= value:
            return self.edge
        for known in self._stretches:
            if known.counts[0, column] <= value < known.counts[-1, column]:
                return known.last(column, value)
        start, end = self.checkpoints.last(lambda each: int(each.counts[column]), value)
        stop = self.edge.moves if end is None else end
        past = self._second()
        past.restore(start)
        while stop - start.mark.moves > 2 * _AROUND:
            past.advance(start.mark.moves + (stop - start.mark.moves) // _PIECES)
            if counts(past.machine)[column] > value:
                stop = past.moves
                past.restore(start)
            else:
                start = past.save()
        return self._walk(start, stop).last(column, value)

    # --- stretches -----------------------------------------------------------------------------

    def _stretch(self, mark: Mark) -> Stretch:
        """Return moves around a point; TextpokeError if the run has no such point."""
        if self.beginning <= mark <= self.edge and mark.moves <= self.edge.moves:
            stretch = self._around(mark.moves)
            if mark in stretch:
                return stretch
        raise TextpokeError(f"{mark} is no point of the run from {self.beginning} to {self.edge}")

    def _around(self, moves: int) -> Stretch:
        """Return a stretch with the point after so many moves, and the next move if there is."""
        edge = self.edge.moves
        for known in self._stretches:
            if known.begin <= moves < known.end or moves == known.end == edge:
                return known
        begin = max(moves - _AROUND, self.beginning.moves)
        start, _ = self.checkpoints.last(lambda each: each.mark.moves, begin)
        near = [each.start for each in self._stretches if each.begin <= begin]
        start = max([start, *near], key=lambda each: each.mark.moves)
        past = self._second()
        past.restore(start)
        past.advance(begin)
        return self._walk(past.save(), min(moves + _AROUND, edge))

    def _walk(self, start: Checkpoint, stop: int) -> Stretch:
        """Go from where a checkpoint is, one move after the other, until `stop` are made."""
        past = self._second()
        past.restore(start)
        rows, ended = [], []
        for moves in range(start.mark.moves, stop + 1):
            past.advance(moves)
            rows.append(counts(past.machine))
            ended.append(past.came)
        stretch = Stretch(start, np.array(rows), np.array(ended))
        self._stretches = [stretch, *self._stretches][:_STRETCHES]
        return stretch

    def _second(self) -> Past:
        if self._past is None:
            self._past = Past(self._patcher.guest, self._journal, self.checkpoints.first)
        return self._past
