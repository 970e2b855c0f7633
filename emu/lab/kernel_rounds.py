"""Kernel rounds: a run of a kernel that patches itself, with the phases it tells of."""

from typing import Final

from emu.lab.end import End
from emu.lab.lab import Lab
from emu.scene.batches import BatchEnd
from emu.scene.chronicle import Chronicle
from emu.timeline.mark import Mark
from emu.timeline.timeline import Moment

_PIECE: Final = 1_000_000
"""Instructions between two looks at whether a phase has ended; their events are fewer than kept."""


class KernelRounds:
    """The live end of a run, see `Rounds`: nobody asks for plans, the kernel has its own.

    chronicle: of the lab. patience: instructions in which a phase comes to its end.
    """

    patience: Final = 300_000_000
    most_plans: Final = 2_000
    unseen: Final = _PIECE

    def __init__(self, lab: Lab, chronicle: Chronicle) -> None:
        self._lab, self._chronicle = lab, chronicle
        self._batches = chronicle.batches

    @property
    def plans(self) -> int:
        """How many batches have begun so far."""
        return self._batches.count

    @property
    def more(self) -> bool:
        """Whether a phase may come: of a kernel nobody knows."""
        return True

    @property
    def count(self) -> int:
        """How many ends of phases there were so far."""
        return self._batches.ends

    def go(self, instructions: int) -> End:
        """Let the run go on."""
        begin, end = self._lab.machine.retired(), End.BOUND
        while end is End.BOUND:
            left = instructions - (self._lab.machine.retired() - begin)
            moves = self._lab.machine.moves
            if left <= 0:
                break
            end = self._lab.run(instructions=min(left, _PIECE))
            self._chronicle.take()
            if self._lab.machine.moves == moves:
                break
        return end

    def go_to_phase_end(self, instructions: int) -> End:
        """Let the run go on to behind the end of a phase."""
        begin, known, end = self._lab.machine.retired(), self.count, End.BOUND
        while end is End.BOUND and self.count == known:
            if self._lab.machine.retired() - begin >= instructions:
                break
            end = self.go(_PIECE)
        return end

    def after_step(self) -> bool:
        """Return False: there are no steps but the kernel's."""
        return False

    # --- ends of phases ------------------------------------------------------------------------

    def after(self, moment: Moment) -> Mark | None:
        """Return where the next phase ends, None if it has not yet."""
        found = self._batches.next_end(moment.time)
        while found is not None and (mark := self._mark(found)) <= moment.mark:
            found = self._batches.next_end(found.time)
        return None if found is None else mark

    def before(self, moment: Moment) -> Mark | None:
        """Return where the phase before ended, None if there was none."""
        found = self._batches.previous_end(moment.time)
        while found is not None and (mark := self._mark(found)) >= moment.mark:
            found = self._batches.previous_end(found.time)
        return None if found is None else mark

    def phase_at(self, moment: Moment) -> str | None:
        """Return the phase that ends here, or None."""
        found = self._batches.ends_at(moment.time)
        return None if found is None else found.phase

    def plan_at(self, moment: Moment) -> int:
        """Return the number of the batch that is under way, or was last."""
        batch = self._batches.at(moment.time + 1)
        return 0 if batch is None else batch.number

    def first(self, phase: str, plan: int) -> Mark | None:
        """Return where a phase first ends in a batch, or in the next that has it."""
        found = self._batches.end_of(phase, plan)
        return None if found is None else self._mark(found)

    def _mark(self, found: BatchEnd) -> Mark:
        return self._lab.keep_timeline().at_time(found.time).mark
