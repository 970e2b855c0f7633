"""What a narrator tells is true of every moment, of broken protocols and of the past, too."""

from collections.abc import Callable
from random import Random

import pytest

from emu.lab import Lab
from emu.moves.chooser import random
from emu.moves.plan import Plan
from emu.patch.breaks import BREAKS
from emu.scene.narrator import LISTING, PATH, TASKS, Narrator
from emu.scene.scene import Scene
from tests.labs import FUNCTION, MODELS, SECOND, loaded, redirected
from tests.scene.truths import Run, check

SEEDS = range(20)
PARTS = frozenset({TASKS, LISTING, PATH})
BOUND = 60_000  # instructions of a walk through one plan

Look = Callable[[Run, Scene], None]


def narrator_of(lab: Lab) -> Narrator:
    assert lab.detectors is not None
    return Narrator(lab.image, lab.detectors, lambda: lab.placed)


def walk(run: Run, narrator: Narrator, plan: Plan, seed: int, look: Look) -> None:
    """Carry out a plan, and look after every step of the patcher and at instants between."""
    lab, instants = run.lab, Random(seed)  # noqa: S311 -- a test is no secret
    lab.choose(random(seed, 100))
    look(run, narrator.scene(lab.guest, lab.patcher))
    lab.request(plan)
    begin, behind = lab.machine.retired(), 5
    while lab.machine.alive and behind and lab.machine.retired() - begin < BOUND:
        look(run, narrator.scene(lab.guest, lab.patcher))
        lab.run(instructions=instants.randrange(1, 500), stop=lambda: True)
        behind -= lab.patcher.done
    look(run, narrator.scene(lab.guest, lab.patcher))


def all_told(model: str, seeds: range, broken: str | None, *functions: str) -> set[str]:
    """Walk in and out with each seed; returns the patterns of what was told."""
    lab = loaded(model, seeds[0])
    run, told = Run(lab, redirected(lab, *functions)), set[str]()
    narrator = narrator_of(lab)
    for seed in seeds:
        print(f"model {model}, break {broken}, seed {seed}")
        for inward in (True, False):
            if lab.machine.alive and lab.patcher.done:
                why = broken if inward else None
                (plan,) = lab.plan(run.redirects, inward=inward, broken=why)
                walk(run, narrator, plan, seed, lambda run, scene: check(run, scene, told))
    lab.run(instructions=20_000)
    run.keep_promises()
    return told


@pytest.mark.parametrize(
    ("model", "seeds"),
    [
        pytest.param(model, range(at, at + 5), marks=[] if quick else pytest.mark.slow)
        for model in MODELS
        for at in range(0, 20, 5)
        for quick in [model == "sdm" and at == 0]
    ],
)
def test_every_sentence_is_true(model: str, seeds: range) -> None:
    told = all_told(model, seeds, None)
    assert len(told) > 20


@pytest.mark.parametrize("model", [pytest.param(m, marks=pytest.mark.slow) for m in MODELS])
@pytest.mark.parametrize("broken", BREAKS)
def test_every_sentence_is_true_of_broken_protocols(broken: str, model: str) -> None:
    functions = (FUNCTION, SECOND) if broken == "unsorted" else (SECOND,)
    seed = 100 + 7 * list(BREAKS).index(broken) + MODELS.index(model)
    all_told(model, range(seed, seed + 1), broken, *functions)
