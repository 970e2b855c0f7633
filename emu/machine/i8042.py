"""The keyboard controller at ports 0x60 and 0x64, with nothing plugged in.

Modelled: the status register, self-tests, the command byte, the output port with A20 and reset,
the commands that put a byte into the output buffer, and IRQ1 and IRQ12 for it. A20 is a bit that
can be read back: the processor's address line is always open.

Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
Controller"; QEMU 7.2 (hw/input/pckbd.c) for reset values.
Limits: one byte in the output buffer, a second one replaces it; bytes for the keyboard and the
mouse go nowhere, and nobody answers.
"""

from emu.machine import irq
from emu.machine.end import BY_I8042, end
from emu.machine.native import jit
from emu.machine.state import State

DATA, COMMAND = 0x60, 0x64

BOARD_KBD_STATUS, BOARD_KBD_MODE, BOARD_KBD_BYTE, BOARD_KBD_OUTPUT, BOARD_KBD_COMMAND = range(5)

_FULL, _TESTED, _LAST_WAS_COMMAND, _UNLOCKED, _FROM_MOUSE = 0x01, 0x04, 0x08, 0x10, 0x20
_KEYBOARD_IRQ, _MOUSE_IRQ, _KEYBOARD_OFF, _MOUSE_OFF = 0x01, 0x02, 0x10, 0x20  # of the mode
_RESET_OFF, _A20 = 0x01, 0x02  # of the output port

_READ_MODE, _WRITE_MODE, _READ_INPUT, _READ_OUTPUT, _WRITE_OUTPUT = 0x20, 0x60, 0xC0, 0xD0, 0xD1
_ECHO_KEYBOARD, _ECHO_MOUSE, _A20_OFF, _A20_ON = 0xD2, 0xD3, 0xDD, 0xDF
_MOUSE_DISABLE, _MOUSE_ENABLE, _TEST_MOUSE = 0xA7, 0xA8, 0xA9
_TEST, _TEST_KEYBOARD, _KEYBOARD_DISABLE, _KEYBOARD_ENABLE = 0xAA, 0xAB, 0xAD, 0xAE
_PULSE = 0xF0  # with the lines of the output port to be pulled low: bit 0 is the reset


@jit
def power_on(s: State) -> None:
    """Reset the controller, as after firmware has tested it."""
    s.board[BOARD_KBD_STATUS] = _TESTED | _LAST_WAS_COMMAND | _UNLOCKED
    s.board[BOARD_KBD_MODE] = _KEYBOARD_IRQ | _MOUSE_IRQ
    s.board[BOARD_KBD_OUTPUT] = 0xCC | _RESET_OFF | _A20


@jit
def _update(s: State) -> None:
    """Set the two interrupt lines."""
    status, mode = s.board[BOARD_KBD_STATUS], s.board[BOARD_KBD_MODE]
    mouse = status & _FULL and status & _FROM_MOUSE and mode & _MOUSE_IRQ
    keyboard = status & _FULL and not status & _FROM_MOUSE and mode & _KEYBOARD_IRQ
    irq.set_irq(s, irq.KEYBOARD, int(keyboard != 0))
    irq.set_irq(s, irq.MOUSE, int(mouse != 0))


@jit
def _answer(s: State, byte: int, source: int) -> None:
    """Put a byte into the output buffer; source: 0 or _FROM_MOUSE."""
    s.board[BOARD_KBD_BYTE] = byte
    s.board[BOARD_KBD_STATUS] = s.board[BOARD_KBD_STATUS] & ~_FROM_MOUSE | _FULL | source
    _update(s)


@jit
def _set_output(s: State, value: int) -> None:
    s.board[BOARD_KBD_OUTPUT] = value
    if not value & _RESET_OFF:
        end(s, BY_I8042)


@jit
def write_command(s: State, command: int) -> None:
    """Store a byte at port 0x64."""
    s.board[BOARD_KBD_STATUS] |= _LAST_WAS_COMMAND
    s.board[BOARD_KBD_COMMAND] = 0
    mode = s.board[BOARD_KBD_MODE]
    if command == _READ_MODE:
        _answer(s, mode, 0)
    elif command in (_WRITE_MODE, _WRITE_OUTPUT, _ECHO_KEYBOARD, _ECHO_MOUSE):
        s.board[BOARD_KBD_COMMAND] = command
    elif command == _TEST:
        s.board[BOARD_KBD_STATUS] |= _TESTED
        _answer(s, 0x55, 0)
    elif command == _TEST_KEYBOARD or command == _TEST_MOUSE:
        _answer(s, 0x00, 0)
    elif command == _READ_INPUT:
        _answer(s, 0x80, 0)
    elif command == _READ_OUTPUT:
        _answer(s, s.board[BOARD_KBD_OUTPUT], 0)
    elif command == _KEYBOARD_DISABLE:
        s.board[BOARD_KBD_MODE] = mode | _KEYBOARD_OFF
    elif command == _KEYBOARD_ENABLE:
        s.board[BOARD_KBD_MODE] = mode & ~_KEYBOARD_OFF
    elif command == _MOUSE_DISABLE:
        s.board[BOARD_KBD_MODE] = mode | _MOUSE_OFF
    elif command == _MOUSE_ENABLE:
        s.board[BOARD_KBD_MODE] = mode & ~_MOUSE_OFF
    elif command == _A20_ON:
        s.board[BOARD_KBD_OUTPUT] |= _A20
    elif command == _A20_OFF:
        s.board[BOARD_KBD_OUTPUT] &= ~_A20
    elif command >= _PULSE and not command & 1:
        end(s, BY_I8042)


@jit
def write_data(s: State, value: int) -> None:
    """Store a byte at port 0x60: an operand of the last command."""
    s.board[BOARD_KBD_STATUS] &= ~_LAST_WAS_COMMAND
    command = s.board[BOARD_KBD_COMMAND]
    s.board[BOARD_KBD_COMMAND] = 0
    if command == _WRITE_MODE:
        s.board[BOARD_KBD_MODE] = value
        _update(s)
    elif command == _WRITE_OUTPUT:
        _set_output(s, value)
    elif command == _ECHO_KEYBOARD:
        _answer(s, value, 0)
    elif command == _ECHO_MOUSE:
        _answer(s, value, _FROM_MOUSE)


@jit
def read_data(s: State) -> int:
    """Load the byte in the output buffer."""
    s.board[BOARD_KBD_STATUS] &= ~(_FULL | _FROM_MOUSE)
    _update(s)
    return s.board[BOARD_KBD_BYTE]


@jit
def read_status(s: State) -> int:
    """Load a byte from port 0x64."""
    return s.board[BOARD_KBD_STATUS]
