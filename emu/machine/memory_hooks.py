"""What the engine calls back about memory: stores to text, and accesses that somebody watches.

`hooks` registers these functions.
"""

from typing import Any

import numpy as np
from numba import types
from unicorn import unicorn_const as uc_const

from emu.machine import text
from emu.machine.admitted import instructions_ahead, only_alone
from emu.machine.clock import now
from emu.machine.debug import note_access
from emu.machine.events import TEXT_STORE, emit_at
from emu.machine.image_text import is_image_text
from emu.machine.native import hook, jit, pointer
from emu.machine.state import (
    LINE_FETCHED,
    LINE_GUARDED,
    M_BEHIND,
    M_BLOCK_FRESH,
    M_CROSSING,
    M_CROSSING_VALUE,
    M_CURRENT,
    M_DELIVERING,
    M_RAM_SIZE,
    State,
)
from emu.machine.unicorn_cpu import register
from emu.machine.unicorn_layout import RSP
from emu.machine.unicorn_memory import begins_second_page, data_of_hooks, region_at
from emu.machine.view import state_at

_WRITES = uc_const.UC_MEM_WRITE
_i64, _i32, _ptr = types.int64, types.int32, types.voidptr


@jit
def _note_text_store(s: State, address: int, size: int, value: int) -> None:
    """Make versions of the text that a store within a page is about to change."""
    at, time = address, now(s) - instructions_ahead(s)
    while at < address + size:
        length = min(8 - (at & 7), address + size - at)
        old = np.int64(0)
        for byte in range(length):
            old |= s.ram[at + byte] << (8 * byte)
        new = value >> (8 * (at - address))
        if length < 8:
            new &= (1 << (8 * length)) - 1
        if text.remember(s, s.m[M_CURRENT], at, length, old, new):
            emit_at(s, time, s.m[M_CURRENT], TEXT_STORE, at, old, new, length, register(s, RSP))
        at += length
    s.m[M_BEHIND] = text.is_behind(s, s.m[M_CURRENT])


@hook(_i64(_i64, _i64))
def on_slow_access(engine: int, address: int) -> int:
    """A load or store that the TLB alone does not settle, or the translator reading code.

    Not a hook: it stands in for `uc_struct.memory_mapping`, and returns the MemoryRegion.
    """
    s = state_at(pointer(data_of_hooks(engine)))
    if s.m[M_CROSSING] and begins_second_page(s, address):
        length = s.m[M_CROSSING]
        s.m[M_CROSSING] = 0
        if address < s.m[M_RAM_SIZE] and s.lines[address >> 6] & LINE_GUARDED:
            _note_text_store(s, address, length, s.m[M_CROSSING_VALUE])
    return int(region_at(s, address))


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_crossing_store(
    engine: int, access: int, address: int, size: int, value: int, data: Any
) -> None:
    """A store near the end of any page, before it happens: it may cross into another one.

    What it then stores there, and where, is seen only when it cannot be retried any more.
    """
    s = state_at(data)
    length = (address & 0xFFF) + size - 4096
    if length > 0:
        only_alone(s)
        s.m[M_CROSSING], s.m[M_CROSSING_VALUE] = length, value >> 8 * (size - length)


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_watched_access(
    engine: int, access: int, address: int, size: int, value: int, data: Any
) -> None:
    """A load or store of a core that has breakpoints on data, before it happens."""
    s = state_at(data)
    if not s.m[M_DELIVERING]:
        note_access(s, address, np.int64(size), access == _WRITES)


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_text_store(engine: int, access: int, address: int, size: int, value: int, data: Any) -> None:
    """A store to a guarded page, before it happens."""
    s = state_at(data)
    size = min(size, 4096 - (address & 0xFFF))  # `on_slow_access` sees the rest
    first, last = address >> 6, address + size - 1 >> 6
    if s.m[M_BLOCK_FRESH]:  # what the block has executed so far is not marked as fetched yet
        only_alone(s)
    if (s.lines[first] | s.lines[last]) & LINE_FETCHED:
        only_alone(s)
    elif not is_image_text(s, address):
        return
    _note_text_store(s, address, size, value)
