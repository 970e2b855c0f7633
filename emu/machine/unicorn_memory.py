"""Memory hooks, and the translator that must not see them.

As soon as there is a memory hook anywhere, Unicorn's translator sends every load and store through
the slow path (`tcg_uc_has_hookmem`), which halves the speed twice. So the hooks are out of sight
while it translates. `uc_struct.memory_mapping`, which every slow access asks where it goes and
every translated byte where it comes from, is ours, and hides or shows them. Blocks limited to one
instruction are translated with the hooks in sight: all their accesses can be watched.

It is also where pages are seen that the guest may store to (`dirty`); `CPUClass.tlb_fill` is ours
too, to know the loads among the slow accesses and to see what the page walker changes.

A store that crosses into another page is reported with the physical address of its first byte
only, and then made byte by byte. Its second frame is learned from the first of these bytes that
begins a page; a hook on all of memory, open only where a store may cross, tells the value.

Sources: Unicorn 2.1.4: qemu/accel/tcg/cputlb.c (load_helper, store_helper, notdirty_write),
qemu/tcg/tcg-op.c.
"""

import numpy as np

from emu.machine.dirty import mark, walk_ahead
from emu.machine.native import (
    jit,
    load32,
    load64,
    store64,
)
from emu.machine.state import (
    LINE_GUARDED,
    M_CROSSING,
    M_CROSSING_HOOK,
    M_ENV,
    M_LOADS,
    M_RAM_REGION,
    M_RAM_SIZE,
    M_READ_HOOKS,
    M_TEXT_HOOK,
    M_UC,
    M_WATCH_HOOK,
    M_WRITE_HOOKS,
    State,
)
from emu.machine.unicorn_layout import (
    BLOCK_HOOKS,
    CFLAGS_COUNT,
    HOOK_BEGIN,
    HOOK_USER_DATA,
    LIST_ITEM_DATA,
    READ_HOOKS,
    TCG_CFLAGS,
    TCG_CPU,
    TLB,
    TLB_CODE,
    TLB_ENTRY_SHIFT,
    TLB_FRAME,
    TLB_MODE_SIZE,
    TLB_WRITE,
    UC_SIZE_OF_PARTS,
    UC_TCG_CONTEXT,
    WRITE_HOOKS,
)
from emu.machine.unicorn_library import (
    find_memory_mapping,
    x86_cpu_tlb_fill,
)

_LONGEST_STORE = 8  # bytes; the engine splits longer ones
_NO_PAGE = -2  # for an address in the TLB
_LOAD, _STORE, _FETCH = 0, 1, 2  # MMUAccessType


@jit
def not_translating(s: State) -> None:
    """Note that no block is being translated, after a fault may have ended that."""
    store64(load64(s.m[M_UC] + UC_TCG_CONTEXT) + TCG_CPU, 0)


@jit
def find_ram(s: State) -> None:
    """Note which MemoryRegion of the engine is the RAM, for `region_at`."""
    s.m[M_RAM_REGION] = find_memory_mapping(s.m[M_UC], 0)


@jit
def region_at(s: State, address: int) -> int:
    """Return the MemoryRegion at a physical address, for `uc_struct.memory_mapping`."""
    translator = load64(s.m[M_UC] + UC_TCG_CONTEXT)
    translating = load64(translator + TCG_CPU)
    if translating and load32(translator + TCG_CFLAGS) & CFLAGS_COUNT != 1:
        _hide_memory_hooks(s)
    else:
        show_memory_hooks(s)
        may_cross = address & 0xFFF > 0x1000 - _LONGEST_STORE
        # begin > end: a hook on all of memory; both 0: on its first byte
        store64(s.m[M_CROSSING_HOOK] + HOOK_BEGIN, np.int64(may_cross))
        guarded = 0 <= address < s.m[M_RAM_SIZE] and s.lines[address >> 6] & LINE_GUARDED != 0
        store64(s.m[M_TEXT_HOOK] + HOOK_BEGIN, np.int64(guarded))
        if s.m[M_LOADS]:
            s.m[M_LOADS] = 0
        elif not translating and 0 <= address < s.m[M_RAM_SIZE]:
            mark(s, address, 1)
    if 0 <= address < s.m[M_RAM_SIZE]:
        return s.m[M_RAM_REGION]
    return find_memory_mapping(s.m[M_UC], address)


@jit
def fill_tlb(
    s: State, cpu: int, virtual: int, size: int, access: int, mmu: int, probe: int, caller: int
) -> bool:
    """Translate an address for the TLB, for `CPUClass.tlb_fill`; may not return, with a fault.

    A fill for a load is followed at once by the load's question to `region_at`: on x86 nobody
    else asks for one (cputlb.c: load_helper).
    """
    walk_ahead(s, virtual, access == _STORE)
    filled = x86_cpu_tlb_fill(
        cpu, virtual, np.int32(size), np.int32(access), np.int32(mmu), np.int32(probe), caller
    )
    s.m[M_LOADS] = access == _LOAD
    if filled & 0xFF and access != _FETCH:
        _mind_stores(s, virtual, mmu)
    return filled & 0xFF != 0


@jit
def _mind_stores(s: State, virtual: int, mmu: int) -> None:
    """Have all stores to a guarded page reported, and those to another one settled by the TLB.

    The engine goes by the mapping instead: through one without execute rights, which has -1 for
    fetches in its entry, it reports the first store and lets the TLB settle the others, as if no
    other mapping could have the page executed; through one with them, it reports all, code or not.
    So a guarded page gets another number that is no page, and others have to be asked for again
    when they are fetched from.
    """
    tlb = s.m[M_ENV] + TLB + mmu * TLB_MODE_SIZE
    entry = load64(tlb + 8) + (virtual >> 12 - TLB_ENTRY_SHIFT & load64(tlb))
    frame = load64(entry + TLB_FRAME)
    if load64(entry + TLB_WRITE) == -1 or not 0 <= frame < s.m[M_RAM_SIZE]:
        return
    if not s.lines[frame >> 6] & LINE_GUARDED:
        store64(entry + TLB_CODE, -1)
    elif load64(entry + TLB_CODE) == -1:
        store64(entry + TLB_CODE, _NO_PAGE)


@jit
def watch_accesses(s: State, on: int) -> None:
    """Have every load and store of blocks of one instruction reported, or none."""
    store64(s.m[M_WATCH_HOOK] + HOOK_BEGIN, on)


@jit
def begins_second_page(s: State, address: int) -> bool:
    """Return whether an access is the first byte of a store's part in its second page."""
    in_parts = load32(s.m[M_UC] + UC_SIZE_OF_PARTS)
    if not in_parts:
        s.m[M_CROSSING] = 0
    return in_parts and s.m[M_CROSSING] and address & 0xFFF == 0


@jit
def _hide_memory_hooks(s: State) -> None:
    uc = s.m[M_UC]
    reads, writes = load64(uc + READ_HOOKS), load64(uc + WRITE_HOOKS)
    if reads:
        s.m[M_READ_HOOKS] = reads
        store64(uc + READ_HOOKS, 0)
    if writes:
        s.m[M_WRITE_HOOKS] = writes
        store64(uc + WRITE_HOOKS, 0)


@jit
def show_memory_hooks(s: State) -> None:
    """Put hidden lists of memory hooks back: the guest runs, or nobody does."""
    uc = s.m[M_UC]
    if s.m[M_READ_HOOKS]:
        store64(uc + READ_HOOKS, s.m[M_READ_HOOKS])
        s.m[M_READ_HOOKS] = 0
    if s.m[M_WRITE_HOOKS]:
        store64(uc + WRITE_HOOKS, s.m[M_WRITE_HOOKS])
        s.m[M_WRITE_HOOKS] = 0


@jit
def data_of_hooks(engine: int) -> int:
    """Return the pointer that every hook is given, for a callback that is not given it."""
    item = load64(engine + BLOCK_HOOKS)
    return load64(load64(item + LIST_ITEM_DATA) + HOOK_USER_DATA)
