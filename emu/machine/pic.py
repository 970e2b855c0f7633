"""The pair of 8259A interrupt controllers of a PC, and the ELCR.

Modelled: edge and level triggering (by ICW1's LTIM or line by line by the ELCR), masks, fixed
and rotating priorities, every form of end of interrupt, automatic end of interrupt, special
mask and special fully nested mode, polling, the spurious interrupts 7 and 15, the cascade on
line 2. The output goes to LINT0 of the local APICs.

Sources: Intel 8259A data sheet (231468), "Initialization Command Words" and "Operation Command
Words"; Intel 82371SB data sheet, "ELCR1", "ELCR2"; what the data sheets leave open as QEMU 7.2
does it (hw/intc/i8259.c).
Limits: the vectors of the 8080's mode are not made; an edge-triggered request stays when its
line falls before it is acknowledged, as in QEMU.
"""

from emu.machine import xapic_messages
from emu.machine.native import jit
from emu.machine.state import M_INTR, State

MASTER, SLAVE = 0, 1
CASCADE = 2  # the master's line to which the slave is connected
SPURIOUS = 7

(
    PIC_LINES, PIC_IRR, PIC_ISR, PIC_IMR, PIC_HIGHEST, PIC_BASE, PIC_READS_ISR, PIC_POLL,
    PIC_SPECIAL_MASK, PIC_STEP, PIC_ICW4, PIC_SINGLE, PIC_AUTO_EOI, PIC_AUTO_ROTATE, PIC_NESTED,
    PIC_LTIM, PIC_ELCR,
) = range(17)  # fmt: skip
# PIC_LINES: levels of the eight inputs. PIC_HIGHEST: the line of highest priority. PIC_STEP: the
# initialisation word that is due at the odd port, 2 to 4, or 0.

_ELCR_LINES = (0xF8, 0xDE)  # the system timer, keyboard, cascade, RTC and FPU are always edges


@jit
def _rank(s: State, chip: int, lines: int) -> int:
    """Return the priority of the first of some lines, 0 for the highest; 8 if there are none."""
    rank = 0
    while rank < 8 and not lines >> (rank + s.pic[chip, PIC_HIGHEST] & 7) & 1:
        rank += 1
    return rank


@jit
def _asked(s: State, chip: int, requests: int) -> int:
    """Return the line for which the chip raises its output if these are its requests, or -1."""
    wanted = _rank(s, chip, requests & ~s.pic[chip, PIC_IMR])
    busy = s.pic[chip, PIC_ISR]
    if s.pic[chip, PIC_SPECIAL_MASK]:
        busy &= ~s.pic[chip, PIC_IMR]
    if s.pic[chip, PIC_NESTED] and chip == MASTER:
        busy &= ~(1 << CASCADE)
    if wanted < _rank(s, chip, busy):
        return wanted + s.pic[chip, PIC_HIGHEST] & 7
    return -1


@jit
def _set_input(s: State, chip: int, line: int, level: int) -> None:
    bit = 1 << line
    if s.pic[chip, PIC_LTIM] or s.pic[chip, PIC_ELCR] & bit:
        s.pic[chip, PIC_IRR] = s.pic[chip, PIC_IRR] & ~bit | level << line
    elif level and not s.pic[chip, PIC_LINES] & bit:
        s.pic[chip, PIC_IRR] |= bit
    s.pic[chip, PIC_LINES] = s.pic[chip, PIC_LINES] & ~bit | level << line


@jit
def _update(s: State) -> None:
    """Let the outputs follow what is requested."""
    _set_input(s, MASTER, CASCADE, int(_asked(s, SLAVE, s.pic[SLAVE, PIC_IRR]) >= 0))
    xapic_messages.set_intr(s, int(_asked(s, MASTER, s.pic[MASTER, PIC_IRR]) >= 0))


@jit
def firmware(s: State) -> None:
    """Leave both as a PC's firmware does: vectors 0x08 and 0x70, nothing requested.

    The masks are those of SeaBIOS on QEMU 7.2 (`info pic` at a PVH kernel's entry): the timer and
    the RTC are among the open lines.
    """
    s.pic[MASTER, PIC_BASE], s.pic[SLAVE, PIC_BASE] = 0x08, 0x70
    s.pic[MASTER, PIC_IMR], s.pic[SLAVE, PIC_IMR] = 0xB8, 0x8E
    s.pic[MASTER, PIC_IRR] = s.pic[SLAVE, PIC_IRR] = 0
    _update(s)


@jit
def set_line(s: State, line: int, level: int) -> None:
    """Bring one of the 16 lines to a level, 0 or 1."""
    _set_input(s, line >> 3, line & 7, level)
    _update(s)


@jit
def would_ask(s: State, line: int) -> bool:
    """Return whether the output would rise if the line did."""
    chip, bit = line >> 3, 1 << (line & 7)
    asked = _asked(s, chip, s.pic[chip, PIC_IRR] | bit)
    if chip == SLAVE and asked >= 0:
        asked = _asked(s, MASTER, s.pic[MASTER, PIC_IRR] | 1 << CASCADE)
    return asked >= 0 and not s.m[M_INTR]


@jit
def _take(s: State, chip: int, line: int) -> None:
    """Take a request into service."""
    bit = 1 << line
    if not s.pic[chip, PIC_AUTO_EOI]:
        s.pic[chip, PIC_ISR] |= bit
    elif s.pic[chip, PIC_AUTO_ROTATE]:
        s.pic[chip, PIC_HIGHEST] = line + 1 & 7
    if not s.pic[chip, PIC_LTIM] and not s.pic[chip, PIC_ELCR] & bit:
        s.pic[chip, PIC_IRR] &= ~bit


@jit
def acknowledge(s: State) -> int:
    """Answer the processor's acknowledge cycles; returns the vector."""
    chip = MASTER
    line = _asked(s, MASTER, s.pic[MASTER, PIC_IRR])
    if line >= 0:
        _take(s, MASTER, line)
    if line == CASCADE:
        s.pic[MASTER, PIC_LINES] &= ~(1 << CASCADE)  # the slave's output falls for the cycle
        chip = SLAVE
        line = _asked(s, SLAVE, s.pic[SLAVE, PIC_IRR])
        if line >= 0:
            _take(s, SLAVE, line)
    _update(s)
    return s.pic[chip, PIC_BASE] | (line if line >= 0 else SPURIOUS)


@jit
def vector(s: State) -> int:
    """Return the vector that an acknowledge cycle would get now."""
    line = _asked(s, MASTER, s.pic[MASTER, PIC_IRR])
    chip = MASTER
    if line == CASCADE:
        chip, line = SLAVE, _asked(s, SLAVE, s.pic[SLAVE, PIC_IRR])
    return s.pic[chip, PIC_BASE] | (line if line >= 0 else SPURIOUS)


@jit
def _begin(s: State, chip: int, icw1: int) -> None:
    """ICW1: forget what was requested and set up, and expect the other words."""
    s.pic[chip, PIC_LTIM] = icw1 >> 3 & 1
    levels = 0xFF if s.pic[chip, PIC_LTIM] else s.pic[chip, PIC_ELCR]
    s.pic[chip, PIC_IRR] = s.pic[chip, PIC_LINES] & levels
    for field in (PIC_ISR, PIC_IMR, PIC_HIGHEST, PIC_READS_ISR, PIC_POLL, PIC_SPECIAL_MASK):
        s.pic[chip, field] = 0
    for field in (PIC_AUTO_EOI, PIC_AUTO_ROTATE, PIC_NESTED):
        s.pic[chip, field] = 0
    s.pic[chip, PIC_ICW4], s.pic[chip, PIC_SINGLE] = icw1 & 1, icw1 >> 1 & 1
    s.pic[chip, PIC_STEP] = 2


@jit
def _initialise(s: State, chip: int, word: int) -> None:
    """ICW2 to ICW4."""
    step = s.pic[chip, PIC_STEP]
    if step == 2:
        s.pic[chip, PIC_BASE] = word & 0xF8
    elif step == 4:
        s.pic[chip, PIC_NESTED], s.pic[chip, PIC_AUTO_EOI] = word >> 4 & 1, word >> 1 & 1
    if step == 2 and not s.pic[chip, PIC_SINGLE]:
        s.pic[chip, PIC_STEP] = 3
    elif step < 4 and s.pic[chip, PIC_ICW4]:
        s.pic[chip, PIC_STEP] = 4
    else:
        s.pic[chip, PIC_STEP] = 0


@jit
def _end_of_interrupt(s: State, chip: int, command: int) -> None:
    """OCW2: bit 7 rotates, bit 6 names a line, bit 5 ends an interrupt."""
    rotate, specific, end = command & 0x80, command & 0x40, command & 0x20
    line = command & 7
    if end and not specific:
        rank = _rank(s, chip, s.pic[chip, PIC_ISR])
        if rank == 8:
            return
        line = rank + s.pic[chip, PIC_HIGHEST] & 7
    if end:
        s.pic[chip, PIC_ISR] &= ~(1 << line)
    if not end and not specific:
        s.pic[chip, PIC_AUTO_ROTATE] = int(rotate != 0)
    elif rotate:
        s.pic[chip, PIC_HIGHEST] = line + 1 & 7


@jit
def write(s: State, chip: int, odd: int, value: int) -> None:
    """Store a byte at the chip's even or odd port."""
    if odd and s.pic[chip, PIC_STEP]:
        _initialise(s, chip, value)
    elif odd:
        s.pic[chip, PIC_IMR] = value
    elif value & 0x10:
        _begin(s, chip, value)
    elif value & 0x08:  # OCW3
        if value & 0x04:
            s.pic[chip, PIC_POLL] = 1
        if value & 0x02:
            s.pic[chip, PIC_READS_ISR] = value & 1
        if value & 0x40:
            s.pic[chip, PIC_SPECIAL_MASK] = value >> 5 & 1
    else:
        _end_of_interrupt(s, chip, value)
    _update(s)


@jit
def read(s: State, chip: int, odd: int) -> int:
    """Load a byte from the chip's even or odd port."""
    if s.pic[chip, PIC_POLL]:
        s.pic[chip, PIC_POLL] = 0
        line = _asked(s, chip, s.pic[chip, PIC_IRR])
        if line < 0:
            return 0
        _take(s, chip, line)
        _update(s)
        return 0x80 | line
    if odd:
        return s.pic[chip, PIC_IMR]
    return s.pic[chip, PIC_ISR] if s.pic[chip, PIC_READS_ISR] else s.pic[chip, PIC_IRR]


@jit
def write_elcr(s: State, chip: int, value: int) -> None:
    """Choose the lines that are level-triggered."""
    s.pic[chip, PIC_ELCR] = value & _ELCR_LINES[chip]
    for line in range(8):
        if line != CASCADE or chip == SLAVE:
            _set_input(s, chip, line, s.pic[chip, PIC_LINES] >> line & 1)
    _update(s)


@jit
def read_elcr(s: State, chip: int) -> int:
    """Return the lines that are level-triggered."""
    return s.pic[chip, PIC_ELCR]
