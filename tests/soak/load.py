"""The toy kernel's load for as many instructions as you like: is everything still well?

    python -m tests.soak.load --seeds 20 --instructions 1e9

Seed after seed, on 1 to 8 cores under each fetch model, the load runs its turns while a function is
patched in and out. The kernel's own watchdog and its count of what was left behind are believed
when they complain; from outside, `Progress` looks for tasks that nobody wakes, and the detectors
of patching for everything that may go wrong there.
"""

import argparse
import sys
from dataclasses import dataclass

from emu.detect.progress import Progress
from emu.guest.tasks import Task
from emu.lab import End, Lab, boot
from emu.machine.text import MODELS
from emu.moves.plan import Plan
from tests.labs import BOUND, plans, redirected

CORES = (4, 1, 2, 8, 3)
TURN = 55_000  # instructions of one turn of all tasks of a core, about
LOOK = 5_000_000  # instructions between two looks
PATIENCE = 60_000_000  # a task of the load that has not switched for so long is forgotten


@dataclass(frozen=True, slots=True)
class Life:
    """How a kernel's life was. trouble: what went wrong, "" if nothing did."""

    seed: int
    cores: int
    model: str
    instructions: int
    patched: int
    trouble: str

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.cores} cores, {self.model}, {self.instructions:,} "
            f"instructions, patched in and out {self.patched} times: {self.trouble or 'well'}"
        )


def live(
    seed: int, instructions: int, *, mutate: str | None = None, patience: int = PATIENCE
) -> Life:
    """Let the load run its turns; mutate: a function that becomes a bare return."""
    cores, model = CORES[seed % len(CORES)], MODELS[seed % len(MODELS)]
    turns = max(8, instructions // (TURN * cores))
    lab = boot("toy", cores=cores, append=f"load turns={turns}", model=model, seed=seed)
    lab.run_until_tasks()
    if mutate:
        lab.patch_in([lab.arena.redirect(mutate, "ret\n")])
    both = plans(lab, redirected(lab))
    progress = Progress(lab.guest, patience, _may_sleep)
    patched, trouble, end = 0, "", End.BOUND
    while end is End.BOUND and not trouble:
        end = lab.run(instructions=LOOK)
        trouble = ", ".join(map(str, progress.look()))
        if end is End.BOUND and not trouble:
            patched += _in_and_out(lab, both)
    verdict = lab.verdict()
    if not trouble and not (end is End.EXIT and lab.machine.exit_value == 0):
        trouble = f"{lab.why(end)}: {bytes(lab.machine.output).decode().splitlines()[-1:]}"
    if not trouble and verdict.status:
        trouble = verdict.name
    return Life(seed, cores, model, lab.machine.retired(), patched, trouble)


def _in_and_out(lab: Lab, both: tuple[Plan, Plan]) -> int:
    """Patch in and out; returns 1 if it came to its end, 0 if the load ended before."""
    for plan in both:
        lab.carry_out(plan, instructions=BOUND)
        if not lab.patcher.done:
            return 0
    return 1


def _may_sleep(task: Task) -> bool:
    """Workers wait for work; init waits until the load has ended."""
    return task.comm.startswith("kworker") or task.comm == "init"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.load", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--instructions", type=float, default=1e9)
    given = parser.parse_args()
    troubles = 0
    for seed in range(given.first, given.first + given.seeds):
        life = live(seed, int(given.instructions))
        print(life, flush=True)
        troubles += bool(life.trouble)
    print(f"{given.seeds} kernels, {troubles} in trouble")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
