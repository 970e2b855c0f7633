"""A function that is redirected is redirected elsewhere: call to call, in one batch."""

import pytest

from emu.detect.watch import NEW, OLD
from emu.errors import PokeError
from emu.lab import Lab, boot
from emu.moves.plan import Change, Store
from emu.patch.redirect import Arena, Redirect
from emu.patch.text_poke import NOP5
from emu.scene.scene import Scene
from emu.scene.tour import Tour
from tests.labs import BOUND, FUNCTION, MODELS, REPLACEMENT, SECOND, each_step, loaded

OTHER = "mov eax, 43\nret\n"


def twice(lab: Lab) -> tuple[Redirect, Redirect]:
    """Return two redirects of a function, which detectors watch."""
    arena = Arena(lab.guest)
    both = arena.redirect(FUNCTION, REPLACEMENT[FUNCTION]), arena.redirect(FUNCTION, OTHER)
    lab.watch(both)
    return both


def entered(lab: Lab, since: int) -> set[int]:
    """Return the bodies that cores entered since an event number."""
    found = (lab.machine.events[number] for number in range(since, len(lab.machine.events)))
    return {event.address & (1 << 64) - 1 for event in found if event.kind in (OLD, NEW)}


def there_elsewhere_and_back(lab: Lab) -> None:
    one, other = twice(lab)
    bodies = {other.replacement}, {one.replacement}, {one.site + len(NOP5)}
    plans = (
        lab.plan([one], inward=True),
        lab.plan_retarget([(one, other)]),
        lab.plan_retarget([(other, one)]),
        lab.plan([one], inward=False),
    )
    for (plan,), leads_to in zip(plans, (bodies[1], bodies[0], bodies[1], bodies[2]), strict=True):
        lab.carry_out(plan, instructions=BOUND)
        lab.run(instructions=5_000)  # calls from before arrive
        since = len(lab.machine.events)
        lab.run(instructions=20_000)
        assert entered(lab, since) == leads_to
    lab.drain()


@pytest.mark.parametrize("model", MODELS)
def test_every_call_reaches_the_body_that_is_in_service(model: str) -> None:
    lab = loaded(model, seed=61)
    there_elsewhere_and_back(lab)
    verdict = lab.verdict()
    assert verdict.status == 0, verdict
    assert verdict.calls == verdict.old + verdict.new
    assert min(verdict.old, verdict.new) > 0


def test_a_replay_knows_both_replacements() -> None:
    lab = loaded("sdm", seed=62)
    there_elsewhere_and_back(lab)
    again = boot("toy", cores=4, append="load", model="sdm")
    again.replay(lab.schedule())
    assert again.hash() == lab.hash()
    assert again.verdict() == lab.verdict()


def test_the_plan_checks_for_the_first_call_and_places_the_second_replacement() -> None:
    lab = loaded(cores=1)
    one, other = twice(lab)
    (plan,) = lab.plan_retarget([(one, other)])
    assert plan.name == f"patch {FUNCTION} anew"
    assert plan.changes == (Change(one.site, one.call, other.call),)
    placed = [step.address for step in plan.steps if isinstance(step, Store)]
    assert placed[0] == other.trampoline
    assert one.trampoline not in placed
    with pytest.raises(PokeError, match=f"{FUNCTION} holds 0f 1f 44 00 00, not e8"):
        lab.carry_out(plan, instructions=BOUND)


def test_only_the_same_site_can_be_led_elsewhere() -> None:
    lab = loaded(cores=1)
    arena = Arena(lab.guest)
    one, other = (arena.redirect(name, REPLACEMENT[name]) for name in (FUNCTION, SECOND))
    with pytest.raises(PokeError, match=f"{FUNCTION} cannot become {SECOND}"):
        lab.plan_retarget([(one, other)])


def test_a_plan_names_three_functions_and_counts_the_others() -> None:
    lab = loaded(cores=1)
    arena = Arena(lab.guest)
    made = [arena.redirect(f"leaf_{number:03}", "ret") for number in range(300)]
    names = {plan.name for plan in lab.plan(made, inward=True)}
    assert names == {"patch leaf_000, leaf_001, leaf_002 and 297 more in"}
    assert lab.plan(made[:3], inward=False)[0].name == "patch leaf_000, leaf_001, leaf_002 out"


def test_pictures_show_the_two_calls() -> None:
    lab = loaded(seed=63)
    one, other = twice(lab)
    tour = Tour(lab.guest, lab.patcher, lab.detectors.watched)  # type: ignore[union-attr]
    lab.patch_in([one], instructions=BOUND)
    scenes: list[Scene] = []

    def look() -> None:
        if found := tour.after_step():
            scenes.append(found)

    each_step(lab, lab.plan_retarget([(one, other)])[0], look)
    assert {(site.old, site.new) for found in scenes for site in found.sites} == {
        (one.call, other.call)
    }
    heads = [found.sites[0].memory[0].version.value for found in scenes]
    assert heads == ["both", *["int3"] * 4, *["both"] * 4]
    tails = [found.sites[0].memory[1].version.value for found in scenes]
    assert tails == [*["old"] * 3, *["new"] * 6]


def test_what_it_is_to_skip_a_site_depends_on_what_stood_there() -> None:
    lab = loaded(seed=64)
    one, other = twice(lab)
    tour = Tour(lab.guest, lab.patcher, lab.detectors.watched)  # type: ignore[union-attr]
    said: list[str] = []

    def look() -> None:
        if (found := tour.after_step()) and found.phase == "int3":
            said.append(found.sentence)

    for (plan,) in (
        lab.plan([one], inward=True, broken="emulate"),
        lab.plan_retarget([(one, other)], broken="emulate"),
        lab.plan([other], inward=False, broken="emulate"),
    ):
        each_step(lab, plan, look)
    old, neither, right = said
    assert "skips the site, so a core that fetches it still runs the old body" in old
    assert "skips the site, so a core that fetches it runs the function's own body" in neither
    assert "already behaves as the new code will" in right
