"""Phase ends: the moments at which a phase has done what it does, or waits for the cores.

These are where a tour stops and where "next phase" goes: behind the last store of a phase, or in
front of its wait, once each.
"""

from emu.moves.plan import PHASES, Phase, Plan, Wait
from emu.patch.patcher import Patcher


class PhaseEnds:
    """Finds them. `after_step` has to be called after each step of the patcher.

    plan: the one it follows; the phases of a plan come once each.
    """

    def __init__(self, patcher: Patcher) -> None:
        self._patcher = patcher
        self.plan: Plan | None = None
        self._shown: set[str] = set()
        self._requests = -1

    def after_step(self) -> str | None:
        """Return the phase that has come to its end or to its wait, else None."""
        patcher = self._patcher
        if patcher.plan is not None and patcher.requests != self._requests:
            self.plan, self._shown, self._requests = patcher.plan, set(), patcher.requests
        phase = self._phase_done()
        if phase is None or phase in self._shown or self.plan is None:
            return None
        self._shown.add(phase)
        return phase

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
