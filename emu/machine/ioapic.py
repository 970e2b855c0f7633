"""The I/O APIC at 0xfec00000: 24 pins, each with an entry that says where its interrupt goes.

Modelled: the registers of version 0x20, with the EOI register; edge and level triggering,
remote IRR and its end by a local APIC's broadcast or the EOI register; masks; fixed,
lowest-priority, NMI and INIT delivery to physical and logical destinations. As on every PC the
timer's line 0 arrives at pin 2.

Sources: Intel 82093AA data sheet (290566); Intel ICH9 data sheet, "I/O xAPIC", for the EOI
register; QEMU 7.2 (hw/intc/ioapic.c), among other things for an edge at a masked pin, which is
lost.
Limits: no SMI and no ExtINT delivery; polarity is kept and means nothing, lines are active high.
"""

from emu.machine import xapic, xapic_messages
from emu.machine.native import jit
from emu.machine.state import C_STATE, CORE_HALTED, M_CORES, State
from emu.machine.unicorn_cpu import interrupts_on

BASE = 0xFEC00000
PINS = 24
IOAPIC_SELECT, IOAPIC_ID, IOAPIC_LINES = range(3)
IOAPIC_LOW, IOAPIC_HIGH = 8, 32  # of the redirection entries: 24 halves each

_VERSION = 0x20 | PINS - 1 << 16
_SELECT, _WINDOW, _EOI = 0x00, 0x10, 0x40  # offsets
_LEVEL, _REMOTE_IRR, _LOGICAL = 1 << 15, 1 << 14, 1 << 11
_WRITABLE = 0x1AFFF  # of an entry's low half: all but delivery status and remote IRR
_TIMER_PIN = 2


@jit
def power_on(s: State) -> None:
    """Mask all pins."""
    for pin in range(PINS):
        s.ioapic[IOAPIC_LOW + pin] = xapic.MASKED


@jit
def _send(s: State, pin: int) -> None:
    """Send the pin's message, if it may be sent."""
    entry = s.ioapic[IOAPIC_LOW + pin]
    if entry & xapic.MASKED or entry & _REMOTE_IRR:
        return
    delivery, level = entry >> 8 & 7, entry & _LEVEL
    if level:
        s.ioapic[IOAPIC_LOW + pin] |= _REMOTE_IRR
    destination = s.ioapic[IOAPIC_HIGH + pin] >> 24
    xapic_messages.deliver(s, destination, entry & _LOGICAL, delivery, entry & 0xFF, level)


@jit
def _send_level(s: State, pin: int) -> None:
    """Send the message of a level-triggered pin whose line is high."""
    if s.ioapic[IOAPIC_LOW + pin] & _LEVEL and s.ioapic[IOAPIC_LINES] >> pin & 1:
        _send(s, pin)


@jit
def set_line(s: State, line: int, level: int) -> None:
    """Bring an interrupt line to a level, 0 or 1."""
    pin = line or _TIMER_PIN
    before = s.ioapic[IOAPIC_LINES] >> pin & 1
    s.ioapic[IOAPIC_LINES] = s.ioapic[IOAPIC_LINES] & ~(1 << pin) | level << pin
    if level > before:
        _send(s, pin)


@jit
def would_wake(s: State, line: int) -> bool:
    """Return whether a rise of the line would interrupt a halted core."""
    pin = line or _TIMER_PIN
    entry = s.ioapic[IOAPIC_LOW + pin]
    if entry & xapic.MASKED or entry & _REMOTE_IRR:
        return False
    destination = s.ioapic[IOAPIC_HIGH + pin] >> 24
    for core in range(s.m[M_CORES]):
        halted = s.core[core, C_STATE] == CORE_HALTED
        if halted and xapic_messages.matches(s, core, destination, entry & _LOGICAL):
            delivery = entry >> 8 & 7
            if delivery == xapic_messages.NMI:
                return True
            fixed = delivery == xapic_messages.FIXED or delivery == xapic_messages.LOWEST
            if fixed and interrupts_on(s, core) and xapic.would_take(s, core, entry & 0xFF):
                return True
    return False


@jit
def end_of_interrupt(s: State, vector: int) -> None:
    """Hear that a level-triggered interrupt with this vector has ended."""
    for pin in range(PINS):
        entry = s.ioapic[IOAPIC_LOW + pin]
        if entry & 0xFF == vector and entry & _REMOTE_IRR:
            s.ioapic[IOAPIC_LOW + pin] &= ~_REMOTE_IRR
            _send_level(s, pin)


@jit
def _write_register(s: State, index: int, value: int) -> None:
    pin = index - 0x10 >> 1
    if index == 0:
        s.ioapic[IOAPIC_ID] = value & 0x0F000000
    elif 0 <= pin < PINS and index & 1:
        s.ioapic[IOAPIC_HIGH + pin] = value & 0xFF000000
    elif 0 <= pin < PINS:
        remote_irr = s.ioapic[IOAPIC_LOW + pin] & _REMOTE_IRR if value & _LEVEL else 0
        s.ioapic[IOAPIC_LOW + pin] = value & _WRITABLE | remote_irr
        _send_level(s, pin)


@jit
def write(s: State, offset: int, value: int) -> None:
    """Store 32 bits at an offset from BASE."""
    value &= 0xFFFFFFFF
    if offset == _SELECT:
        s.ioapic[IOAPIC_SELECT] = value & 0xFF
    elif offset == _WINDOW:
        _write_register(s, s.ioapic[IOAPIC_SELECT], value)
    elif offset == _EOI:
        end_of_interrupt(s, value & 0xFF)


@jit
def read(s: State, offset: int) -> int:
    """Load 32 bits from an offset from BASE."""
    index = s.ioapic[IOAPIC_SELECT]
    if offset == _SELECT:
        return index
    if offset != _WINDOW:
        return 0
    if index == 0 or index == 2:  # identification, arbitration
        return s.ioapic[IOAPIC_ID]
    if index == 1:
        return _VERSION
    pin = index - 0x10 >> 1
    if 0 <= pin < PINS:
        return s.ioapic[(IOAPIC_HIGH if index & 1 else IOAPIC_LOW) + pin]
    return 0
