"""Trials of a protocol: a machine put back to where it was, random moves, a verdict.

A Bench boots once for a fetch model and keeps snapshots, from which every trial starts: one with
the sites as they are, and one for each batch with its functions redirected. Redirects and plans
are the same on every machine, so they are made once.
"""

from dataclasses import dataclass
from functools import cache

from emu.lab import Lab, boot
from emu.machine import actors
from emu.machine.snapshot import Snapshot
from emu.moves.chooser import random
from emu.moves.plan import Plan
from emu.patch.redirect import Arena, Redirect
from tests.labs import BOUND, REPLACEMENT, loaded, with_a_slow_core
from tests.necessity import Outcome, Transition, found

CORES = 4
QUANTUM = 40
TURN = 1_000_000  # ns: a tick ends in IRET, so with the usual 100,000 a slow core fetches anew
WARM_UP, AFTER = 20_000, 3_000  # instructions before a trial, and behind the patcher's end
_SLOW = (None, ("int3", True), ("int3", False), ("tail", False), ("head", True), ("head", False))
"""Where one core is slow, and whether from its int3 on; in every other trial as suits the break."""

_SUITS = {
    "sync1": ("int3", False),
    "sync2": ("tail", False),
    "sync3": ("head", True),
    "missed-core": ("int3", True),
}
_STRIDE = 3_001
_LINE, _FAR = 64, 0x250


@dataclass(frozen=True)
class Batch:
    """The functions that are patched at once. name: for people."""

    name: str
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """Two replacements of each function of a batch."""

    one: tuple[Redirect, ...]
    other: tuple[Redirect, ...]


class Bench:
    """A machine with a kernel under load, for trials under one fetch model."""

    def __init__(self, model: str, int3: str) -> None:
        append = f"load int3={int3} tick={TURN}"
        self._lab = boot("toy", cores=CORES, append=append, model=model, seed=1)
        self._lab.run_until_tasks()
        self._lab.run(instructions=WARM_UP)
        self._begin = self._lab.machine.save()
        self._redirected: dict[Batch, Snapshot] = {}

    def trial(
        self, batch: Batch, transition: Transition, broken: str | None, seed: int
    ) -> frozenset[Outcome]:
        """Make a transition once; returns what was found."""
        lab = self._at(self._before(batch, transition), seed)
        sides = _sides(batch)
        lab.watch(sides.one + sides.other)
        lab.run(instructions=1 + seed * _STRIDE % WARM_UP)  # else cores stand where they always do
        for plan in plans(batch, transition, broken):
            self._carry_out(lab, plan, broken, seed)
            if not (lab.patcher.done and lab.machine.alive):
                break
        else:
            lab.run(instructions=AFTER)
            if lab.verdict().status == 0:
                lab.drain()
        outcomes = found(lab.verdict())
        fine = lab.patcher.done and lab.machine.alive
        assert fine or outcomes != {Outcome.SAFE}, f"seed {seed}: the kernel came to nothing"
        return outcomes

    def _carry_out(self, lab: Lab, plan: Plan, broken: str | None, seed: int) -> None:
        """Carry out a plan; by the seed, all cores are as fast or one is slow for a while."""
        turn, way = divmod(seed, 2)
        slow = _SUITS.get(broken or "") if way else _SLOW[turn % len(_SLOW)]
        if slow is None:
            lab.carry_out(plan, instructions=BOUND)
        else:
            with_a_slow_core(lab, plan, seed, slow[0], at_int3=slow[1])

    def _before(self, batch: Batch, transition: Transition) -> Snapshot:
        """Return the machine before a transition: the sites are NOPs, or call `one`."""
        if transition is Transition.IN:
            return self._begin
        if batch not in self._redirected:
            lab = self._at(self._begin, 1)
            lab.patch_in(_sides(batch).one, instructions=BOUND)
            lab.run(instructions=WARM_UP)
            assert lab.patcher.done
            assert lab.verdict().status == 0
            self._redirected[batch] = lab.machine.save()
        return self._redirected[batch]

    def _at(self, snapshot: Snapshot, seed: int) -> Lab:
        machine = self._lab.machine
        machine.restore(snapshot)
        machine.set_patcher(actors.PATCHER_ABSENT)
        return Lab(self._lab.image, machine, random(seed, QUANTUM), from_start=False)


@cache
def _maker() -> Lab:
    """Return a lab to make redirects and plans with."""
    return loaded(seed=None, cores=CORES)


@cache
def _sides(batch: Batch) -> Sides:
    """Return the replacements of a batch; the two calls of a site differ in bytes 1 and 2.

    The other side lies in lines that no core has fetched: it must not itself be text that changes.
    """
    arena = Arena(_maker().guest)
    one = tuple(arena.redirect(name, _source(name, 1)) for name in batch.functions)
    size = one[-1].replacement + _LINE - one[0].trampoline
    arena.redirect(batch.functions[0], f".zero {_FAR - size % 0x100}")
    other = tuple(arena.redirect(name, _source(name, 2)) for name in batch.functions)
    for first, second in zip(one, other, strict=True):
        assert all(first.call[at] != second.call[at] for at in (1, 2))
    return Sides(one, other)


def _source(function: str, side: int) -> str:
    return REPLACEMENT.get(function, f"mov eax, {side}\nret\n")


@cache
def plans(batch: Batch, transition: Transition, broken: str | None = None) -> tuple[Plan, ...]:
    """Return the plans of a transition, one for every 256 sites."""
    sides = _sides(batch)
    if transition is Transition.ANEW:
        pairs = tuple(zip(sides.one, sides.other, strict=True))
        return _maker().plan_retarget(pairs, broken=broken)
    return _maker().plan(sides.one, inward=transition is Transition.IN, broken=broken)
