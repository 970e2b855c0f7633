"""Make resources/schedules: for every break and fetch model, a run that shows what it does.

    python -m tests.make_schedules [BREAK ...]

To be run after toy.elf has changed, for a schedule belongs to one image. Seeds are tried in
order until the verdict is the one that the necessity matrix gives (tests/necessity.py). A missed
core needs more than luck: it stands still between its int3 and the handler's look at the
descriptor.
"""

import sys
from pathlib import Path

from emu.lab import Lab, boot
from emu.lab.scenario import REPLACEMENT, SECOND, shown
from emu.machine.text import MODELS
from emu.patch.breaks import BREAKS
from tests.labs import with_a_slow_core
from tests.necessity import Case, Outcome, expected, found, worst

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "schedules"
SEEDS = range(1, 2000)
CORES = 4


def wanted(broken: str, model: str) -> Outcome:
    """Return what the rule says of the run that shows a break, see `scenario.shown`."""
    names = shown(broken, model)
    case = Case(broken, model, straddles=SECOND in names, sites=len(names))
    outcome = expected(case)
    assert outcome
    return outcome


def attempt(broken: str, model: str, seed: int) -> Lab:
    """Boot the toy kernel, let the tasks run, and patch once with a broken protocol."""
    lab = boot("toy", cores=CORES, append="load", model=model, seed=seed, quantum=40)
    lab.run_until_tasks()
    names = shown(broken, model)
    redirects = [lab.arena.redirect(name, REPLACEMENT[name]) for name in names]
    lab.watch(redirects)
    plan = lab.plan(redirects, inward=True, broken=broken)[0]
    if broken == "missed-core":
        with_a_slow_core(lab, plan, seed, "int3", at_int3=True)
    else:
        lab.carry_out(plan)
    lab.run(instructions=5_000)
    lab.drain()
    return lab


def main(names: list[str]) -> None:
    """Make the schedules of these breaks, or of all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for broken in names or BREAKS:
        for model in MODELS:
            for seed in SEEDS:
                lab = attempt(broken, model, seed)
                if worst(found(lab.verdict())) is wanted(broken, model):
                    break
            else:
                sys.exit(
                    f"{broken} {model}: no seed shows that it is {wanted(broken, model).value}"
                )
            lab.schedule().write(FOLDER / f"{broken}-{model}.json")
            print(f"{broken:12} {model:10} seed {seed:4}: {lab.verdict().name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
