"""Debug registers of a core: MOV to and from them.

The engine's own breakpoints are never used: they belong to no core.

Source: Intel SDM volume 3B, "Debug Registers"; QEMU target/i386/tcg/sysemu/bpt_helper.c.
"""

from emu.machine.native import jit
from emu.machine.state import State
from emu.machine.unicorn_blocks import fault
from emu.machine.unicorn_cpu import register, set_register
from emu.machine.unicorn_layout import CR4, DR0, DR6, DR7

ACCESSED, STEP = 1 << 13, 1 << 14  # of DR6: a debug register was accessed; a single step
_GENERAL_DETECT = 1 << 13  # of DR7
_DR6_ONES, _DR7_ONES = 0xFFFF0FF0, 0x400
_EXTENSIONS = 1 << 3  # of CR4
_DEBUG, _UNDEFINED, _GENERAL_PROTECTION = 1, 6, 13


@jit
def _checked(s: State, number: int) -> int:
    """Return the offset of the debug register that a MOV names, or raise what it raises."""
    if number in (4, 5):
        if register(s, CR4) & _EXTENSIONS:
            fault(s, _UNDEFINED, 0)
        number += 2
    if register(s, DR7) & _GENERAL_DETECT:
        set_register(s, DR7, register(s, DR7) & ~_GENERAL_DETECT)
        set_register(s, DR6, register(s, DR6) | ACCESSED)
        fault(s, _DEBUG, 0)
    return DR0 + 8 * number


@jit
def read_debug(s: State, number: int) -> int:
    """Return what MOV from a debug register reads; may raise #UD or #DB, and not return."""
    return register(s, _checked(s, number))


@jit
def write_debug(s: State, number: int, value: int) -> None:
    """Do what MOV to a debug register does; may raise a fault, and not return."""
    offset = _checked(s, number)
    if offset >= DR6 and value >> 32:
        fault(s, _GENERAL_PROTECTION, 0)
    if offset == DR6:
        value |= _DR6_ONES
    elif offset == DR7:
        value |= _DR7_ONES
    set_register(s, offset, value)
