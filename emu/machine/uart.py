"""The 16550A serial port at 0x3f8, on IRQ4.

Modelled: all registers, both FIFOs, the four interrupts with their priorities and the received
data timeout, loopback, overrun. The transmitter is done at once: what is written to it goes out
(or, in loopback, comes in) before the next instruction. Input waits in the machine's queue
`input` and enters when there is room.

Sources: National PC16550D data sheet, section 8; QEMU 7.2 (hw/char/serial.c) where it is not
clear: the empty-transmitter interrupt comes again whenever it is enabled; the timeout needs the
received-data interrupt enabled.
Limits: no errors but overrun, no break; the modem lines stand still (carrier, ready, clear to
send); the interrupt does not depend on OUT2, as in QEMU.
"""

from emu.machine import irq
from emu.machine.clock import device_time
from emu.machine.native import jit
from emu.machine.state import (
    FOREVER,
    M_INPUT_HEAD,
    M_INPUT_TAIL,
    M_OUTPUT,
    M_STOP_AFTER,
    M_WATCH,
    M_WATCHED,
    MAX_INPUT,
    MAX_OUTPUT,
    STOP_FOR_DRAIN,
    State,
)

PORT = 0x3F8
FIFO_SIZE = 16

(
    UART_IER, UART_IIR, UART_FCR, UART_LCR, UART_MCR, UART_LSR, UART_SCR, UART_DIVISOR,
    UART_EMPTY, UART_LATE, UART_TIMEOUT, UART_COUNT,
) = range(12)  # fmt: skip
# UART_EMPTY, UART_LATE: the transmitter's and the timeout's interrupt are due. UART_TIMEOUT: the
# virtual time of the timeout. UART_COUNT: bytes received and not yet read; they stand from
# UART_BYTES on, without the FIFO there is one.
UART_BYTES = 16
TIMES = (UART_TIMEOUT,)  # columns that hold virtual times

_DATA, _IER, _IIR, _LCR, _MCR, _LSR, _MSR = range(7)  # registers; 2 is the FCR when written
_RECEIVED, _SENT, _LINE = 0x01, 0x02, 0x04  # interrupts enabled by the IER
_NO_INTERRUPT, _SENT_ID, _RECEIVED_ID, _LINE_ID, _TIMEOUT_ID = 0x01, 0x02, 0x04, 0x06, 0x0C
_FIFO, _CLEAR_RECEIVER, _CLEAR_SENDER = 0x01, 0x02, 0x04  # of the FCR
_TRIGGER = (1, 4, 8, 14)
_DIVISOR_LATCH = 0x80  # of the LCR
_OUT2, _LOOPBACK = 0x08, 0x10  # of the MCR
_READY, _OVERRUN, _TRANSMITTER_EMPTY = 0x01, 0x02, 0x60  # of the LSR
_MODEM_LINES = 0xB0
_CLOCK = 115_200  # baud at divisor 1


@jit
def power_on(s: State) -> None:
    """Reset the chip; the divisor is for 9600 baud, as in QEMU."""
    s.uart[UART_IIR], s.uart[UART_LSR] = _NO_INTERRUPT, _TRANSMITTER_EMPTY
    s.uart[UART_MCR], s.uart[UART_DIVISOR] = _OUT2, 12
    s.uart[UART_TIMEOUT] = FOREVER


@jit
def _update(s: State) -> None:
    """Work out the most urgent interrupt, and set the line."""
    enabled = s.uart[UART_IER]
    fifo = s.uart[UART_FCR] & _FIFO
    enough = _TRIGGER[s.uart[UART_FCR] >> 6] if fifo else 1
    cause = _NO_INTERRUPT
    if enabled & _LINE and s.uart[UART_LSR] & _OVERRUN:
        cause = _LINE_ID
    elif enabled & _RECEIVED and s.uart[UART_LATE]:
        cause = _TIMEOUT_ID
    elif enabled & _RECEIVED and s.uart[UART_COUNT] >= enough:
        cause = _RECEIVED_ID
    elif enabled & _SENT and s.uart[UART_EMPTY]:
        cause = _SENT_ID
    s.uart[UART_IIR] = cause | (0xC0 if fifo else 0)
    irq.set_irq(s, irq.UART, int(cause != _NO_INTERRUPT))


# --- receiving -------------------------------------------------------------------------------


@jit
def _start_timeout(s: State) -> None:
    """Let the timeout come in the time of four characters, if the FIFO is on."""
    format_ = s.uart[UART_LCR]
    bits = 1 + (format_ & 3) + 5 + (1 if format_ & 8 else 0) + (2 if format_ & 4 else 1)
    divisor = s.uart[UART_DIVISOR] or 33  # QEMU: zero is about 3500 baud
    if s.uart[UART_FCR] & _FIFO:
        s.uart[UART_TIMEOUT] = device_time(s) + 4 * bits * divisor * 1_000_000_000 // _CLOCK


@jit
def _receive(s: State, byte: int) -> None:
    """Let a byte come in."""
    room = FIFO_SIZE if s.uart[UART_FCR] & _FIFO else 1
    if s.uart[UART_COUNT] < room:
        s.uart[UART_BYTES + s.uart[UART_COUNT]] = byte
        s.uart[UART_COUNT] += 1
    else:
        s.uart[UART_LSR] |= _OVERRUN
        if room == 1:
            s.uart[UART_BYTES] = byte
    s.uart[UART_LSR] |= _READY
    _start_timeout(s)


@jit
def accept_input(s: State) -> None:
    """Take in what waits in the machine's queue, as far as there is room."""
    room = FIFO_SIZE if s.uart[UART_FCR] & _FIFO else 1
    if s.uart[UART_MCR] & _LOOPBACK:
        return
    while s.m[M_INPUT_HEAD] < s.m[M_INPUT_TAIL] and s.uart[UART_COUNT] < room:
        _receive(s, s.input[s.m[M_INPUT_HEAD] & MAX_INPUT - 1])
        s.m[M_INPUT_HEAD] += 1
    _update(s)


@jit
def _clear_receiver(s: State) -> None:
    for place in range(FIFO_SIZE):
        s.uart[UART_BYTES + place] = 0
    s.uart[UART_COUNT] = s.uart[UART_LATE] = 0
    s.uart[UART_LSR] &= ~_READY
    s.uart[UART_TIMEOUT] = FOREVER


@jit
def _read_data(s: State) -> int:
    byte = s.uart[UART_BYTES]
    if s.uart[UART_COUNT] > 0:
        s.uart[UART_COUNT] -= 1
    if s.uart[UART_FCR] & _FIFO:
        for place in range(FIFO_SIZE - 1):
            s.uart[UART_BYTES + place] = s.uart[UART_BYTES + place + 1]
        s.uart[UART_BYTES + FIFO_SIZE - 1] = 0
    s.uart[UART_LATE] = 0
    if s.uart[UART_COUNT]:
        _start_timeout(s)
    else:
        s.uart[UART_LSR] &= ~_READY
        s.uart[UART_TIMEOUT] = FOREVER
    _update(s)
    accept_input(s)
    return byte


@jit
def expire(s: State, time: int) -> None:
    """Let the timeout come if it is due."""
    if s.uart[UART_TIMEOUT] <= time:
        s.uart[UART_TIMEOUT], s.uart[UART_LATE] = FOREVER, 1
        _update(s)


@jit
def may_wake(s: State) -> bool:
    """Return whether the timeout will interrupt a halted core."""
    due = s.uart[UART_TIMEOUT] != FOREVER and s.uart[UART_IER] & _RECEIVED != 0
    idle = s.uart[UART_IIR] & 0xF == _NO_INTERRUPT
    return due and idle and irq.would_wake(s, irq.UART)


# --- sending ---------------------------------------------------------------------------------


@jit
def _send(s: State, byte: int) -> None:
    """Send a byte: out, or in loopback back in."""
    s.uart[UART_EMPTY] = 0
    _update(s)
    if s.uart[UART_MCR] & _LOOPBACK:
        _receive(s, byte)
    else:
        s.output[s.m[M_OUTPUT]] = byte
        s.m[M_OUTPUT] += 1
        if byte == s.m[M_WATCH]:
            s.m[M_WATCHED] = 1
        if s.m[M_OUTPUT] == MAX_OUTPUT:
            s.m[M_STOP_AFTER] |= STOP_FOR_DRAIN
    s.uart[UART_EMPTY] = 1
    _update(s)


# --- registers -------------------------------------------------------------------------------


@jit
def _write_fcr(s: State, value: int) -> None:
    if (value ^ s.uart[UART_FCR]) & _FIFO:  # switching it on or off clears both
        value |= _CLEAR_RECEIVER | _CLEAR_SENDER
    if value & _CLEAR_RECEIVER:
        _clear_receiver(s)
    if value & _CLEAR_SENDER:
        s.uart[UART_EMPTY] = 1
    s.uart[UART_FCR] = value & 0xC9
    _update(s)
    accept_input(s)


@jit
def _write_ier(s: State, value: int) -> None:
    if (value ^ s.uart[UART_IER]) & _SENT:
        s.uart[UART_EMPTY] = int(value & _SENT != 0)
    s.uart[UART_IER] = value & 0x0F
    _update(s)


@jit
def write(s: State, register: int, value: int) -> None:
    """Store a byte at PORT + register."""
    if s.uart[UART_LCR] & _DIVISOR_LATCH and register <= _IER:
        shift = 8 * register
        s.uart[UART_DIVISOR] = s.uart[UART_DIVISOR] & ~(0xFF << shift) | value << shift
    elif register == _DATA:
        _send(s, value)
    elif register == _IER:
        _write_ier(s, value)
    elif register == _IIR:
        _write_fcr(s, value)
    elif register == _LCR:
        s.uart[UART_LCR] = value
    elif register == _MCR:
        s.uart[UART_MCR] = value & 0x1F
        accept_input(s)
    elif register > _MSR:
        s.uart[UART_SCR] = value


@jit
def _modem_lines(s: State) -> int:
    """Return the MSR; in loopback the outputs of the MCR are its inputs."""
    outputs = s.uart[UART_MCR]
    if not outputs & _LOOPBACK:
        return _MODEM_LINES
    return (outputs & 0x0C) << 4 | (outputs & 0x02) << 3 | (outputs & 0x01) << 5


@jit
def read(s: State, register: int) -> int:
    """Load a byte from PORT + register."""
    if s.uart[UART_LCR] & _DIVISOR_LATCH and register <= _IER:
        return s.uart[UART_DIVISOR] >> 8 * register & 0xFF
    if register == _DATA:
        return _read_data(s)
    if register == _IER:
        return s.uart[UART_IER]
    if register == _IIR:
        value = s.uart[UART_IIR]
        if value & 0x0F == _SENT_ID:
            s.uart[UART_EMPTY] = 0
            _update(s)
        return value
    if register == _LCR:
        return s.uart[UART_LCR]
    if register == _MCR:
        return s.uart[UART_MCR]
    if register == _LSR:
        value = s.uart[UART_LSR]
        s.uart[UART_LSR] &= ~_OVERRUN
        _update(s)
        return value
    return _modem_lines(s) if register == _MSR else s.uart[UART_SCR]
