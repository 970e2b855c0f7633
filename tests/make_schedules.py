"""Make resources/schedules: for every break and fetch model, a run that shows what it does.

    python -m tests.make_schedules [BREAK ...]

To be run after toy.elf has changed, for a schedule belongs to one image. Seeds are tried in
order until the verdict is the one that the necessity matrix gives (docs/breaks.md). A missed
core needs more than luck: it is held while it stands between its int3 and the handler's look at
the descriptor.
"""

import sys
from pathlib import Path

from emu.cli.show import REPLACEMENT, functions
from emu.detect.verdict import LOST_OR_LATE, SAFE, TORN, UNHANDLED, Verdict
from emu.lab import Lab, boot
from emu.machine import events, loop
from emu.machine.text import MODELS
from emu.moves.chooser import EVERYBODY, random
from emu.patch.breaks import BREAKS

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "schedules"
SEEDS = range(1, 2000)
CORES = 4

ALWAYS = {
    "arm": UNHANDLED,
    "int3": TORN,
    "tail-first": TORN,
    "head-first": TORN,
    "sync3": UNHANDLED,
    "unsorted": UNHANDLED,
    "missed-core": UNHANDLED,
    "emulate": LOST_OR_LATE,
    "drain": SAFE,
}


def expected(broken: str, model: str) -> int:
    """Return what a break comes to under a fetch model; TORN stands for torn, harmful or not."""
    if broken == "sync1":
        return SAFE if model == "coherent" else TORN
    if broken == "sync2":
        return TORN if model in ("observed", "sdm") else SAFE
    return ALWAYS[broken]


def shows(verdict: Verdict, wanted: int) -> bool:
    """Return whether a verdict is what was expected."""
    return verdict.torn > 0 if wanted == TORN else verdict.status == wanted


def attempt(broken: str, model: str, seed: int) -> Lab:
    """Boot the toy kernel, let the tasks run, and patch once with a broken protocol."""
    lab = boot("toy", cores=CORES, append="load", model=model, seed=seed, quantum=40)
    lab.run_until_tasks()
    names = functions(broken, model)
    redirects = [lab.arena.redirect(name, REPLACEMENT[name]) for name in names]
    lab.watch(redirects)
    plan = lab.plan(redirects, inward=True, broken=broken)[0]
    if broken == "missed-core":
        lab.request(plan, inward=True)
        hold_missed_core(lab, seed)
    else:
        lab.carry_out(plan, inward=True)
    lab.run(instructions=5_000)
    lab.drain()
    return lab


def hold_missed_core(lab: Lab, seed: int) -> None:
    """Let everybody move but, from its int3 on, the missed core, until the patcher is done."""
    missed = CORES - 1
    while not lab.patcher.done and lab.machine.alive:
        seen = len(lab.machine.events)
        if lab.machine.drive(lab.chooser, moves=1) == loop.PATCHER:
            lab.patcher.step()
        new = (lab.machine.events[n] for n in range(seen, len(lab.machine.events)))
        if lab.patcher.phase in ("sync2", "tail") and any(
            event.kind == events.TRAP and event.a == 3 and event.core == missed for event in new
        ):
            break
    held = random(seed, 40)
    held.native[3] = held.actors = EVERYBODY & ~(1 << missed)
    everybody = random(seed + 1, 40)
    lab.choose(held)
    lab.run(instructions=100_000, stop=lambda: lab.patcher.done)
    lab.choose(everybody)


def main(names: list[str]) -> None:
    """Make the schedules of these breaks, or of all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for broken in names or BREAKS:
        for model in MODELS:
            wanted = expected(broken, model)
            for seed in SEEDS:
                lab = attempt(broken, model, seed)
                if shows(lab.verdict(), wanted):
                    break
            else:
                sys.exit(f"{broken} {model}: no seed shows status {wanted}")
            lab.schedule().write(FOLDER / f"{broken}-{model}.json")
            print(f"{broken:12} {model:10} seed {seed:4}: {lab.verdict().name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
