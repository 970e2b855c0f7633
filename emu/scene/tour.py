"""The tour: a function is rewritten and given back, with a picture after every phase.

It walks with a lab: after each phase's stores, and wherever the patcher has to wait, it stops
and hands out a Scene. It decides nothing about the run itself, so a tour of a replayed schedule
shows the same pictures as the run that made it.
"""

from collections.abc import Sequence

from emu.detect.watch import Watched
from emu.guest.guest import Guest
from emu.patch.patcher import Patcher
from emu.scene import scene, story
from emu.scene.phase_ends import PhaseEnds
from emu.scene.scene import Scene


class Tour:
    """Makes scenes while the patcher works. `after_step` has to be called after each step."""

    def __init__(self, guest: Guest, patcher: Patcher, watched: Sequence[Watched]) -> None:
        self._guest, self._patcher, self._watched = guest, patcher, watched
        self._ends = PhaseEnds(patcher)

    def after_step(self) -> Scene | None:
        """Return the scene of a phase that has come to its end or to its wait, else None."""
        phase = self._ends.after_step()
        if phase is None or self._ends.plan is None:
            return None
        sentence = story.tell(self._guest, self._patcher, self._ends.plan, phase)
        return self.picture(phase, sentence)

    def picture(self, phase: str, sentence: str) -> Scene:
        """Return the scene at this moment."""
        plan = self._ends.plan
        changes = {each.address: each for each in plan.changes} if plan else {}
        watched = [
            each.between(changes[each.site]) if each.site in changes else each
            for each in self._watched
        ]
        return scene.take(self._guest, watched, phase, sentence)
