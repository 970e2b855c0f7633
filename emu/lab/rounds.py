"""Rounds: a run that patches functions in and out, for as long as somebody looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from emu.lab.end import End
from emu.lab.lab import Lab
from emu.moves.plan import Plan
from emu.patch.redirect import Redirect
from emu.scene.phase_ends import PhaseEnds
from emu.timeline.mark import Mark
from emu.timeline.timeline import Moment

IN_PLACE: Final = 100_000
"""Instructions of all cores between the end of one plan and the next."""


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """A phase has done what it does, waits for the cores, or they have answered.

    plan: the number of the request.
    """

    mark: Mark
    phase: str
    plan: int


class Run(Protocol):
    """The live end of a run, and the ends of its phases: what a player asks of it.

    patience: instructions in which a phase comes to its end. unseen: those between two looks.
    most_plans: that are carried out before we say that nothing goes wrong.
    """

    @property
    def patience(self) -> int:
        """See above."""

    @property
    def unseen(self) -> int:
        """See above."""

    @property
    def most_plans(self) -> int:
        """See above."""

    @property
    def plans(self) -> int:
        """How many plans or batches have begun so far."""

    @property
    def more(self) -> bool:
        """Whether a phase is to come."""

    @property
    def count(self) -> int:
        """How many ends of phases there were so far."""

    def go(self, instructions: int) -> End:
        """Let the run go on."""

    def go_to_phase_end(self, instructions: int) -> End:
        """Let the run go on to the end of a phase, or a little behind it."""

    def after_step(self) -> bool:
        """Note a step of the patcher."""

    def after(self, moment: Moment) -> Mark | None:
        """Return where the next phase ends, None if it has not yet."""

    def before(self, moment: Moment) -> Mark | None:
        """Return where the phase before ended, None if there was none."""

    def phase_at(self, moment: Moment) -> str | None:
        """Return the phase that ends here, or None."""

    def plan_at(self, moment: Moment) -> int:
        """Return the number of the plan or batch that is under way, or was last; 0: none."""

    def first(self, phase: str, plan: int) -> Mark | None:
        """Return where a phase first ends in a plan or batch, or in the next that has it."""


class Rounds:
    """The live end of a run in which our patcher works.

    Args:
        lab: whose cores run tasks.
        redirects: what is patched in, one batch, and out again; empty: nothing, it only runs.
        broken: the break of the plans that patch in, or None.

    Attributes:
        ends: the ends of phases so far.
    """

    patience: Final = 5_000_000
    unseen: Final = IN_PLACE
    most_plans: Final = 100

    def __init__(self, lab: Lab, redirects: Sequence[Redirect], broken: str | None) -> None:
        self._lab, self._redirects, self._broken = lab, redirects, broken
        self._phase_ends = PhaseEnds(lab.patcher, answers=True)
        self._pending: list[Plan] = []  # batches of the request that is under way
        self._inward = False
        self._stops = False
        self._due = lab.machine.retired() + IN_PLACE
        self.ends: list[PhaseEnd] = []

    @property
    def mark(self) -> Mark:
        """How far the run has got."""
        return self._lab.keep_timeline().edge

    @property
    def more(self) -> bool:
        """Whether a phase is to come: a plan is under way, or there is one to request."""
        return bool(self._redirects) or not self._lab.patcher.done

    @property
    def plans(self) -> int:
        """How many plans were requested so far."""
        return self._lab.patcher.requests

    @property
    def count(self) -> int:
        """How many ends of phases there were so far."""
        return len(self.ends)

    def after(self, moment: Moment) -> Mark | None:
        """Return where the next phase ends, None if it has not yet."""
        return next((end.mark for end in self.ends if end.mark > moment.mark), None)

    def before(self, moment: Moment) -> Mark | None:
        """Return where the phase before ended, None if there was none."""
        earlier = [end.mark for end in self.ends if end.mark < moment.mark]
        return earlier[-1] if earlier else None

    def phase_at(self, moment: Moment) -> str | None:
        """Return the phase that ends here, or None."""
        here = [end.phase for end in self.ends if end.mark == moment.mark]
        return here[-1] if here else None

    def plan_at(self, moment: Moment) -> int:
        """Return the number of the plan that is under way here, or was last."""
        begun = [end.plan for end in self.ends if end.mark <= moment.mark]
        return begun[-1] if begun else 0

    def first(self, phase: str, plan: int) -> Mark | None:
        """Return where a phase first ends in a plan, or in the next that has it."""
        ends = (end.mark for end in self.ends if end.phase == phase and end.plan >= plan)
        return next(ends, None)

    def go(self, instructions: int) -> End:
        """Let the run go on, with plans when they are due."""
        begin = self._lab.machine.retired()
        end = End.BOUND
        while end is End.BOUND and (left := instructions - self._made_since(begin)) > 0:
            if self._lab.patcher.done:
                wait = self._due - self._lab.machine.retired()
                if wait <= 0 and self._redirects:
                    self.request()
                elif self._redirects:
                    left = min(left, wait)
            before = self._lab.machine.moves
            end = self._lab.run(instructions=left, stop=self.after_step)
            if self._lab.machine.moves == before:
                break
        return end

    def go_to_phase_end(self, instructions: int) -> End:
        """Let the run go on to the end of a phase, with the next plan if none is under way."""
        if self._lab.patcher.done and self._redirects:
            self.request()
        self._stops, known = True, len(self.ends)
        begin = self._lab.machine.retired()
        end = End.BOUND
        try:
            while end is End.BOUND and len(self.ends) == known:
                left = instructions - self._made_since(begin)
                if left <= 0:
                    break
                end = self._lab.run(instructions=left, stop=self.after_step)
        finally:
            self._stops = False
        return end

    def request(self) -> None:
        """Give the patcher the next plan: in, out, in, ... One that it refuses stays the next.

        Raises TextpokeError if it does.
        """
        inward, plans = self._inward, self._pending
        if not plans:
            inward = not inward
            broken = self._broken if inward else None
            plans = list(self._lab.plan(self._redirects, inward=inward, broken=broken))
        self._lab.request(plans[0])
        self._inward, self._pending = inward, plans[1:]

    def after_step(self) -> bool:
        """Note the end of a phase; returns whether the run is to stop there."""
        phase = self._phase_ends.after_step()
        if phase is None:
            return False
        self.ends.append(PhaseEnd(self.mark, phase, self._lab.patcher.requests))
        if self._lab.patcher.done:
            self._due = self._lab.machine.retired() + (0 if self._pending else IN_PLACE)
        return self._stops

    def _made_since(self, begin: int) -> int:
        return self._lab.machine.retired() - begin
