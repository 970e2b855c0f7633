"""Labs for tests: the toy kernel under load, functions redirected, patched in and out."""

from collections.abc import Callable, Sequence

from emu.cli.show import FUNCTION, REPLACEMENT, SECOND
from emu.lab import Lab, boot
from emu.machine.text import MODELS
from emu.moves.chooser import EVERYBODY, Chooser, random
from emu.moves.plan import Plan
from emu.patch.redirect import Redirect

__all__ = ["FUNCTION", "MODELS", "REPLACEMENT", "SECOND"]

BOUND = 5_000_000  # instructions in which a plan is carried out, or never


def loaded(model: str = "sdm", seed: int | None = 1, *, cores: int = 4) -> Lab:
    """Return a lab whose cores all run tasks, which work for ever."""
    lab = boot("toy", cores=cores, append="load", model=model, seed=seed)
    lab.run_until_tasks()
    return lab


def redirected(lab: Lab, *functions: str) -> list[Redirect]:
    """Return redirects of functions of a lab, which detectors watch from now on."""
    found = [lab.arena.redirect(name, REPLACEMENT[name]) for name in functions or (FUNCTION,)]
    lab.watch(found)
    return found


def plans(lab: Lab, redirects: Sequence[Redirect], broken: str | None = None) -> tuple[Plan, Plan]:
    """Return the plans (in, out) of redirects that fit into one batch."""
    (inward,) = lab.plan(redirects, inward=True, broken=broken)
    (outward,) = lab.plan(redirects, inward=False)
    return inward, outward


def in_and_out(lab: Lab, both: tuple[Plan, Plan], times: int, between: int = 2_000) -> None:
    """Patch in and out so many times; ends early where the machine does."""
    for _ in range(times):
        for inward, plan in zip((True, False), both, strict=True):
            lab.carry_out(plan, inward=inward, instructions=BOUND)
            if not (lab.patcher.done and lab.machine.alive):
                return
            lab.run(instructions=between)


def each_step(lab: Lab, plan: Plan, look: Callable[[], None], *, inward: bool = True) -> None:
    """Carry out a plan and call `look` after every step of the patcher."""
    steps = -1

    def stop() -> bool:
        nonlocal steps
        now = len(plan.steps) if lab.patcher.done else lab.patcher.index
        if now != steps:
            steps = now
            look()
        return lab.patcher.done

    lab.request(plan, inward=inward)
    lab.run(instructions=BOUND, stop=stop)
    assert lab.patcher.done, "the patcher waits for ever"


def only(seed: int, *actors: int, quantum: int = 100) -> Chooser:
    """Return a chooser that lets only these actors move; the patcher is behind the cores."""
    chooser = random(seed, quantum)
    chooser.actors = chooser.native[3] = sum(1 << actor for actor in actors) & EVERYBODY
    return chooser
