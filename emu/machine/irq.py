"""The interrupt lines of a PC's own devices: each goes to the 8259 pair and to the I/O APIC.

Who listens is the guest's choice: it masks the one and sets up the other. Source: QEMU 7.2
(hw/i386/x86.c, gsi_handler).
"""

from emu.machine import ioapic, pic, xapic_messages
from emu.machine.native import jit
from emu.machine.state import C_STATE, CORE_HALTED, M_CORES, State
from emu.machine.unicorn_cpu import interrupts_on

TIMER, UART, RTC, SCI = 0, 4, 8, 9
KEYBOARD, MOUSE = 1, 12


@jit
def set_irq(s: State, line: int, level: int) -> None:
    """Bring a line to a level, 0 or 1."""
    if s.pic[line >> 3, pic.PIC_LINES] >> (line & 7) & 1 == level:
        return
    pic.set_line(s, line, level)
    ioapic.set_line(s, line, level)


@jit
def would_wake(s: State, line: int) -> bool:
    """Return whether a rise of the line would interrupt a halted core."""
    if ioapic.would_wake(s, line):
        return True
    if not pic.would_ask(s, line):
        return False
    for core in range(s.m[M_CORES]):
        halted = s.core[core, C_STATE] == CORE_HALTED
        if halted and interrupts_on(s, core) and xapic_messages.intr_would_wake(s, core):
            return True
    return False
