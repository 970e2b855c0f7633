"""Choosers: who picks the next move.

RoundRobin gives every actor a turn in order, cores up to `quantum` instructions each; Random
picks actors, lengths and fetch versions by SplitMix64 from a seed. Both run natively in the
machine's loop; here are only their numbers. A Script is a table of moves (`moves.move.ROW`).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

ROUND_ROBIN, RANDOM = 0, 1
EVERYBODY = (1 << 16) - 1


@dataclass
class Chooser:
    """A native chooser in the middle of its work.

    name, seed, quantum: how it was made. made: the moves it has made so far.
    actors: bit mask of the actors it may pick; core n is bit n, the patcher the bit above them.
    faults: about one move in this many is a Fault, where one is possible; 0: none.
    waits: time passes while all the actors that it may pick sleep, though others are awake.
    native: int64 [kind, quantum, last actor, actors, faults, waits].
    random: uint64 [SplitMix64 state].
    """

    name: str
    seed: int
    quantum: int
    actors: int = EVERYBODY
    made: int = 0
    faults: int = 0
    waits: bool = False
    native: NDArray[np.int64] = field(init=False)
    random: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        kind = RANDOM if self.name == "random" else ROUND_ROBIN
        words = [kind, self.quantum, -1, self.actors, self.faults, self.waits]
        self.native = np.array(words, np.int64)
        self.random = np.array([self.seed & (1 << 64) - 1], np.uint64)

    def copy(self) -> "Chooser":
        """Return a chooser that makes the same picks from here on."""
        other = replace(self)
        other.native[:], other.random[:] = self.native, self.random
        return other


def round_robin(quantum: int = 1000) -> Chooser:
    """Return a chooser that gives each actor its turn; cores `quantum` instructions."""
    return Chooser("round-robin", 0, quantum)


def random(seed: int, quantum: int = 100, faults: int = 0) -> Chooser:
    """Return a chooser that picks everything at random; Runs of 1 to `quantum` instructions.

    faults: about one move in this many is a Fault, where one is possible; 0: none.
    """
    return Chooser("random", seed, quantum, faults=faults)


def continued(chooser: Chooser, *, quantum: int, actors: int, waits: bool = False) -> Chooser:
    """Return a chooser that goes on where another stands, with other Runs or among others.

    Both have numbers of their own from here on.
    """
    other = replace(chooser, quantum=quantum, actors=actors, made=0, waits=waits)
    other.native[2] = chooser.native[2]
    other.random[:] = chooser.random
    return other
