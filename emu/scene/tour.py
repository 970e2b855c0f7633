"""The tour: a function is rewritten and given back, with a picture after every phase.

It walks with a lab: after each phase's stores, and wherever the patcher has to wait, it stops
and hands out a Scene. It decides nothing about the run itself, so a tour of a replayed schedule
shows the same pictures as the run that made it.
"""

from collections.abc import Sequence

from emu.detect.watch import Watched
from emu.guest.guest import Guest
from emu.moves.plan import PHASES, Phase, Plan, Wait
from emu.patch.patcher import Patcher
from emu.scene import scene, story
from emu.scene.scene import Scene


class Tour:
    """Makes scenes while the patcher works. `after_step` has to be called after each step.

    plan: the one it follows; the scenes of a plan come once each.
    """

    def __init__(self, guest: Guest, patcher: Patcher, watched: Sequence[Watched]) -> None:
        self._guest, self._patcher, self._watched = guest, patcher, watched
        self._plan: Plan | None = None
        self._shown: set[str] = set()

    def after_step(self) -> Scene | None:
        """Return the scene of a phase that has come to its end or to its wait, else None."""
        if self._patcher.plan not in (None, self._plan):
            self._plan, self._shown = self._patcher.plan, set()
        phase = self._phase_done()
        if phase is None or phase in self._shown or self._plan is None:
            return None
        self._shown.add(phase)
        sentence = story.tell(self._guest, self._patcher, self._plan, phase)
        return self.picture(phase, sentence)

    def picture(self, phase: str, sentence: str) -> Scene:
        """Return the scene at this moment."""
        changes = {each.address: each for each in self._plan.changes} if self._plan else {}
        watched = [
            each.between(changes[each.site]) if each.site in changes else each
            for each in self._watched
        ]
        return scene.take(self._guest, watched, phase, sentence)

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
