"""What comes between two instructions of a core: traps, breakpoints, interrupts.

`block` asks before every block. A trap or an interrupt is no instruction, but waits for one to be
allowed; a breakpoint is the fault of the instruction behind it, and counts as that one.
"""

from emu.machine import pic, xapic
from emu.machine.clock import CHOSEN
from emu.machine.debug import raise_breakpoint, settle_trap
from emu.machine.events import DELIVERED, emit
from emu.machine.faults import begin_freeze
from emu.machine.native import jit
from emu.machine.state import (
    C_EXTINT,
    C_IRQ,
    C_NMI,
    M_BLOCK_COUNT,
    M_BUDGET,
    M_CLOCK_MODE,
    M_CURRENT,
    M_DELIVER,
    M_STOP_AFTER,
    STOP_BUDGET,
    STOP_FOR_DELIVERY,
    State,
)
from emu.machine.unicorn_blocks import go_on, stop
from emu.machine.unicorn_cpu import (
    in_shadow,
    interrupt,
    interrupts_on,
    nmi,
    nmi_on,
    register,
    set_rip,
)
from emu.machine.unicorn_layout import RSP


@jit
def take_trap(s: State, pc: int) -> bool:
    """Raise the trap that the instruction before pc has left.

    Returns only where there is none after all, True, or none is allowed yet, False.
    """
    if s.m[M_BUDGET] == 0:
        stop(s, STOP_BUDGET)
        return False
    set_rip(s, pc)
    s.m[M_BLOCK_COUNT] = 0
    settle_trap(s)
    return True


@jit
def take_breakpoint(s: State, pc: int) -> None:
    """Raise the breakpoint on the instruction at pc."""
    if s.m[M_BUDGET] == 0:
        stop(s, STOP_BUDGET)
        return
    s.m[M_BUDGET] -= 1
    s.m[M_BLOCK_COUNT] = 0
    set_rip(s, pc)
    raise_breakpoint(s, pc)


@jit
def interrupt_comes(s: State, core: int) -> bool:
    """Return whether a core takes an interrupt before its next instruction.

    In clock mode `chosen` only because the move Deliver says so.
    """
    if s.m[M_CLOCK_MODE] == CHOSEN and not s.m[M_DELIVER]:
        return False
    if in_shadow(s, core):
        return False
    irq = s.core[core, C_IRQ] | s.core[core, C_EXTINT] != 0 and interrupts_on(s, core)
    return irq or (s.core[core, C_NMI] != 0 and nmi_on(s, core))


@jit
def _acknowledge(s: State, core: int) -> int:
    """Return the vector of the interrupt that the core takes: the 8259's goes first."""
    if s.core[core, C_EXTINT]:
        return pic.acknowledge(s)
    if xapic.pending_ipi(s, core, s.core[core, C_IRQ]):
        begin_freeze(s, core, register(s, RSP))
    return xapic.acknowledge(s, core)


@jit
def take_interrupt(s: State, pc: int) -> None:
    """Deliver what the core takes at pc: an NMI, else the 8259's, else the APIC's interrupt.

    Does not return. In the hook, because the engine's main loop has to be there to catch a fault
    on the way: a guest may have a bad stack, IDT or TSS.
    """
    core = s.m[M_CURRENT]
    set_rip(s, pc)
    s.m[M_BLOCK_COUNT] = 0
    if s.m[M_DELIVER]:
        s.m[M_DELIVER] = 0
        s.m[M_STOP_AFTER] |= STOP_FOR_DELIVERY
    if s.core[core, C_NMI] and nmi_on(s, core):
        s.core[core, C_NMI] = 0
        begin_freeze(s, core, register(s, RSP))
        emit(s, core, DELIVERED, pc, 2, 0, 0, register(s, RSP))
        nmi(s)
    else:
        vector = _acknowledge(s, core)
        emit(s, core, DELIVERED, pc, vector, 0, 0, register(s, RSP))
        interrupt(s, vector)
    go_on(s)
