"""The local APIC of each core, in xAPIC mode: its registers at 0xfee00000, timer and IPIs.

Modelled: fixed, lowest-priority, NMI, INIT and start-up interprocessor interrupts to physical
and logical destinations and shorthands, and messages of the I/O APIC; priorities; the timer
one-shot and periodic, counting one tick of virtual time divided as told; end of interrupt; the
8259's interrupts by way of LINT0, also while the APIC is disabled by software, as the virtual
wire of QEMU does (hw/intc/apic.c, apic_accept_pic_intr). Delivery is instant: an interrupt is
pending at its target as soon as it was sent.
CR8 is the task priority (`emulated`), IA32_APIC_BASE is in `msr`.
Not modelled: x2APIC and the TSC deadline (CPUID says so), the error interrupt, remote reads.

Source: Intel SDM volume 3A, "Advanced Programmable Interrupt Controller".
"""

from emu.machine.clock import ARMED, deadline_in, now
from emu.machine.events import ACKNOWLEDGED, IPI, emit
from emu.machine.native import jit
from emu.machine.state import (
    A_DEADLINE,
    A_DFR,
    A_DIVIDE,
    A_ESR,
    A_ICR_HIGH,
    A_ICR_LOW,
    A_ID,
    A_INITIAL,
    A_IPI,
    A_IRR,
    A_ISR,
    A_LDR,
    A_LVT_LINT0,
    A_LVT_LINT1,
    A_LVT_TIMER,
    A_SIZE,
    A_STARTED,
    A_SVR,
    A_TMR,
    A_TPR,
    C_EXTINT,
    C_IRQ,
    C_NMI,
    C_SIPI,
    C_STATE,
    CORE_WAITS,
    FOREVER,
    M_CORES,
    M_INTR,
    State,
)

BASE = 0xFEE00000
VERSION = 0x00050014  # integrated APIC, six local vector table entries
MASKED = 1 << 16
PERIODIC = 1 << 17
ENABLED = 1 << 8

FIXED, LOWEST, NMI, INIT, STARTUP, EXTINT = 0, 1, 4, 5, 6, 7

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
def _priority(s: State, core: int) -> int:
    """Return the processor priority register."""
    task = s.apic[core, A_TPR] & 0xFF
    service = _highest(s, core, A_ISR) & 0xF0
    return task if task & 0xF0 >= service else service


@jit
def update(s: State, core: int) -> None:
    """Recompute C_IRQ: the vector the core would take now, 0 for none."""
    vector = _highest(s, core, A_IRR)
    if vector & 0xF0 > _priority(s, core) & 0xF0 and s.apic[core, A_SVR] & ENABLED:
        s.core[core, C_IRQ] = vector
    else:
        s.core[core, C_IRQ] = 0


@jit
def request(s: State, core: int, vector: int) -> None:
    """Make a fixed, edge-triggered interrupt pending at a core."""
    _request(s, core, vector, 0)


@jit
def _request(s: State, core: int, vector: int, level: int) -> None:
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
    request(s, core, vector)
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
def _end_of_interrupt(s: State, core: int) -> int:
    """End the interrupt in service; returns its vector if it was level-triggered, else 0."""
    vector = _highest(s, core, A_ISR)
    word, bit = vector >> 5, 1 << (vector & 31)
    if vector:
        s.apic[core, A_ISR + word] &= ~bit
        emit(s, core, ACKNOWLEDGED, vector, 0, 0, 0, 0)
    update(s, core)
    return vector if s.apic[core, A_TMR + word] & bit else 0


@jit
def _divider(s: State, core: int) -> int:
    code = s.apic[core, A_DIVIDE]
    power = ((code & 8) >> 1 | (code & 3)) + 1
    return 1 if power == 8 else 1 << power


@jit
def _start_timer(s: State, core: int) -> None:
    initial = s.apic[core, A_INITIAL]
    duration = initial * _divider(s, core)
    s.apic[core, A_STARTED] = now(s)
    s.apic[core, A_DEADLINE] = deadline_in(s, duration) if initial else FOREVER


@jit
def _current_count(s: State, core: int) -> int:
    if s.apic[core, A_DEADLINE] == FOREVER:
        return 0
    if s.apic[core, A_DEADLINE] == ARMED:  # in clock mode `chosen` counters stand still
        return s.apic[core, A_INITIAL]
    return (s.apic[core, A_DEADLINE] - now(s)) // _divider(s, core)


@jit
def expire_timer(s: State, core: int, time: int) -> None:
    """Let the timer fire if its deadline has come."""
    deadline = s.apic[core, A_DEADLINE]
    if deadline > time:
        return
    entry = s.apic[core, A_LVT_TIMER]
    if entry & PERIODIC:
        period = s.apic[core, A_INITIAL] * _divider(s, core)
        s.apic[core, A_DEADLINE] = deadline + ((time - deadline) // period + 1) * period
    else:
        s.apic[core, A_DEADLINE] = FOREVER
    if not entry & MASKED:
        request(s, core, entry & 0xFF)


@jit
def can_tick(s: State, core: int) -> bool:
    """Return whether the move Tick is enabled: the timer runs and would interrupt."""
    return s.apic[core, A_DEADLINE] == ARMED and not s.apic[core, A_LVT_TIMER] & MASKED


@jit
def tick(s: State, core: int) -> None:
    """Let the timer expire because a move says so."""
    entry = s.apic[core, A_LVT_TIMER]
    if not entry & PERIODIC:
        s.apic[core, A_DEADLINE] = FOREVER
    request(s, core, entry & 0xFF)


@jit
def timer_wakes(s: State, core: int) -> bool:
    """Return whether the timer, when it fires, interrupts a core that has interrupts on."""
    entry = s.apic[core, A_LVT_TIMER]
    armed = s.apic[core, A_DEADLINE] != FOREVER and not entry & MASKED
    return bool(armed and would_take(s, core, entry & 0xFF))


@jit
def would_take(s: State, core: int, vector: int) -> bool:
    """Return whether a fixed interrupt with this vector would be taken by the core now."""
    enabled = s.apic[core, A_SVR] & ENABLED
    return bool(enabled and vector >= 16 and vector & 0xF0 > _priority(s, core) & 0xF0)


# --- LINT0: the line from the 8259 pair ------------------------------------------------------


@jit
def hear_intr(s: State, core: int) -> None:
    """Recompute C_EXTINT: whether the core has an external interrupt to acknowledge."""
    entry = s.apic[core, A_LVT_LINT0]
    s.core[core, C_EXTINT] = s.m[M_INTR] and not entry & MASKED and entry >> 8 & 7 == EXTINT


@jit
def set_intr(s: State, level: int) -> None:
    """Bring the line to a level, 0 or 1."""
    rises = level > s.m[M_INTR]
    s.m[M_INTR] = level
    for core in range(s.m[M_CORES]):
        hear_intr(s, core)
        entry = s.apic[core, A_LVT_LINT0]
        if rises and not entry & MASKED and entry >> 8 & 7 != EXTINT:
            _accept(s, core, entry >> 8 & 7, entry & 0xFF, 0)


@jit
def intr_would_wake(s: State, core: int) -> bool:
    """Return whether a core with interrupts on would take something if INTR rose now."""
    entry = s.apic[core, A_LVT_LINT0]
    if entry & MASKED or s.m[M_INTR]:
        return False
    delivery = entry >> 8 & 7
    return bool(delivery == EXTINT or (delivery == FIXED and would_take(s, core, entry & 0xFF)))


# --- messages --------------------------------------------------------------------------------


@jit
def _accept(s: State, core: int, delivery: int, vector: int, level: int) -> None:
    """Let a core take an interrupt message."""
    if delivery == FIXED or delivery == LOWEST:
        _request(s, core, vector, level)
    elif delivery == NMI:
        s.core[core, C_NMI] = 1
    elif delivery == INIT:
        s.core[core, C_SIPI] = SIPI_INIT
    elif delivery == STARTUP and s.core[core, C_STATE] == CORE_WAITS:
        s.core[core, C_SIPI] = vector


@jit
def matches(s: State, target: int, destination: int, logical: int) -> bool:
    """Return whether a destination, physical or logical, includes a core."""
    if not logical:
        return destination in (0xFF, s.apic[target, A_ID])
    number = s.apic[target, A_LDR] >> 24 & 0xFF
    if s.apic[target, A_DFR] >> 28 == 0xF:
        return number & destination != 0
    return number >> 4 == destination >> 4 and number & destination & 0xF != 0


@jit
def deliver(
    s: State, destination: int, logical: int, delivery: int, vector: int, level: int
) -> None:
    """Deliver a message that did not come from a core."""
    for target in range(s.m[M_CORES]):
        if matches(s, target, destination, logical):
            _accept(s, target, delivery, vector, level)
            if delivery == LOWEST:
                break


@jit
def _addressed(s: State, sender: int, target: int, low: int, high: int) -> bool:
    """Return whether an interrupt command addresses this core."""
    shorthand = low >> 18 & 3
    if shorthand == 1:
        return target == sender
    if shorthand == 2:
        return True
    if shorthand == 3:
        return target != sender
    return matches(s, target, high >> 24 & 0xFF, low & 1 << 11)


@jit
def _send(s: State, sender: int) -> None:
    low, high = s.apic[sender, A_ICR_LOW], s.apic[sender, A_ICR_HIGH]
    delivery, vector = low >> 8 & 7, low & 0xFF
    mask = 0
    for target in range(s.m[M_CORES]):
        if not _addressed(s, sender, target, low, high):
            continue
        mask |= 1 << target
        if delivery == INIT and low & (1 << 15 | 1 << 14) == 1 << 15:
            continue  # the level de-assert of old
        if delivery == FIXED or delivery == LOWEST:
            request_ipi(s, target, vector)
        else:
            _accept(s, target, delivery, vector, 0)
        if delivery == LOWEST:
            break
    emit(s, sender, IPI, vector, mask, delivery, 0, 0)


@jit
def read(s: State, core: int, offset: int) -> int:
    """Return an APIC register; offset in bytes from the base."""
    register = offset >> 4
    if register == 0x02:
        return s.apic[core, A_ID] << 24
    if register == 0x03:
        return VERSION
    if register == 0x08:
        return s.apic[core, A_TPR]
    if register == 0x0A:
        return _priority(s, core)
    if register == 0x0D:
        return s.apic[core, A_LDR]
    if register == 0x0E:
        return s.apic[core, A_DFR]
    if register == 0x0F:
        return s.apic[core, A_SVR]
    if 0x10 <= register < 0x28:
        bank = (A_ISR, A_TMR, A_IRR)[(register - 0x10) >> 3]
        return s.apic[core, bank + (register & 7)]
    if register == 0x28:
        return s.apic[core, A_ESR]
    if register == 0x30:
        return s.apic[core, A_ICR_LOW]
    if register == 0x31:
        return s.apic[core, A_ICR_HIGH]
    if 0x32 <= register <= 0x37:
        return s.apic[core, A_LVT_TIMER + register - 0x32]
    if register == 0x38:
        return s.apic[core, A_INITIAL]
    if register == 0x39:
        return _current_count(s, core)
    if register == 0x3E:
        return s.apic[core, A_DIVIDE]
    return 0


@jit
def write(s: State, core: int, offset: int, value: int) -> int:
    """Store to an APIC register; offset in bytes from the base.

    Returns the vector of a level-triggered interrupt that ended, for the I/O APIC to hear, or 0.
    """
    register = offset >> 4
    value &= 0xFFFFFFFF
    if register == 0x02:
        s.apic[core, A_ID] = value >> 24
    elif register == 0x08:
        s.apic[core, A_TPR] = value & 0xFF
        update(s, core)
    elif register == 0x0B:
        return _end_of_interrupt(s, core)
    elif register == 0x0D:
        s.apic[core, A_LDR] = value & 0xFF000000
    elif register == 0x0E:
        s.apic[core, A_DFR] = value | 0x0FFFFFFF
    elif register == 0x0F:
        s.apic[core, A_SVR] = value & 0x1FF
        update(s, core)
    elif register == 0x28:
        s.apic[core, A_ESR] = 0
    elif register == 0x30:
        s.apic[core, A_ICR_LOW] = value & ~(1 << 12)
        _send(s, core)
    elif register == 0x31:
        s.apic[core, A_ICR_HIGH] = value & 0xFF000000
    elif 0x32 <= register <= 0x37:
        writable = 0x1A7FF if register in (0x35, 0x36) else 0x717FF  # LINT0 and LINT1
        s.apic[core, A_LVT_TIMER + register - 0x32] = value & writable
        hear_intr(s, core)
    elif register == 0x38:
        s.apic[core, A_INITIAL] = value
        _start_timer(s, core)
    elif register == 0x3E:
        s.apic[core, A_DIVIDE] = value & 0xB
    return 0
