"""Recording: how a run is written down while it goes on.

A run is segments: so many picks of a chooser, or moves one by one. A request to the patcher ends
a segment; the chooser goes on after it where it was.
"""

from emu.moves import move
from emu.moves.chooser import EVERYBODY, Chooser
from emu.moves.plan import Plan
from emu.moves.segment import Chosen, Moves, Segment, Start
from emu.timeline.timeline import Timeline


class Recording:
    """The segments and plans of a run so far.

    chooser: who moves now. timeline: is told, too, if there is one.
    """

    def __init__(self, chooser: Chooser) -> None:
        self.plans: list[Plan] = []
        self.chooser = chooser
        self.timeline: Timeline | None = None
        self._segments: list[Segment] = []
        self._start, self._made = Chosen.start_of(chooser), chooser.made
        self._drain = False

    def choose(self, chooser: Chooser, *, drain: bool = False) -> None:
        """Let another chooser, or the same, go on from here, with a segment of its own.

        drain: the segment waits for the calls made before it.
        """
        self._end_segment()
        self.chooser, self._drain = chooser, drain
        self._start, self._made = Chosen.start_of(chooser), chooser.made
        if self.timeline:
            self.timeline.chosen(chooser)

    def request(self, plan: Plan) -> None:
        """Note that the patcher was given a plan."""
        if plan not in self.plans:
            self.plans.append(plan)
        self._append(Moves.of([move.Request(self.plans.index(plan))]))
        if self.timeline:
            self.timeline.requested(plan)

    def moves(self, segment: Moves) -> None:
        """Note moves that were made one by one."""
        self._append(segment)
        if self.timeline:
            self.timeline.made(segment.rows)

    def grew(self) -> None:
        """Note that moves were picked; to be called often, between two moves."""
        if self.timeline:
            self.timeline.grew()

    def _append(self, segment: Moves) -> None:
        self._end_segment()
        self._drain = False
        self._segments.append(segment)

    def segments(self) -> tuple[Segment, ...]:
        """Return the run so far."""
        self._end_segment()
        return tuple(self._segments)

    def _end_segment(self) -> None:
        chooser = self.chooser
        if chooser.made > self._made:
            fresh = Start(-1, chooser.seed)
            self._segments.append(
                Chosen(
                    chooser.name,
                    chooser.seed,
                    chooser.quantum,
                    chooser.made - self._made,
                    start=None if self._start == fresh else self._start,
                    actors=None if chooser.actors == EVERYBODY else chooser.actors,
                    drain=self._drain,
                    faults=chooser.faults,
                    waits=chooser.waits,
                )
            )
        self._start, self._made = Chosen.start_of(chooser), chooser.made
