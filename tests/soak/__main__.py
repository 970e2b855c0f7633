"""Random with faults for as long as you like: does memory stay flat, does anything go wrong?

Machine after machine boots the toy kernel, lets Random move it with IPIs that are lost, held back
or without effect, and patches a function in and out meanwhile. A lost IPI can leave the patcher or
the kernel waiting for ever: that is no failure, the machine is given up at its bound. What would be
one: an exception, or memory that grows from machine to machine.
"""

import argparse
import gc
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from emu import resources
from emu.image.elf import ElfImage
from emu.lab import Lab
from emu.machine.machine import Machine
from emu.machine.text import MODELS
from emu.moves.chooser import random
from tests.labs import BOUND, plans, redirected

_FAULTS = 3_000  # moves for one fault
_ROUNDS = 40  # of patching in and out, on each machine


def one_machine(image: ElfImage, seed: int) -> tuple[str, int, int]:
    """Return how a machine's life ended, its instructions and its moves."""
    machine = Machine(
        image.boot_image, cores=4, command_line="load", model=MODELS[seed % len(MODELS)]
    )
    lab = Lab(image, machine, random(seed, 100))
    lab.run_until_tasks()
    lab.choose(random(seed, 100, faults=_FAULTS))
    both = plans(lab, redirected(lab))
    end = "all rounds"
    for plan in both * _ROUNDS:
        lab.carry_out(plan, instructions=BOUND)
        if not machine.alive or not lab.patcher.done:
            end = "gave up" if machine.alive else "the guest died"
            break
    return f"{end}, {lab.verdict().name}", machine.retired(), machine.moves


def resident() -> int:
    """Return the memory this process has in RAM now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes")
    image = ElfImage.read(resources.toy())
    ends: Counter[str] = Counter()
    instructions = moves = 0
    start = shown = time.monotonic()
    seed = given.seed
    while (now := time.monotonic()) < start + 60 * given.minutes:
        end, executed, made = one_machine(image, seed)
        ends[end] += 1
        instructions, moves, seed = instructions + executed, moves + made, seed + 1
        gc.collect()
        if now >= shown + 60 or seed == given.seed + 10:
            shown = now
            print(
                f"{(now - start) / 60:5.1f} min: {seed - given.seed} machines, "
                f"{instructions:,} instructions, {moves:,} moves, {resident()} MiB",
                flush=True,
            )
    for end, count in ends.most_common():
        print(f"{count:6} machines: {end}")
    print(f"{resident()} MiB at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
