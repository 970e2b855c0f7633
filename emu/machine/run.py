"""The moves Run and Deliver of a core.

`run` executes a number of instructions exactly; it ends early where the core halts, reaches an
instruction with unstable bytes, or ends the machine. Interrupts are delivered at the first
instruction boundary at which the core takes them; the core's own timer and the board's devices
cut the run at their exact instants. `deliver` lets the core take an interrupt, in clock mode
`chosen`, and executes nothing.
"""

from emu.machine import board, pic, xapic, xapic_timer
from emu.machine.admitted import finish_block
from emu.machine.clock import CHOSEN, end_slice
from emu.machine.debug import watch_data
from emu.machine.faults import release
from emu.machine.native import jit, unlocked
from emu.machine.start_registers import reset_registers
from emu.machine.state import (
    A_DEADLINE,
    C_EXTINT,
    C_FLOOR,
    C_FREEZE,
    C_IRQ,
    C_NMI,
    C_RETIRED,
    C_SIPI,
    C_STATE,
    C_TRAP,
    CORE_DEAD,
    CORE_HALTED,
    CORE_RUNS,
    CORE_WAITS,
    M_BEHIND,
    M_BLOCK_COUNT,
    M_BUDGET,
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
    M_REASON,
    M_SLICE,
    M_STOP_AFTER,
    M_TEXT_NOW,
    STOP_AFTER,
    STOP_BUDGET,
    STOP_FOR_DELIVERY,
    STOP_FOR_DRAIN,
    STOP_FOR_EXIT,
    STOP_NONE,
    STOP_SPLIT,
    STOP_UNDRAINED,
    STOP_UNSTABLE,
    TRAP_RESUMED,
    State,
)
from emu.machine.text import is_behind, settle
from emu.machine.unicorn_blocks import limit_next_block
from emu.machine.unicorn_cpu import (
    enter,
    in_shadow,
    interrupts_on,
    leave,
    nmi_on,
    reset_itself,
    start,
    take_halt,
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
            xapic_timer.expire_timer(s, core, s.m[M_CLOCK])
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
def execute_slice(s: State, core: int, instructions: int) -> int:
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
        if reason in (STOP_UNSTABLE, STOP_AFTER):
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


@unlocked
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
        executed += execute_slice(s, core, min(instructions - executed, deadline - s.m[M_CLOCK]))
        reason = s.m[M_REASON]
        if reason == STOP_AFTER and not s.m[M_STOP_AFTER] & STOP_FOR_EXIT:
            if s.m[M_STOP_AFTER] & STOP_FOR_DRAIN:
                s.m[M_REASON] = STOP_UNDRAINED
                break
            s.m[M_STOP_AFTER] = 0
        elif reason in (STOP_UNSTABLE, STOP_AFTER):
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
    execute_slice(s, core, 1)
    s.m[M_DELIVER] = 0
    s.m[M_STOP_AFTER] &= ~STOP_FOR_DELIVERY
    settle_machine(s)
