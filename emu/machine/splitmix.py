"""SplitMix64, the generator of every choice at random: small, the same everywhere, and ours.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
"""

import numpy as np

from emu.machine.native import jit
from emu.machine.state import Seeds


@jit
def below(random: Seeds, bound: int) -> int:
    """Return the next number of a generator, in [0, bound). random: its state, one element."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int(np.int64(z >> np.uint64(1)) % bound)
