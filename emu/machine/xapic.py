"""The local APIC of each core, in xAPIC mode: which interrupts are pending, and in service.

`xapic_registers` is how a core sees it at 0xfee00000, `xapic_timer` its timer, `xapic_messages`
how interrupts come to it from elsewhere. Modelled in all of these: fixed, lowest-priority, NMI,
INIT and start-up interprocessor interrupts to physical and logical destinations and shorthands,
and messages of the I/O APIC; priorities; the timer one-shot and periodic, counting one tick of
virtual time divided as told; end of interrupt; the 8259's interrupts by way of LINT0, also while
the APIC is disabled by software, as the virtual wire of QEMU does (hw/intc/apic.c,
apic_accept_pic_intr). Delivery is instant: an interrupt is pending at its target as soon as it
was sent.
CR8 is the task priority (`emulated`), IA32_APIC_BASE is in `msr`.
Not modelled: x2APIC and the TSC deadline (CPUID says so), the error interrupt, remote reads.

Source: Intel SDM volume 3A, "Advanced Programmable Interrupt Controller".
"""

from emu.machine.events import ACKNOWLEDGED, emit
from emu.machine.native import jit
from emu.machine.state import (
    A_DEADLINE,
    A_DFR,
    A_ESR,
    A_ID,
    A_IPI,
    A_IRR,
    A_ISR,
    A_LVT_LINT0,
    A_LVT_LINT1,
    A_LVT_TIMER,
    A_SIZE,
    A_SVR,
    A_TMR,
    A_TPR,
    C_EXTINT,
    C_IRQ,
    FOREVER,
    State,
)

BASE = 0xFEE00000
MASKED = 1 << 16
ENABLED = 1 << 8

SIPI_NONE, SIPI_INIT = -1, -2  # of C_SIPI: nothing to do; an INIT has come


@jit
def reset(s: State, core: int) -> None:
    """Put one APIC into the state it has after power-up or INIT."""
    for register in range(A_SIZE):
        s.apic[core, register] = 0
    s.apic[core, A_ID] = core
    s.apic[core, A_DFR] = 0xFFFFFFFF
    s.apic[core, A_SVR] = 0xFF
    for entry in range(A_LVT_TIMER, A_LVT_TIMER + 6):
        s.apic[core, entry] = MASKED
    s.apic[core, A_DEADLINE] = FOREVER
    s.core[core, C_IRQ] = s.core[core, C_EXTINT] = 0


@jit
def firmware(s: State) -> None:
    """Set up the APIC of core 0 as a PC's firmware leaves it: enabled, with the virtual wire.

    The values are those of SeaBIOS on QEMU 7.2 (`info lapic` at a PVH kernel's entry).
    """
    s.apic[0, A_SVR] = 0x1FF
    s.apic[0, A_LVT_LINT0], s.apic[0, A_LVT_LINT1] = 0x8700, 0x8400


@jit
def _highest(s: State, core: int, bank: int) -> int:
    """Return the highest vector set in ISR, TMR or IRR, or 0."""
    for word in range(7, -1, -1):
        bits = s.apic[core, bank + word]
        if bits:
            bit = 31
            while not bits >> bit & 1:
                bit -= 1
            return word * 32 + bit
    return 0


@jit
def priority(s: State, core: int) -> int:
    """Return the processor priority register."""
    task = s.apic[core, A_TPR] & 0xFF
    service = _highest(s, core, A_ISR) & 0xF0
    return task if task & 0xF0 >= service else service


@jit
def update(s: State, core: int) -> None:
    """Recompute C_IRQ: the vector the core would take now, 0 for none."""
    vector = _highest(s, core, A_IRR)
    if vector & 0xF0 > priority(s, core) & 0xF0 and s.apic[core, A_SVR] & ENABLED:
        s.core[core, C_IRQ] = vector
    else:
        s.core[core, C_IRQ] = 0


@jit
def request(s: State, core: int, vector: int, level: int) -> None:
    """Make a fixed interrupt pending at a core. level: 1 if it is level-triggered, 0 by an edge."""
    if vector < 16:
        s.apic[core, A_ESR] |= 1 << 6  # receive illegal vector
        return
    word, bit = vector >> 5, 1 << (vector & 31)
    s.apic[core, A_IRR + word] |= bit
    if level:
        s.apic[core, A_TMR + word] |= bit
    else:
        s.apic[core, A_TMR + word] &= ~bit
    update(s, core)


@jit
def request_ipi(s: State, core: int, vector: int) -> None:
    """Make a fixed interrupt pending that a core or the patcher sent."""
    request(s, core, vector, 0)
    if vector >= 16:
        s.apic[core, A_IPI + (vector >> 5)] |= 1 << (vector & 31)


@jit
def pending_ipi(s: State, core: int, vector: int) -> bool:
    """Return whether an interrupt that came as an IPI is pending at a core."""
    return s.apic[core, A_IPI + (vector >> 5)] >> (vector & 31) & 1 != 0


@jit
def highest_ipi(s: State, core: int) -> int:
    """Return the highest pending vector that came as an IPI, or 0."""
    return _highest(s, core, A_IPI)


@jit
def withdraw(s: State, core: int, vector: int) -> None:
    """Make an interrupt no longer pending."""
    s.apic[core, A_IRR + (vector >> 5)] &= ~(1 << (vector & 31))
    s.apic[core, A_IPI + (vector >> 5)] &= ~(1 << (vector & 31))
    update(s, core)


@jit
def acknowledge(s: State, core: int) -> int:
    """Take the pending interrupt into service; returns its vector."""
    vector = s.core[core, C_IRQ]
    s.apic[core, A_IRR + (vector >> 5)] &= ~(1 << (vector & 31))
    s.apic[core, A_IPI + (vector >> 5)] &= ~(1 << (vector & 31))
    s.apic[core, A_ISR + (vector >> 5)] |= 1 << (vector & 31)
    update(s, core)
    return vector


@jit
def end_of_interrupt(s: State, core: int) -> int:
    """End the interrupt in service; returns its vector if it was level-triggered, else 0."""
    vector = _highest(s, core, A_ISR)
    word, bit = vector >> 5, 1 << (vector & 31)
    if vector:
        s.apic[core, A_ISR + word] &= ~bit
        emit(s, core, ACKNOWLEDGED, vector, 0, 0, 0, 0)
    update(s, core)
    return vector if s.apic[core, A_TMR + word] & bit else 0


@jit
def would_take(s: State, core: int, vector: int) -> bool:
    """Return whether a fixed interrupt with this vector would be taken by the core now."""
    enabled = s.apic[core, A_SVR] & ENABLED
    return bool(enabled and vector >= 16 and vector & 0xF0 > priority(s, core) & 0xF0)
