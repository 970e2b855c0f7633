"""How interrupts come to a local APIC: messages of cores and of the I/O APIC, and the line LINT0.

LINT0 brings what the 8259 pair asks for.
"""

from emu.machine.events import IPI, emit
from emu.machine.native import jit
from emu.machine.state import (
    A_DFR,
    A_ICR_HIGH,
    A_ICR_LOW,
    A_ID,
    A_LDR,
    A_LVT_LINT0,
    C_EXTINT,
    C_NMI,
    C_SIPI,
    C_STATE,
    CORE_WAITS,
    M_CORES,
    M_INTR,
    State,
)
from emu.machine.xapic import MASKED, SIPI_INIT, request, request_ipi, would_take

FIXED, LOWEST, NMI, INIT, STARTUP, EXTINT = 0, 1, 4, 5, 6, 7  # delivery modes


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
        request(s, core, vector, level)
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
def send(s: State, sender: int) -> None:
    """Carry out the interrupt command that a core has written."""
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
