"""The move Fetch: a core executes one instruction from chosen versions of its bytes.

They are put in place (`swap`), the engine translates, and the block hook puts the true bytes back
between translation and execution, so that the instruction's own loads and stores see memory as
it is.
"""

import numpy as np

from emu.machine.debug import breaks_at, trap_comes
from emu.machine.decode import decode
from emu.machine.events import FETCH_HAZARD, FETCH_STALE, STALE_FETCH, emit
from emu.machine.fetch_model import allowed, choose, hazard
from emu.machine.interruptions import interrupt_comes
from emu.machine.memory import walk
from emu.machine.native import jit
from emu.machine.run import execute_slice, settle_machine
from emu.machine.state import (
    C_FLOOR,
    C_STALE,
    C_STATE,
    CORE_RUNS,
    M_CHOSEN,
    M_CHOSEN_CODE,
    M_CHOSEN_KIND,
    M_MODEL,
    M_RAM_SIZE,
    M_SWAPPED,
    M_TEXT_NOW,
    M_TRACE,
    Bytes,
    Seeds,
    State,
    Words,
)
from emu.machine.swap import put_chosen_bytes, restore_true_bytes
from emu.machine.text import SDM, unstable
from emu.machine.trace import shorten, trace_chosen
from emu.machine.unicorn_blocks import forget, limit_next_block
from emu.machine.unicorn_cpu import enter, linear_rip, mode, register
from emu.machine.unicorn_layout import CR0, CR3, CR4, EFER, RSP


@jit
def fetch_addresses(s: State, addresses: Words) -> None:
    """Fill in the physical addresses of the 15 bytes at the running core's RIP, -1 if unmapped."""
    pc = linear_rip(s)
    physical = np.int64(-1)
    for index in range(addresses.size):
        if index == 0 or (pc + index) & 0xFFF == 0:
            physical = walk(
                s,
                register(s, CR0),
                register(s, CR3),
                register(s, CR4),
                register(s, EFER),
                pc + index,
            )
        else:
            physical += 1 if physical >= 0 else 0
        inside = 0 <= physical < s.m[M_RAM_SIZE]
        addresses[index] = physical if inside else -1


@jit
def stands_at_unstable(s: State, core: int) -> bool:
    """Return whether the core's next step is a fetch with several versions to choose from.

    Not if an interrupt or a breakpoint comes first. Puts the core into the engine.
    """
    if s.core[core, C_STATE] != CORE_RUNS or s.core[core, C_FLOOR] == s.m[M_TEXT_NOW]:
        return False
    enter(s, core)
    if interrupt_comes(s, core) or trap_comes(s) or breaks_at(s, linear_rip(s)):
        return False
    addresses = np.empty(15, np.int64)
    fetch_addresses(s, addresses)
    return _any_unstable(s, core, addresses)


@jit
def _any_unstable(s: State, core: int, addresses: Words) -> bool:
    code = np.zeros(24, np.uint8)
    for index in range(15):
        code[index] = s.ram[addresses[index]] if addresses[index] >= 0 else 0
    length, _ = decode(code, mode(s))
    for index in range(length):
        if addresses[index] >= 0 and unstable(s, core, addresses[index], 1):
            return True
    return False


@jit
def choose_fetch(s: State, core: int, ages: Words, random: Seeds) -> int:
    """Choose versions for the fetch a core stands at, by the fetch model; returns the length.

    ages: filled with 15 ages. random: as in `fetch_model.choose`.
    """
    enter(s, core)
    addresses = np.empty(15, np.int64)
    fetch_addresses(s, addresses)
    code = np.zeros(24, np.uint8)
    return choose(s, core, addresses, mode(s), ages, code, random)


@jit
def fetch(s: State, core: int, ages: Words, length: int) -> bool:
    """Execute one instruction from chosen versions of its bytes; returns whether it was allowed.

    ages: of each byte; beyond `length` they are 0.
    """
    enter(s, core)
    addresses = np.empty(15, np.int64)
    fetch_addresses(s, addresses)
    code = np.zeros(24, np.uint8)
    if not allowed(s, core, addresses, ages, length, code):
        return False
    real_length, kind = decode(code, mode(s))
    if real_length > length and not allowed(s, core, addresses, ages, real_length, code):
        return False  # the newest bytes behind the chosen ones are part of it, and do not fit
    stale = False
    for index in range(real_length):
        stale = stale or ages[index] > 0
    flags = FETCH_STALE if stale else 0
    if s.m[M_MODEL] == SDM and hazard(s, core, addresses, mode(s)):
        flags |= FETCH_HAZARD
    packed = np.int64(0)
    for index in range(8):
        packed |= np.int64(code[index]) << (8 * index)
    emit(s, core, STALE_FETCH, linear_rip(s), packed, flags | real_length << 8, 0, register(s, RSP))
    s.core[core, C_STALE] += np.int64(stale)
    _execute_chosen(s, core, addresses, code, real_length, kind, packed)
    return True


@jit
def _execute_chosen(
    s: State, core: int, addresses: Words, code: Bytes, length: int, kind: int, packed: int
) -> None:
    count = put_chosen_bytes(s, addresses, code, length)
    s.m[M_CHOSEN], s.m[M_CHOSEN_CODE], s.m[M_CHOSEN_KIND] = 1, packed, kind
    limit_next_block(s, 1)
    if s.m[M_TRACE]:
        trace_chosen(s, addresses, code, length)
    executed = execute_slice(s, core, 1)
    if s.m[M_TRACE] and executed == 0:  # the engine could not
        shorten(s, 0)
    s.m[M_CHOSEN] = 0
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    for row in range(count):
        forget(s, s.swap[row, 0], s.swap[row, 0] + 1)
    settle_machine(s)
