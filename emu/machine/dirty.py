"""Dirty pages: which 4 KiB pages of RAM may have changed since they were last looked at.

The map is a superset: every page that changed is in it, some that only might have are too.
Guest stores cost nothing extra. After a flush of the TLB the first store to a page cannot be
made by translated code alone: it comes to `unicorn_memory.region_at`, where the page is noted;
later stores go unseen, and need not be seen. So whoever forgets what is dirty has to flush the
TLB, which `clear` does. What does not come that way is noted where it happens: accessed and
dirty bits, which the page walker sets, by walking before it does (`walk_ahead`); our own stores;
lines that are fetched for the first time, as their flags are kept with the page.

Page tables that translations in the TLB came through are noted too, so that one who changes RAM
behind the guest's back knows when the TLB would be wrong.

Sources: Unicorn 2.1.4: qemu/accel/tcg/cputlb.c (store_helper, notdirty_write, tlb_fill),
qemu/target/i386/excp_helper.c (handle_mmu_fault).
"""

from emu.machine.native import jit, load32, load64
from emu.machine.state import M_DIRTY, M_DIRTY_EPOCH, M_ENV, M_RAM, M_RAM_SIZE, State
from emu.machine.unicorn_blocks import flush_tlb
from emu.machine.unicorn_layout import CR0, CR3, CR4, EFER

# flags of a page
WRITTEN = 1  # its bytes, or which of its lines were fetched, may have changed
TABLE = 2  # a translation in the TLB came through it

_PRESENT, _ACCESSED, _DIRTY, _LARGE = 1, 0x20, 0x40, 0x80
_ADDRESS = 0x000F_FFFF_FFFF_F000
_PG, _PSE, _PAE, _LA57 = 1 << 31, 1 << 4, 1 << 5, 1 << 12
_LMA = 1 << 10


@jit
def _note(s: State, page: int, flag: int) -> None:
    flags = s.dirty[page]
    if flags & flag:
        return
    if flags == 0:
        s.dirty_pages[s.m[M_DIRTY]] = page
        s.m[M_DIRTY] += 1
    s.dirty[page] = flags | flag


@jit
def mark(s: State, address: int, size: int) -> None:
    """Note that bytes of RAM at a physical address change."""
    last = address + size - 1 >> 12
    for page in range(address >> 12, last + 1):
        _note(s, page, WRITTEN)


@jit
def clear(s: State) -> None:
    """Forget what is dirty, and with it all address translations.

    Who keeps an account of the pages by the map sees by M_DIRTY_EPOCH whether it missed some.
    """
    for row in range(s.m[M_DIRTY]):
        s.dirty[s.dirty_pages[row]] = 0
    s.m[M_DIRTY] = 0
    s.m[M_DIRTY_EPOCH] += 1
    flush_tlb(s)


@jit
def _table_entry(s: State, address: int, size: int) -> int:
    """Return the entry of a page table, which is noted; 0 (not present) outside RAM."""
    if address < 0 or address + size > s.m[M_RAM_SIZE]:
        return 0
    _note(s, address >> 12, TABLE)
    at = s.m[M_RAM] + address
    return load64(at) if size == 8 else load32(at)


@jit
def walk_ahead(s: State, virtual: int, store: bool) -> None:
    """Note the page tables that the running core's walk for an address reads and changes."""
    env = s.m[M_ENV]
    cr3, cr4 = load64(env + CR3), load64(env + CR4)
    if not load64(env + CR0) & _PG:
        return
    size, bits, shift = 8, 9, 39
    table = cr3 & _ADDRESS
    if not cr4 & _PAE:
        size, bits, shift = 4, 10, 22
        table = cr3 & 0xFFFFF000
    elif not load64(env + EFER) & _LMA:
        entry = _table_entry(s, (cr3 & 0xFFFFFFE0) + (virtual >> 30 & 3) * 8, 8)
        if not entry & _PRESENT:
            return
        table, shift = entry & _ADDRESS, 21
    elif cr4 & _LA57:
        shift = 48
    large = size == 8 or cr4 & _PSE != 0
    while True:
        at = table + (virtual >> shift & (1 << bits) - 1) * size
        entry = _table_entry(s, at, size)
        if not entry & _PRESENT:
            return
        leaf = shift == 12 or (large and shift < 39 and entry & _LARGE != 0)
        if not entry & _ACCESSED or (leaf and store and not entry & _DIRTY):
            mark(s, at, size)
        if leaf:
            return
        table = entry & _ADDRESS if size == 8 else entry & 0xFFFFF000
        shift -= bits
