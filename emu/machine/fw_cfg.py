"""fw_cfg, the interface by which QEMU tells a guest about its machine; first form.

A guest writes an item's number to the selector port and reads its bytes, one by one, from the
data port. Known items: the signature, the interface's version, the size of RAM, the number of
processors. Source: QEMU docs/specs/fw_cfg.rst.
"""

from emu.machine.native import jit
from emu.machine.state import M_CORES, M_FWCFG_AT, M_FWCFG_KEY, M_RAM_SIZE, State

PORT = 0x510

_SIGNATURE, _ID, _RAM_SIZE, _CPUS, _MAX_CPUS = 0x00, 0x01, 0x03, 0x05, 0x0F
_QEMU = 0x554D4551  # "QEMU", little-endian
_TRADITIONAL = 1  # version bits: the traditional interface, no DMA


@jit
def select(s: State, key: int) -> None:
    """Select the item of which the following reads take bytes."""
    s.m[M_FWCFG_KEY], s.m[M_FWCFG_AT] = key & 0xFFFF, 0


@jit
def read_byte(s: State) -> int:
    """Return the next byte of the selected item; beyond its end, zeros."""
    key, at = s.m[M_FWCFG_KEY], s.m[M_FWCFG_AT]
    s.m[M_FWCFG_AT] += 1
    value = 0
    if key == _SIGNATURE:
        value = _QEMU
    elif key == _ID:
        value = _TRADITIONAL
    elif key == _RAM_SIZE:
        value = s.m[M_RAM_SIZE]
    elif key == _CPUS or key == _MAX_CPUS:
        value = s.m[M_CORES]
    return value >> (8 * at) & 0xFF if at < 8 else 0
