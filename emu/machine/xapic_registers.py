"""The registers of a local APIC in memory, at `xapic.BASE`: what a load gives and a store does."""

from emu.machine.native import jit
from emu.machine.state import (
    A_DFR,
    A_DIVIDE,
    A_ESR,
    A_ICR_HIGH,
    A_ICR_LOW,
    A_ID,
    A_INITIAL,
    A_IRR,
    A_ISR,
    A_LDR,
    A_LVT_TIMER,
    A_SVR,
    A_TMR,
    A_TPR,
    State,
)
from emu.machine.xapic import end_of_interrupt, priority, update
from emu.machine.xapic_messages import hear_intr, send
from emu.machine.xapic_timer import current_count, start_timer

VERSION = 0x00050014  # integrated APIC, six local vector table entries


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
        return priority(s, core)
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
        return current_count(s, core)
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
        return end_of_interrupt(s, core)
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
        send(s, core)
    elif register == 0x31:
        s.apic[core, A_ICR_HIGH] = value & 0xFF000000
    elif 0x32 <= register <= 0x37:
        writable = 0x1A7FF if register in (0x35, 0x36) else 0x717FF  # LINT0 and LINT1
        s.apic[core, A_LVT_TIMER + register - 0x32] = value & writable
        hear_intr(s, core)
    elif register == 0x38:
        s.apic[core, A_INITIAL] = value
        start_timer(s, core)
    elif register == 0x3E:
        s.apic[core, A_DIVIDE] = value & 0xB
    return 0
