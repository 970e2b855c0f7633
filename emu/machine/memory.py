"""Guest memory: the walk from virtual to physical addresses, and reading without side effects.

Walks follow the page tables in RAM, not the engine's TLB, and set no accessed or dirty bits:
looking changes nothing. Modes: paging off, 32-bit, PAE and 4-level.
Source: Intel SDM volume 3A, chapter "Paging".
"""

from emu.machine.native import jit, load32, load64
from emu.machine.state import M_RAM, M_RAM_SIZE, State

_PRESENT, _LARGE = 1, 0x80
_ADDRESS = 0x000F_FFFF_FFFF_F000
_PG, _PSE, _PAE = 1 << 31, 1 << 4, 1 << 5
_LMA = 1 << 10


@jit
def _entry(s: State, address: int, size: int) -> int:
    """Return the page-table entry at a physical address; 0 (not present) outside RAM."""
    if address < 0 or address + size > s.m[M_RAM_SIZE]:
        return 0
    at = s.m[M_RAM] + address
    return load64(at) if size == 8 else load32(at)


@jit
def walk(s: State, cr0: int, cr3: int, cr4: int, efer: int, virtual: int) -> int:
    """Return the physical address of a virtual one, or -1 where nothing is mapped."""
    if not cr0 & _PG:
        return virtual & 0xFFFFFFFF
    if not cr4 & _PAE:
        entry = _entry(s, (cr3 & 0xFFFFF000) + (virtual >> 22 & 0x3FF) * 4, 4)
        if entry & _LARGE and cr4 & _PSE and entry & _PRESENT:
            return entry & 0xFFC00000 | virtual & 0x3FFFFF
        if entry & _PRESENT:
            entry = _entry(s, (entry & 0xFFFFF000) + (virtual >> 12 & 0x3FF) * 4, 4)
        return entry & 0xFFFFF000 | virtual & 0xFFF if entry & _PRESENT else -1
    table = cr3 & _ADDRESS
    shift = 39
    if not efer & _LMA:
        entry = _entry(s, (cr3 & 0xFFFFFFE0) + (virtual >> 30 & 3) * 8, 8)
        if not entry & _PRESENT:
            return -1
        table, shift = entry & _ADDRESS, 21
    while True:
        entry = _entry(s, table + (virtual >> shift & 0x1FF) * 8, 8)
        if not entry & _PRESENT:
            return -1
        if shift == 12 or (shift < 39 and entry & _LARGE):
            offset = (1 << shift) - 1
            return entry & _ADDRESS & ~offset | virtual & offset
        table = entry & _ADDRESS
        shift -= 9
