"""Labs for tests: the toy kernel under load, functions redirected, patched in and out."""

from collections.abc import Callable, Sequence

from emu.lab import Lab, boot
from emu.lab.scenario import FUNCTION, REPLACEMENT, SECOND
from emu.machine import events, loop
from emu.machine.text import MODELS
from emu.moves.chooser import EVERYBODY, Chooser, random
from emu.moves.plan import PHASES, Ipi, Phase, Plan
from emu.patch.redirect import Redirect

__all__ = ["FUNCTION", "MODELS", "REPLACEMENT", "SECOND"]

BOUND = 5_000_000  # instructions in which a plan is carried out, or never

STOPS = tuple(
    phase
    for phase in PHASES
    for _ in range(2 if phase.startswith("sync") else 1)  # sent, and answered
)
"""Where a player stops that goes from phase to phase."""

_PATIENCE = 20_000  # instructions of the others that the patcher waits for a slow core
_ALONE = 20_000  # instructions that it then makes alone
_BREAKPOINT = 3


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
        for plan in both:
            lab.carry_out(plan, instructions=BOUND)
            if not (lab.patcher.done and lab.machine.alive):
                return
            lab.run(instructions=between)


def each_step(lab: Lab, plan: Plan, look: Callable[[], None]) -> None:
    """Carry out a plan and call `look` after every step of the patcher."""
    steps = -1

    def stop() -> bool:
        nonlocal steps
        now = len(plan.steps) if lab.patcher.done else lab.patcher.index
        if now != steps:
            steps = now
            look()
        return lab.patcher.done

    lab.request(plan)
    lab.run(instructions=BOUND, stop=stop)
    assert lab.patcher.done, "the patcher waits for ever"


def with_a_slow_core(lab: Lab, plan: Plan, seed: int, phase: str, *, at_int3: bool) -> None:
    """Carry out a plan while the highest core stands still for some time.

    It stops at the beginning of a phase, or at its first int3 after that. When it is about to be
    interrupted, the patcher is done or nothing goes on without it, it moves, for a while alone.
    """
    slow, quantum = lab.machine.cores - 1, lab.chooser.quantum
    begin = plan.steps.index(Phase(phase)) if Phase(phase) in plan.steps else 0
    everybody, alone = lab.chooser, only(seed, slow, quantum=quantum)
    others = only(seed, *(core for core in range(lab.machine.cores + 1) if core != slow))
    others.quantum = others.native[1] = quantum
    index, since = -1, 0

    def begun() -> bool:
        return lab.patcher.done or lab.patcher.index > begin

    def awaited() -> bool:
        nonlocal index, since
        if lab.patcher.plan is None:
            return True
        step = lab.patcher.plan.steps[lab.patcher.index]
        if lab.patcher.index != index:
            index, since = lab.patcher.index, lab.machine.retired()
        told = isinstance(step, Ipi) and step.cores >> slow & 1
        return bool(told) or lab.machine.retired() - since > _PATIENCE

    lab.request(plan)
    lab.run(instructions=BOUND, stop=begun)
    while at_int3 and not lab.patcher.done and lab.machine.alive:
        seen = len(lab.machine.events)
        if lab.machine.drive(lab.chooser, moves=1) == loop.PATCHER:
            lab.patcher.step()
        new = (lab.machine.events[n] for n in range(seen, len(lab.machine.events)))
        if any((e.kind, e.a, e.core) == (events.TRAP, _BREAKPOINT, slow) for e in new):
            break
    for chooser, most, stop in ((others, BOUND, awaited), (alone, _ALONE, None)):
        lab.choose(chooser)
        lab.run(instructions=most, stop=stop)
    lab.choose(everybody)
    lab.run(instructions=BOUND, stop=lambda: lab.patcher.done)


def only(seed: int, *actors: int, quantum: int = 100) -> Chooser:
    """Return a chooser that lets only these actors move; the patcher is behind the cores."""
    chooser = random(seed, quantum)
    chooser.actors = chooser.native[3] = sum(1 << actor for actor in actors) & EVERYBODY
    return chooser
