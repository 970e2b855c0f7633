"""What a narrator tells is true of every moment, of broken protocols and of the past, too."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from emu.detect.detectors import Detectors
from emu.guest.int3_handler import Act, Table
from emu.lab import Lab, boot
from emu.moves.chooser import random
from emu.moves.fault import DelayIpi
from emu.moves.plan import Plan, Wait
from emu.patch.breaks import BREAKS
from emu.patch.text_poke import NOP5
from emu.scene import fetchable, narrator, saying, telling
from emu.scene.fetchable import Versions
from emu.scene.look import Look as Looked
from emu.scene.narrator import LISTING, PATH, TASKS, Narrator
from emu.scene.outline import Outline
from emu.scene.saying import Told
from emu.scene.scene import Scene
from emu.timeline.mark import Mark
from tests.labs import FUNCTION, MODELS, REPLACEMENT, SECOND, loaded, redirected
from tests.scene.truths import Run, check

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


def test_every_sentence_of_rare_moments_is_true() -> None:
    told = set[str]()

    def look(run: Run, scene: Scene) -> None:
        check(run, scene, told)

    lab = boot("toy", cores=4, append="load int3=6.1", model="sdm", seed=3)
    lab.run_until_tasks()
    one, other = (lab.arena.redirect(SECOND, REPLACEMENT[SECOND]) for _ in range(2))
    run, narrator = Run(lab, [one]), Narrator(lab.image, Detectors(lab.guest, ()), lambda: ())
    look(run, narrator.scene(lab.guest, lab.patcher, needs=PARTS))
    # an int3 that has gone before the handler looks, in Linux 6.1
    lab.watch([one, other])
    run, narrator = Run(lab, [one, other]), narrator_of(lab)
    for seed in range(30):
        broken = "sync3" if lab.patcher.requests % 2 == 0 else None
        (plan,) = lab.plan([one], inward=broken is not None, broken=broken)
        walk(run, narrator, plan, seed, look)
        if broken is None and any("begins the instruction anew" in each for each in told):
            break
    # a handler that skips a call that becomes another
    (plan,) = lab.plan([one], inward=True)
    lab.carry_out(plan)
    pairs = [(one, other), (other, one)]
    for seed in range(30):
        (plan,) = lab.plan_retarget([pairs[seed % 2]], broken="emulate")
        walk(run, narrator, plan, seed, look)
        if any("a path that is neither" in each for each in told):
            break
    run.keep_promises()
    missing = {"anew, without the int3", "neither the old one nor", "which is neither the old",
               "Nothing is being patched"}  # fmt: skip
    assert not {each for each in missing if not any(each in pattern for pattern in told)}


def test_a_kernel_that_boots_is_looked_at_from_later() -> None:
    lab = boot("toy", cores=4, append="load", model="sdm", seed=3)
    timeline, marks, run = lab.keep_timeline(), list[Mark](), [1, 10_000, 60_000, 100_000, 20_000]
    for instructions in run:
        marks.append(timeline.edge)
        lab.run(instructions=instructions)
    lab.run_until_tasks()
    redirected(lab)
    narrator = narrator_of(lab)
    for mark in marks:
        moment = timeline.at(mark)
        assert not moment.guest.all_run_tasks()
        scene = narrator.scene(moment.guest, moment.patcher, needs=PARTS)
        assert "The kernel boots" in scene.sentence
    assert "is as it was" in narrator.scene(lab.guest, lab.patcher).sentence


def test_an_interrupt_that_is_held_back_is_told() -> None:
    lab = loaded("sdm", 5)
    run = Run(lab, redirected(lab))
    narrator = narrator_of(lab)
    (plan,) = lab.plan(run.redirects, inward=True)
    lab.request(plan)
    lab.run(stop=lambda: isinstance(plan.steps[lab.patcher.index], Wait))
    vector = lab.guest.read(lab.image.symbols["sync_core_vector"].address, 1)[0]
    lab.machine.make(DelayIpi(2, vector, 5_000))
    scene = narrator.scene(lab.guest, lab.patcher)
    check(run, scene)
    assert "the interrupt for core 2 is held back" in scene.reason


@pytest.mark.parametrize("broken", [None, "sync1"])
def test_a_scene_of_the_past_is_the_scene_that_was(broken: str | None) -> None:
    lab = loaded("sdm", 11)
    timeline, run = lab.keep_timeline(), Run(lab, redirected(lab))
    narrator, seen = narrator_of(lab), dict[Mark, Scene]()  # of one mark the last

    def look(run: Run, _scene: Scene) -> None:
        scene = narrator.scene(run.lab.guest, run.lab.patcher, needs=PARTS)
        seen[timeline.edge] = scene

    for inward in (True, False):
        if lab.machine.alive and lab.patcher.done:
            (plan,) = lab.plan(run.redirects, inward=inward, broken=broken)
            walk(run, narrator, plan, 11, look)
    for mark in Random(1).sample(list(seen), 50):  # noqa: S311 -- a test is no secret
        moment = timeline.at(mark)
        assert narrator.scene(moment.guest, moment.patcher, needs=PARTS) == seen[mark]
    assert any(scene.failure for scene in seen.values()) == (broken is not None)


def later(scene: Callable[..., Scene]) -> Callable[..., Scene]:
    """Let a narrator tell of each moment what was so at the one before."""
    before: list[Scene] = []

    def told(*arguments: Any, **named: Any) -> Scene:
        now = scene(*arguments, **named)
        before.append(now)
        old = before[-2] if len(before) > 1 else now
        return replace(now, sentence=old.sentence, reason=old.reason, actor=old.actor)

    return told


def first_of_all(_table: Table, _site: int) -> Act:
    return Act(0xE8, 0)


def next_core(event: Callable[[Looked], Told | None]) -> Callable[[Looked], Told | None]:
    """Let the story of a core be told of another."""

    def told(look: Looked) -> Told | None:
        found = event(look)
        if found is None or found.actor is None:
            return found
        other = (found.actor + 1) % 4
        return replace(
            found, actor=other, sentence=found.sentence.replace(str(found.actor), str(other))
        )

    return told


MUTANTS: dict[str, tuple[object, str, Callable[[Any], Any]]] = {
    "one step late": (Narrator, "scene", later),
    "another core": (telling, "_event", next_core),
    "the interrupt is always on its way": (saying, "_why", lambda _: lambda *_: "coming"),
    "nobody waits": (Looked, "missing", lambda _: ()),
    "everybody waits": (saying, "cores_", lambda _: lambda *_, **__: "cores 0, 1, 2 and 3"),
    "a phase behind": (Outline, "begun", lambda begun: lambda *a: max(begun(*a) - 1, 1)),
    "all that ever was": (Versions, "_floor", lambda _: lambda *_: 0),
    "only what is in memory": (Versions, "_at", lambda _: lambda _s, _a, _t, newest: newest),
    "bytes in any order": (fetchable, "_in_order", lambda _: fetchable._by_byte),
    "the list is never searched": (Table, "find", lambda _: first_of_all),
    "acted out at once": (telling, "_acted", lambda _: lambda *_: True),
    "old is new": (telling, "target", lambda target: lambda site, _: target(site, NOP5)),
    "the next failure": (narrator, "worst", lambda _: lambda found: [*found, None][-1]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_narrator_that_errs_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, make = MUTANTS[name]
    monkeypatch.setattr(owner, attribute, make(getattr(owner, attribute)))
    with pytest.raises(AssertionError):
        walks_of_mutants()


def walks_of_mutants() -> None:
    """Walk through what lets mutants show."""
    all_told("intel2010", range(1, 3), None, SECOND)
    all_told("sdm", range(1, 2), "missed-core", SECOND)
    all_told("intel2010", range(1, 2), "sync2", SECOND)
    all_told("sdm", range(1, 3), "sync2", SECOND)
