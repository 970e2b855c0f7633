"""Chosen bytes in the place of true ones, so that the engine translates what a core fetched.

RAM holds them between the choice and the translation only; no load of the guest sees them.
"""

import numpy as np

from emu.machine.native import jit, store8
from emu.machine.state import M_RAM, M_SWAPPED, Bytes, State, Words
from emu.machine.unicorn_blocks import forget


@jit
def put_chosen_bytes(s: State, addresses: Words, code: Bytes, length: int) -> int:
    """Put chosen bytes where they are not the true ones; returns how many, rows of `swap`.

    addresses: physical, -1 where nothing is mapped.
    """
    count = 0
    for index in range(length):
        address = addresses[index]
        if address >= 0 and s.ram[address] != code[index]:
            s.swap[count, 0], s.swap[count, 1] = address, s.ram[address]
            count += 1
    s.m[M_SWAPPED] = count
    for row in range(count):
        address = s.swap[row, 0]
        for index in range(length):
            if addresses[index] == address:
                store8(s.m[M_RAM] + address, np.int64(code[index]))
        forget(s, address, address + 1)
    return count


@jit
def restore_true_bytes(s: State) -> None:
    """Put the true bytes back where a fetch was given chosen ones."""
    for row in range(s.m[M_SWAPPED]):
        store8(s.m[M_RAM] + s.swap[row, 0], s.swap[row, 1])
    s.m[M_SWAPPED] = 0
