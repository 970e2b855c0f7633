"""How one core moves: Run and Fetch.

`run` executes a number of instructions exactly; it ends early where the core halts, reaches an
instruction with unstable bytes, or ends the machine. Interrupts are delivered at the first
instruction boundary at which the core takes them; the core's own timer and the board's devices
cut the run at their exact instants. `fetch` executes one instruction from chosen versions of its
bytes: they are put in place, the engine translates, and the block hook puts the true bytes back
between translation and execution, so that the instruction's own loads and stores see memory as
it is.
"""

import numpy as np

from emu.machine import board, pic, xapic
from emu.machine.block import finish_block, interrupt_comes, restore_true_bytes
from emu.machine.clock import CHOSEN, end_slice
from emu.machine.debug import breaks_at, trap_comes, watch_data
from emu.machine.decode import decode
from emu.machine.events import FETCH_HAZARD, FETCH_STALE, STALE_FETCH, emit
from emu.machine.faults import release
from emu.machine.memory import walk
from emu.machine.native import jit, store8
from emu.machine.start_registers import (
    reset_registers,
)
from emu.machine.state import (
    A_DEADLINE,
    C_EXTINT,
    C_FLOOR,
    C_FREEZE,
    C_IRQ,
    C_NMI,
    C_RETIRED,
    C_SIPI,
    C_STALE,
    C_STATE,
    C_TRAP,
    CORE_DEAD,
    CORE_HALTED,
    CORE_RUNS,
    CORE_WAITS,
    M_BEHIND,
    M_BLOCK_COUNT,
    M_BUDGET,
    M_CHOSEN,
    M_CHOSEN_CODE,
    M_CHOSEN_KIND,
    M_CLOCK,
    M_CLOCK_MODE,
    M_CORES,
    M_CURRENT,
    M_DELAYED_UNTIL,
    M_DELIVER,
    M_DELIVERING,
    M_DEVICE_DEADLINE,
    M_ERROR,
    M_LIMIT,
    M_MODEL,
    M_RAM,
    M_RAM_SIZE,
    M_REASON,
    M_SLICE,
    M_STOP_AFTER,
    M_SWAPPED,
    M_TEXT_NOW,
    M_TRACE,
    STOP_AFTER,
    STOP_BUDGET,
    STOP_FOR_DELIVERY,
    STOP_FOR_DRAIN,
    STOP_FOR_EXIT,
    STOP_NONE,
    STOP_SPLIT,
    STOP_UNDRAINED,
    STOP_UNGUARDED,
    STOP_UNSTABLE,
    TRAP_RESUMED,
    Bytes,
    Seeds,
    State,
    Words,
)
from emu.machine.text import SDM, allowed, choose, hazard, is_behind, settle, unstable
from emu.machine.trace import shorten, trace_chosen
from emu.machine.unicorn_blocks import (
    forget,
    limit_next_block,
)
from emu.machine.unicorn_cpu import (
    enter,
    in_shadow,
    interrupts_on,
    leave,
    linear_rip,
    mode,
    nmi_on,
    register,
    reset_itself,
    start,
    take_halt,
)
from emu.machine.unicorn_layout import (
    CR0,
    CR3,
    CR4,
    EFER,
    RSP,
)

_INIT_CR0 = 0x60000010
NMI_VECTOR = 2


@jit
def _heed_init(s: State, core: int) -> None:
    """Let an INIT or start-up IPI that came take effect."""
    message = s.core[core, C_SIPI]
    if message == xapic.SIPI_NONE:
        return
    s.core[core, C_SIPI] = xapic.SIPI_NONE
    if s.m[M_CURRENT] == core:
        leave(s)
        s.m[M_CURRENT] = -1
    if message == xapic.SIPI_INIT:
        s.core[core, C_STATE] = CORE_WAITS
        s.core[core, C_NMI] = 0
        xapic.reset(s, core)
    elif s.core[core, C_STATE] == CORE_WAITS:
        reset_registers(s, core, message << 12, 0, _INIT_CR0)
        s.core[core, C_STATE] = CORE_RUNS
    s.core[core, C_FLOOR] = s.m[M_TEXT_NOW]
    s.core[core, C_FREEZE] = 0
    settle(s)


@jit
def settle_machine(s: State) -> None:
    """Let happen what follows by itself: timers that are due, INIT and start-up IPIs."""
    board.expire(s)
    if s.m[M_DELAYED_UNTIL] <= s.m[M_CLOCK]:
        release(s)
    for core in range(s.m[M_CORES]):
        if s.apic[core, A_DEADLINE] <= s.m[M_CLOCK]:
            xapic.expire_timer(s, core, s.m[M_CLOCK])
        if s.core[core, C_SIPI] != xapic.SIPI_NONE:
            _heed_init(s, core)


@jit
def can_move(s: State, core: int) -> bool:
    """Return whether the core has something to do: it runs, or an interrupt wakes it.

    In clock mode `chosen` interrupts come by the move Deliver only.
    """
    state = s.core[core, C_STATE]
    if state == CORE_RUNS or s.m[M_CLOCK_MODE] == CHOSEN:
        return state == CORE_RUNS
    return state == CORE_HALTED and _wakes(s, core)


@jit
def _wakes(s: State, core: int) -> bool:
    """Return whether a halted core has an interrupt that it takes."""
    nmi = s.core[core, C_NMI] != 0 and nmi_on(s, core)
    asked = s.core[core, C_IRQ] | s.core[core, C_EXTINT] != 0
    return nmi or (asked and interrupts_on(s, core))


@jit
def _slice(s: State, core: int, instructions: int) -> int:
    """Execute up to this many instructions without looking at timers; returns how many.

    Stops early at unstable bytes, the end or hlt: M_REASON says which.
    """
    s.m[M_SLICE] = s.m[M_BUDGET] = instructions
    s.m[M_BLOCK_COUNT] = s.m[M_DELIVERING] = 0
    s.m[M_BEHIND] = is_behind(s, core)
    watch_data(s)
    unknown = 0
    while True:
        s.m[M_REASON] = STOP_NONE
        before = s.m[M_BUDGET]
        s.m[M_ERROR] = start(s)
        finish_block(s)
        s.m[M_BLOCK_COUNT] = 0
        if s.m[M_ERROR] != 0 or reset_itself(s):
            s.core[core, C_STATE] = CORE_DEAD
            break
        if take_halt(s):
            s.core[core, C_STATE] = CORE_HALTED
            break
        reason = s.m[M_REASON]
        if reason in (STOP_UNSTABLE, STOP_AFTER, STOP_UNGUARDED):
            break
        if s.m[M_BUDGET] == 0:
            break
        unknown = unknown + 1 if s.m[M_BUDGET] == before else 0
        if unknown > 64:  # the engine neither moves nor says why
            s.core[core, C_STATE] = CORE_DEAD
            break
        if reason == STOP_BUDGET:
            limit_next_block(s, s.m[M_BUDGET])
        elif reason == STOP_SPLIT:
            limit_next_block(s, min(s.m[M_LIMIT], s.m[M_BUDGET]))
    s.core[core, C_RETIRED] += s.m[M_SLICE] - s.m[M_BUDGET]
    return end_slice(s)


@jit
def run(s: State, core: int, instructions: int) -> int:
    """Run a core for up to this many instructions; returns how many it executed.

    M_REASON tells why it ended early. A core that cannot move executes nothing.
    """
    s.m[M_REASON] = STOP_NONE
    s.m[M_STOP_AFTER] = 0
    executed = 0
    if not can_move(s, core):
        return executed
    enter(s, core)
    while executed < instructions:
        settle_machine(s)
        state = s.core[core, C_STATE]
        if state == CORE_HALTED and _wakes(s, core):
            s.core[core, C_STATE] = state = CORE_RUNS
        if state != CORE_RUNS:
            break
        deadline = min(s.apic[core, A_DEADLINE], s.m[M_DELAYED_UNTIL], s.m[M_DEVICE_DEADLINE])
        executed += _slice(s, core, min(instructions - executed, deadline - s.m[M_CLOCK]))
        reason = s.m[M_REASON]
        if reason == STOP_AFTER and not s.m[M_STOP_AFTER] & STOP_FOR_EXIT:
            if s.m[M_STOP_AFTER] & STOP_FOR_DRAIN:
                s.m[M_REASON] = STOP_UNDRAINED
                break
            s.m[M_STOP_AFTER] = 0
        elif reason in (STOP_UNSTABLE, STOP_AFTER, STOP_UNGUARDED):
            break
    settle_machine(s)
    return executed


@jit
def deliverable(s: State, core: int) -> int:
    """Return the vector that the move Deliver can make a core take now, or 0."""
    state = s.core[core, C_STATE]
    if (state != CORE_RUNS and state != CORE_HALTED) or in_shadow(s, core):
        return 0
    if s.core[core, C_TRAP] & ~TRAP_RESUMED:  # a #DB comes first
        return 0
    if s.core[core, C_NMI] and nmi_on(s, core):
        return NMI_VECTOR
    if not interrupts_on(s, core):
        return 0
    return pic.vector(s) if s.core[core, C_EXTINT] else s.core[core, C_IRQ]


@jit
def deliver(s: State, core: int) -> None:
    """Let a core take the interrupt that is deliverable, and execute nothing."""
    enter(s, core)
    s.core[core, C_STATE] = CORE_RUNS
    s.m[M_DELIVER], s.m[M_STOP_AFTER] = 1, 0
    _slice(s, core, 1)
    s.m[M_DELIVER] = 0
    s.m[M_STOP_AFTER] &= ~STOP_FOR_DELIVERY
    settle_machine(s)


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

    ages: filled with 15 ages. random: as in `text.choose`.
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
    s.m[M_CHOSEN], s.m[M_CHOSEN_CODE], s.m[M_CHOSEN_KIND] = 1, packed, kind
    limit_next_block(s, 1)
    if s.m[M_TRACE]:
        trace_chosen(s, addresses, code, length)
    executed = _slice(s, core, 1)
    if s.m[M_TRACE] and executed == 0:  # the engine could not
        shorten(s, 0)
    s.m[M_CHOSEN] = 0
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    for row in range(count):
        forget(s, s.swap[row, 0], s.swap[row, 0] + 1)
    settle_machine(s)
