"""The outline of a plan: its phases and its sites, found once and asked for in every scene."""

from bisect import bisect_right

from emu.moves.plan import Phase, Plan, Step


class Outline:
    """A plan.

    Attributes:
        groups: each phase with its steps; what comes before the first phase is in none.
        changes: what is done to each site, by its address.
        text: the addresses of all bytes of the sites.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._begins = [at for at, step in enumerate(plan.steps) if isinstance(step, Phase)]
        self.groups = tuple((_name(plan.steps[at]), self.group(at + 1)[0]) for at in self._begins)
        self.changes = {change.address: change for change in plan.changes}
        self.text = frozenset(
            at for each in plan.changes for at in range(each.address, each.address + len(each.new))
        )

    def begun(self, index: int) -> int:
        """Return how many phases have begun before a step."""
        return bisect_right(self._begins, index - 1)

    def group(self, index: int) -> tuple[tuple[Step, ...], int]:
        """Return the steps of the phase that a step is in, or those before all, and its place."""
        begun = self.begun(index)
        begin = self._begins[begun - 1] + 1 if begun else 0
        end = self._begins[begun] if begun < len(self._begins) else len(self.plan.steps)
        return self.plan.steps[begin:end], index - begin


def _name(step: Step) -> str:
    assert isinstance(step, Phase)
    return step.name
