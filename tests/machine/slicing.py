"""The same run cut in different ways."""

import random

from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.machine.guest_builder import runs

Numbers = random.Random

PIECES = (1, 1, 1, 2, 3, 5, 17, 60, 400)


def numbers(seed: int) -> Numbers:
    """Return a generator of the same numbers each time."""
    return random.Random(seed)  # noqa: S311


def make_runs(
    machine: Machine, seed: int, count: int, cut: Numbers | None, longest: int = 300
) -> None:
    """Make `count` Runs of random cores and lengths; with `cut` each in pieces of random sizes."""
    script = numbers(seed)
    for _ in range(count):
        core = script.randrange(machine.cores)
        length = script.choice((1, 2, 7, 30, longest))
        if machine.stands_at_unstable(core):
            machine.fetch(core, [0] * 15)
            continue
        while length:
            piece = length if cut is None else min(length, cut.choice(PIECES))
            done = machine.run(core, piece)
            length -= done
            if done < piece:
                break
        if machine.end is not None:
            return
        if not any(runs(machine, core) for core in range(machine.cores)):
            assert machine.drive(chooser.round_robin(1), moves=1) == loop.DONE
