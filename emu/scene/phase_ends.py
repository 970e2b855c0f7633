"""Phase ends: the moments at which a phase has done what it does, or waits for the cores.

These are where a tour stops and where "next phase" goes: behind the last store of a phase, or in
front of its wait, once each. Who wants to see the answers, too, stops once more where the cores
have given them: that is why the next phase may begin.
"""

from emu.moves.plan import PHASES, Phase, Plan, Wait
from emu.patch.patcher import Patcher


class PhaseEnds:
    """Finds them. `after_step` has to be called after each step of the patcher.

    answers: also where a wait for the cores is over. plan: the one it follows.
    """

    def __init__(self, patcher: Patcher, *, answers: bool = False) -> None:
        self._patcher, self._answers = patcher, answers
        self.plan: Plan | None = None
        self._shown: set[str] = set()
        self._requests = -1

    def after_step(self) -> str | None:
        """Return the phase that has come to its end or to its wait, else None."""
        patcher = self._patcher
        if patcher.plan is not None and patcher.requests != self._requests:
            self.plan, self._shown, self._requests = patcher.plan, set(), patcher.requests
        phase = self._answered() if self._answers else None
        key = phase and f"{phase}, answered"
        if phase is None:
            phase = key = self._phase_done()
        if phase is None or key is None or key in self._shown or self.plan is None:
            return None
        self._shown.add(key)
        return phase

    def _answered(self) -> str | None:
        """Return the phase whose wait for the cores has just ended."""
        plan, index = self._patcher.plan, self._patcher.index
        if plan is None:
            return None
        before = index - 1
        while before > 0 and isinstance(plan.steps[before], Phase):
            before -= 1
        step = plan.steps[before]
        if not isinstance(step, Wait) or step.condition != "acknowledged":
            return None
        return [each.name for each in plan.steps[:before] if isinstance(each, Phase)][-1]

    def _phase_done(self) -> str | None:
        patcher = self._patcher
        if patcher.plan is None:
            return PHASES[-1]
        step = patcher.plan.steps[patcher.index]
        if isinstance(step, Wait):
            return patcher.phase
        before = patcher.plan.steps[patcher.index - 1]
        return _phase_before(patcher.plan, patcher.index) if isinstance(before, Phase) else None


def _phase_before(plan: Plan, index: int) -> str | None:
    """Return the phase that ended just before the one whose first step is at an index.

    A phase that ended with a wait was shown there.
    """
    begin = index - 1
    if begin == 0 or isinstance(plan.steps[begin - 1], Wait):
        return None
    earlier = [step.name for step in plan.steps[:begin] if isinstance(step, Phase)]
    return earlier[-1] if earlier else None
