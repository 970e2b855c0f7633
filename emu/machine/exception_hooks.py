"""What the engine calls back about exceptions. `hooks` registers these functions."""

from typing import Any

import numpy as np
from numba import types

from emu.machine.admitted import (
    give_back,
    index_in_block,
    rip_in_block,
    stands_at_icebp,
    start_of_trap,
)
from emu.machine.debug import on_delivery
from emu.machine.delivery_faults import corrected
from emu.machine.events import TRAP, emit
from emu.machine.native import hook, jit, load32, store32
from emu.machine.state import (
    C_TRAP,
    M_BLOCK_COUNT,
    M_BUDGET,
    M_CHOSEN,
    M_CURRENT,
    M_DELIVERING,
    M_ENV,
    M_SWAPPED,
    M_TRAP_START,
    STOP_BUDGET,
    TRAP_ICEBP,
    State,
)
from emu.machine.swap import restore_true_bytes
from emu.machine.unicorn_blocks import go_on, stop
from emu.machine.unicorn_cpu import exception, linear_rip, register, set_register, set_rip
from emu.machine.unicorn_layout import CR2, ERROR_CODE, IS_INT, OLD_EXCEPTION, RIP, RSP
from emu.machine.unicorn_memory import not_translating
from emu.machine.view import state_at

_i64, _u32, _ptr = types.int64, types.uint32, types.voidptr

_PAGE_FAULT, _UNDEFINED = 14, 6
_FETCH_OR_READ = 2  # the error code's write bit is clear


@jit
def _charge_for_fetch(s: State) -> None:
    """Count a fetch that fails right after another exception or interrupt as an instruction.

    A handler that is not mapped raises faults for ever, and nobody else would be asked.
    """
    if s.m[M_BUDGET] == 0:
        store32(s.m[M_ENV] + OLD_EXCEPTION, -1)  # as if it had not been raised: it will be again
        stop(s, STOP_BUDGET)
        go_on(s)
    s.m[M_BUDGET] -= 1


@jit
def take_exception(s: State, vector: int) -> None:
    """Let the running core take an exception that the engine noticed."""
    not_translating(s)
    is_int = load32(s.m[M_ENV] + IS_INT)
    if s.m[M_DELIVERING]:
        vector = corrected(s, vector)
    error = load32(s.m[M_ENV] + ERROR_CODE)
    fetch = (
        vector == _PAGE_FAULT and register(s, CR2) == linear_rip(s) and not error & _FETCH_OR_READ
    )
    if not is_int and not fetch and rip_in_block(s):
        # after a single step RIP is behind the block
        give_back(s, min(index_in_block(s) + 1, s.m[M_BLOCK_COUNT]))
    else:
        if is_int:
            s.m[M_TRAP_START] = start_of_trap(s)
        if fetch and s.m[M_BLOCK_COUNT] == 0:
            _charge_for_fetch(s)
        give_back(s, s.m[M_BLOCK_COUNT])
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    if s.m[M_CHOSEN] == 1:  # the chosen instruction could not even be fetched: that was the step
        s.m[M_CHOSEN], s.m[M_BUDGET] = 2, 0
    on_delivery(s, vector, is_int)
    emit(s, s.m[M_CURRENT], TRAP, linear_rip(s), vector, error, 0, register(s, RSP))
    if is_int:  # where the delivery fails, it is the fault of this instruction
        set_rip(s, s.m[M_TRAP_START])
    exception(s)


@hook(types.void(_i64, _u32, _ptr))
def on_exception(engine: int, vector: int, data: Any) -> None:
    """An exception or software interrupt; RIP is at a fault, after a trap."""
    take_exception(state_at(data), np.int64(vector))


@hook(types.boolean(_i64, _ptr))
def on_undefined(engine: int, data: Any) -> bool:
    """An instruction that does not exist: #UD. But ICEBP does."""
    s = state_at(data)
    length = stands_at_icebp(s)
    if length:
        set_register(s, RIP, register(s, RIP) + length)
        s.core[s.m[M_CURRENT], C_TRAP] |= TRAP_ICEBP
    else:
        take_exception(s, _UNDEFINED)
    return True
