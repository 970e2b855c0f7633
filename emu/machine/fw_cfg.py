"""fw_cfg, the interface by which QEMU tells a guest about its machine.

A guest writes an item's key to the selector port and reads its bytes, one by one, from the data
port. Beyond the end of an item, and where there is no item, it reads zeros. What the items are is
in the table `fwcfg`, which never changes (`fw_cfg_items` makes it); the state is the key and how
far the guest has read. Not modelled: DMA, which the item ID denies. Writes, which QEMU has ended
too. Source: QEMU docs/specs/fw_cfg.rst.
"""

from emu.machine.native import jit
from emu.machine.state import M_FWCFG_AT, M_FWCFG_KEY, State

PORT = 0x510

_WRITE_CHANNEL = 0x4000  # a bit of the key that QEMU ignores


@jit
def select(s: State, key: int) -> None:
    """Select the item of which the following reads take bytes."""
    s.m[M_FWCFG_KEY], s.m[M_FWCFG_AT] = key & 0xFFFF & ~_WRITE_CHANNEL, 0


@jit
def read_byte(s: State) -> int:
    """Return the next byte of the selected item; beyond its end, zeros."""
    at = s.m[M_FWCFG_AT]
    s.m[M_FWCFG_AT] += 1
    for item in range(_word(s, 0)):
        row = 2 + 6 * item
        if _word(s, row) == s.m[M_FWCFG_KEY]:
            place = _word(s, row + 2) + at
            return int(s.fwcfg[place]) if place < _word(s, row + 4) else 0
    return 0


@jit
def _word(s: State, at: int) -> int:
    return int(s.fwcfg[at]) | int(s.fwcfg[at + 1]) << 8
