"""Breaks: what each does to the protocol, and where it is safe all the same."""

import pytest

from emu.errors import TextpokeError
from emu.lab import Lab
from emu.moves.plan import PHASES, Ipi, Plan, Wait
from emu.patch import breaks
from emu.patch.text_poke import NOP5, emulation
from tests.labs import FUNCTION, MODELS, SECOND, in_and_out, loaded, plans, redirected
from tests.necessity import Case, Outcome, expected
from tests.summary import Figures

WHOLE = " ".join(PHASES)
ORDERS = {
    "arm": "int3 arm sync1 tail sync2 head sync3 drain done",
    "int3": "arm sync1 tail sync2 head sync3 drain done",
    "sync1": "arm int3 tail sync2 head sync3 drain done",
    "tail-first": "arm tail int3 sync1 sync2 head sync3 drain done",
    "head-first": "arm int3 sync1 head sync2 tail sync3 drain done",
    "sync2": "arm int3 sync1 tail head sync3 drain done",
    "sync3": "arm int3 sync1 tail sync2 head drain done",
    "unsorted": WHOLE,
    "emulate": WHOLE,
    "missed-core": WHOLE,
    "drain": WHOLE,
}


def broken_plan(lab: Lab, name: str | None, *functions: str) -> Plan:
    redirects = redirected(lab, *functions)
    return plans(lab, redirects, name)[0]


def groups(plan: Plan) -> dict[str, list[object]]:
    """Return the steps of each phase, and those before the first."""
    found: dict[str, list[object]] = {"": []}
    for step in plan.steps:
        if type(step).__name__ == "Phase":
            found[step.name] = []  # type: ignore[union-attr] # a Phase
        else:
            found[next(reversed(found))].append(step)
    return found


@pytest.fixture(scope="module")
def lab() -> Lab:
    return loaded(cores=4)


@pytest.mark.parametrize("name", breaks.BREAKS)
def test_a_break_changes_the_one_thing_it_says(lab: Lab, name: str) -> None:
    both = (FUNCTION, SECOND)
    lab._arena = None  # the same places each time
    right = groups(broken_plan(lab, None, *both))
    lab._arena = None
    wrong = groups(broken_plan(lab, name, *both))
    assert " ".join(phase for phase in wrong if phase) == ORDERS[name]
    different = {phase for phase in wrong if wrong[phase] != right[phase]}
    assert different == {
        "unsorted": {"", "arm", "int3", "tail", "head"},
        "emulate": {"arm"},
        "missed-core": {"sync1", "sync2", "sync3"},
        "drain": {"drain"},
    }.get(name, set())


def test_what_the_four_that_keep_the_order_break(lab: Lab) -> None:
    unsorted = broken_plan(lab, "unsorted", FUNCTION, SECOND)
    first, second = unsorted.changes
    assert first.address > second.address
    missed = broken_plan(lab, "missed-core")
    assert [step.cores for step in missed.steps if isinstance(step, Ipi)] == [0b0111] * 3
    acknowledged = [s for s in missed.steps if isinstance(s, Wait) and s.condition != "drained"]
    assert [len(step.words) for step in acknowledged] == [3] * 3
    drained = broken_plan(lab, "drain")
    assert not [s for s in drained.steps if isinstance(s, Wait) and s.condition == "drained"]
    (poke,) = breaks.arrange((redirected(lab)[0].poke_in(),), "emulate")
    assert poke.emulate == NOP5
    assert emulation(poke.emulate) != emulation(poke.new)


def test_a_break_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(TextpokeError, match="no break 'sync4': there are arm, int3, sync1"):
        breaks.check("sync4")
    for name in breaks.BREAKS:
        breaks.check(name)
    assert set(breaks.EXPLANATIONS) == set(breaks.BREAKS) == set(ORDERS)


SAFE_CELLS = [
    (name, model, function)
    for name in breaks.BREAKS
    for model in MODELS
    for function in (FUNCTION, SECOND)
    if expected(Case(name, model, straddles=function == SECOND)) is Outcome.SAFE
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "model", "function"), SAFE_CELLS)
def test_where_the_matrix_says_safe_nothing_goes_wrong(
    name: str, model: str, function: str, figures: Figures
) -> None:
    lab = loaded(model, seed=31)
    redirects = redirected(lab, function)
    in_and_out(lab, plans(lab, redirects, name), 200, between=1_000)
    lab.drain()
    verdict = lab.verdict()
    bad = verdict.torn, verdict.harmful, verdict.unhandled, verdict.lost
    assert lab.machine.alive
    assert lab.patcher.requests == 400
    assert bad == (0, 0, 0, 0), verdict
    assert verdict.status == 0
    figures(
        "breaks that are safe, 200 times in and out", f"{name} {model}",
        int3=verdict.int3, stale=verdict.stale, status=verdict.status,
    )  # fmt: skip
