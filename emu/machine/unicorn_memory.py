"""Memory hooks, and the translator that must not see them.

As soon as there is a memory hook anywhere, Unicorn's translator sends every load and store through
the slow path (`tcg_uc_has_hookmem`), which halves the speed twice. So the hooks are out of sight
while it translates. `uc_struct.memory_mapping`, which every slow access asks where it goes and
every translated byte where it comes from, is ours, and hides or shows them. It is also where
pages are seen that the guest may store to (`dirty`); `CPUClass.tlb_fill` is ours too, to know
the loads among the slow accesses and to see what the page walker changes.

Sources: Unicorn 2.1.4: qemu/accel/tcg/cputlb.c (load_helper, store_helper, notdirty_write),
qemu/tcg/tcg-op.c.
"""

import numpy as np

from emu.machine.dirty import mark, walk_ahead
from emu.machine.native import (
    jit,
    load64,
    store64,
)
from emu.machine.state import (
    M_LOADS,
    M_RAM_REGION,
    M_RAM_SIZE,
    M_READ_HOOKS,
    M_UC,
    M_WRITE_HOOKS,
    State,
)
from emu.machine.unicorn_layout import (
    BLOCK_HOOKS,
    HOOK_USER_DATA,
    LIST_ITEM_DATA,
    READ_HOOKS,
    TCG_CPU,
    UC_TCG_CONTEXT,
    WRITE_HOOKS,
)
from emu.machine.unicorn_library import (
    find_memory_mapping,
    x86_cpu_tlb_fill,
)

_LOAD, _STORE = 0, 1  # MMUAccessType


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
    if load64(load64(s.m[M_UC] + UC_TCG_CONTEXT) + TCG_CPU):
        _hide_memory_hooks(s)
    else:
        show_memory_hooks(s)
        if s.m[M_LOADS]:
            s.m[M_LOADS] = 0
        elif 0 <= address < s.m[M_RAM_SIZE]:
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
    return filled & 0xFF != 0


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
