"""The 16550 serial port at 0x3f8, first form: a transmitter that is always ready.

Registers keep what was written to them; the divisor latch hides the data register as on the
chip. Input and interrupts come with the next form. Source: PC16550D data sheet, section 8.
"""

from emu.machine.native import jit
from emu.machine.state import (
    M_OUTPUT,
    M_STOP_AFTER,
    M_UART,
    M_UART_DIVISOR,
    M_WATCH,
    M_WATCHED,
    MAX_OUTPUT,
    STOP_FOR_DRAIN,
    State,
)

PORT = 0x3F8

_DATA, _INTERRUPT_ENABLE, _FIFO, _LINE_CONTROL, _LINE_STATUS = 0, 1, 2, 3, 5
_DIVISOR_LATCH = 0x80  # of line control
_TRANSMITTER_EMPTY = 0x60  # of line status: holding register and shift register
_NO_INTERRUPT = 0x01


@jit
def read(s: State, register: int) -> int:
    """Return a register; `register` is the port minus PORT."""
    if s.m[M_UART + _LINE_CONTROL] & _DIVISOR_LATCH and register <= _INTERRUPT_ENABLE:
        return s.m[M_UART_DIVISOR] >> (8 * register) & 0xFF
    if register == _LINE_STATUS:
        return _TRANSMITTER_EMPTY
    if register == _FIFO:
        return _NO_INTERRUPT
    return 0 if register in (_DATA, 6) else s.m[M_UART + register]


@jit
def write(s: State, register: int, value: int) -> None:
    """Store to a register."""
    value &= 0xFF
    if s.m[M_UART + _LINE_CONTROL] & _DIVISOR_LATCH and register <= _INTERRUPT_ENABLE:
        shift = 8 * register
        s.m[M_UART_DIVISOR] = s.m[M_UART_DIVISOR] & ~(0xFF << shift) | value << shift
        return
    if register != _DATA:
        s.m[M_UART + register] = value
        return
    s.output[s.m[M_OUTPUT]] = value
    s.m[M_OUTPUT] += 1
    if value == s.m[M_WATCH]:
        s.m[M_WATCHED] = 1
    if s.m[M_OUTPUT] == MAX_OUTPUT:
        s.m[M_STOP_AFTER] |= STOP_FOR_DRAIN
