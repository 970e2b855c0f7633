"""ACPI power management as QEMU's `pc` has it at 0x600: PM1a events and control, the PM timer.

Ports: 0x600 PM1a status (written ones clear), 0x602 PM1a enable, 0x604 PM1a control, 0x608 the
timer, 24 bits at 3.579545 MHz. Modelled: the timer's overflow as an event, the SCI on line 9,
SLP_EN with sleep type 0, which is S5 here: the machine is off. Port 0xb2 stands for the firmware
behind the SMI: 0xf1 sets SCI_EN and 0xf0 clears it, as FADT's ACPI_ENABLE and ACPI_DISABLE say.

Sources: ACPI specification 6.4, section 4.8; QEMU 7.2 (hw/acpi/core.c, hw/acpi/piix4.c).
Limits: no general-purpose events, no buttons, no S3 and S4: other sleep types do nothing.
"""

from emu.machine import irq
from emu.machine.clock import device_time, ticks, time_of_tick
from emu.machine.end import BY_POWER_OFF, end
from emu.machine.native import jit
from emu.machine.state import State

PORT, PORTS = 0x600, 12
SMI_COMMAND = 0xB2
HERTZ = 3_579_545

BOARD_PM_STATUS, BOARD_PM_ENABLE, BOARD_PM_CONTROL, BOARD_PM_OVERFLOW, BOARD_SMI = range(8, 13)
TIMES = (BOARD_PM_OVERFLOW,)  # columns of `board` that hold virtual times

_HALF = 1 << 23  # ticks after which the timer's highest bit changes
_TIMER = 0x0001  # of status and enable
_EVENTS = 0x0521  # timer, global lock, power button, RTC
_SCI_ENABLED, _SLEEP = 0x0001, 0x2000  # of control
_ENABLE, _DISABLE = 0xF1, 0xF0


@jit
def power_on(s: State) -> None:
    """Start the timer, in ACPI mode, as the FADT's missing SMI command port says."""
    s.board[BOARD_PM_CONTROL] = _SCI_ENABLED
    s.board[BOARD_PM_OVERFLOW] = time_of_tick(_HALF, HERTZ)


@jit
def _update(s: State) -> None:
    events = s.board[BOARD_PM_STATUS] & s.board[BOARD_PM_ENABLE] & _EVENTS
    irq.set_irq(s, irq.SCI, int(events != 0))


@jit
def expire(s: State, time: int) -> None:
    """Note the timer's overflow if it is due."""
    if s.board[BOARD_PM_OVERFLOW] <= time:
        tick = ticks(s.board[BOARD_PM_OVERFLOW], HERTZ)
        s.board[BOARD_PM_OVERFLOW] = time_of_tick(tick + _HALF, HERTZ)
        s.board[BOARD_PM_STATUS] |= _TIMER
        _update(s)


@jit
def may_wake(s: State) -> bool:
    """Return whether the timer will interrupt a halted core."""
    due = s.board[BOARD_PM_ENABLE] & ~s.board[BOARD_PM_STATUS] & _TIMER != 0
    idle = s.board[BOARD_PM_ENABLE] & s.board[BOARD_PM_STATUS] & _EVENTS == 0
    return due and idle and irq.would_wake(s, irq.SCI)


@jit
def _word(s: State, offset: int) -> int:
    """Return the 32 bits at an offset that is a multiple of four."""
    if offset == 0:
        return s.board[BOARD_PM_STATUS] | s.board[BOARD_PM_ENABLE] << 16
    if offset == 4:
        return s.board[BOARD_PM_CONTROL]
    return ticks(device_time(s), HERTZ) & 0xFFFFFF


@jit
def read(s: State, offset: int, size: int) -> int:
    """Load 1, 2 or 4 bytes at PORT + offset."""
    return _word(s, offset & 0xC) >> 8 * (offset & 3) & (1 << 8 * size) - 1


@jit
def _write_control(s: State, value: int) -> None:
    s.board[BOARD_PM_CONTROL] = value & 0xFFFF & ~_SLEEP
    if value & _SLEEP and value >> 10 & 7 == 0:
        end(s, BY_POWER_OFF)


@jit
def write(s: State, offset: int, size: int, value: int) -> None:
    """Store 1, 2 or 4 bytes at PORT + offset."""
    shift = 8 * (offset & 3)
    written = ((1 << 8 * size) - 1 << shift) & 0xFFFFFFFF
    value = value << shift & written
    if offset >> 2 == 0:
        s.board[BOARD_PM_STATUS] &= ~(value & 0xFFFF)
        enable = s.board[BOARD_PM_ENABLE] & ~(written >> 16) | value >> 16
        s.board[BOARD_PM_ENABLE] = enable
        _update(s)
    elif offset >> 2 == 1 and written & 0xFFFF:
        _write_control(s, s.board[BOARD_PM_CONTROL] & ~written | value)


@jit
def smi_command(s: State, value: int) -> None:
    """Do what firmware does for a command written to port 0xb2."""
    s.board[BOARD_SMI] = value
    if value == _ENABLE:
        s.board[BOARD_PM_CONTROL] |= _SCI_ENABLED
    elif value == _DISABLE:
        s.board[BOARD_PM_CONTROL] &= ~_SCI_ENABLED
