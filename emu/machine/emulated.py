"""Instructions that the machine executes itself, because the engine gets them wrong.

RDMSR and WRMSR (the engine knows neither the local APIC's base nor the time), MOV to and from
CR8 (it has no APIC), MOV to and from the debug registers (its breakpoints belong to no core).
It has no hook for them. So a line of text in which such an instruction may begin has the flag
LINE_EMULATED; blocks on it are looked at instruction by instruction (`block`), and where one
comes first, it is executed here instead of entering the block.

The flag is set by the look of the bytes, at any alignment: too often does no harm. It is set
when a line becomes text, and by stores to text, and never taken back.

Source: Intel SDM volume 2 (MOV to/from control and debug registers, RDMSR, WRMSR); where a
reserved bit of CR8, DR6 or DR7 is set, the manual's #GP, which QEMU leaves out.
"""

import numpy as np

from emu.machine import msr, xapic
from emu.machine.debug import STEP, read_debug, write_debug
from emu.machine.decode import CLASS, LONG, RDMSR, READ_CR8, READ_DR, SERIALISING_WRMSR, WRITE_CR8
from emu.machine.native import jit
from emu.machine.state import (
    A_TPR,
    LINE,
    LINE_EMULATED,
    M_CURRENT,
    M_RAM_SIZE,
    Bytes,
    State,
)
from emu.machine.unicorn_blocks import fault, go_on
from emu.machine.unicorn_cpu import (
    end_instruction,
    mode,
    privilege,
    register,
    set_register,
    traced,
)
from emu.machine.unicorn_layout import DR6, RAX, RCX, RDX, REGISTERS, RIP

_LOW = 0xFFFFFFFF
_GENERAL_PROTECTION, _DEBUG = 13, 1


@jit
def is_emulated(kind: int) -> bool:
    """Return whether the machine executes instructions of this class."""
    return kind & CLASS >= SERIALISING_WRMSR


@jit
def execute(s: State, kind: int, length: int) -> None:
    """Execute the instruction at RIP, or let it raise a fault, which does not return.

    kind: what `decode` says of it. length: in bytes.
    """
    if privilege(s) != 0:
        fault(s, _GENERAL_PROTECTION, 0)
    core, operation = s.m[M_CURRENT], kind & CLASS
    number, general = kind >> 8 & 0xF, REGISTERS + 8 * (kind >> 16 & 0xF)
    if operation == RDMSR:
        value = msr.read(s, core, register(s, RCX) & _LOW)
        set_register(s, RAX, value & _LOW)
        set_register(s, RDX, value >> 32 & _LOW)
    elif operation == SERIALISING_WRMSR:
        value = register(s, RAX) & _LOW | (register(s, RDX) & _LOW) << 32
        msr.write(s, core, register(s, RCX) & _LOW, value)
    elif operation == READ_CR8:
        set_register(s, general, s.apic[core, A_TPR] >> 4)
    elif operation == WRITE_CR8:
        if register(s, general) & ~0xF:
            fault(s, _GENERAL_PROTECTION, 0)
        s.apic[core, A_TPR] = register(s, general) << 4
        xapic.update(s, core)
    elif operation == READ_DR:
        set_register(s, general, read_debug(s, number))
    else:
        value = register(s, general)
        write_debug(s, number, value if mode(s) == LONG else value & _LOW)
    rip = register(s, RIP) + length
    set_register(s, RIP, rip if mode(s) == LONG else rip & _LOW)
    end_instruction(s)


@jit
def after(s: State) -> None:
    """Go on behind an instruction that was executed here; does not return."""
    if traced(s):
        set_register(s, DR6, register(s, DR6) | STEP)
        fault(s, _DEBUG, 0)
    go_on(s)


@jit
def mark_line(s: State, line: int) -> None:
    """Look at a line that becomes text: may an instruction that is executed here begin in it?"""
    start = line * LINE
    code = np.zeros(LINE + 2, np.uint8)
    count = min(LINE + 2, s.m[M_RAM_SIZE] - start)
    for index in range(count):
        code[index] = s.ram[start + index]
    _mark(s, start, code, count)


@jit
def mark_store(s: State, address: int, length: int, new: int) -> None:
    """Look at up to eight bytes that are about to be stored to text, with their neighbours."""
    start = max(address - 2, 0)
    code = np.zeros(12, np.uint8)
    count = min(address + length + 2, s.m[M_RAM_SIZE]) - start
    for index in range(count):
        offset = start + index - address
        inside = 0 <= offset < length
        code[index] = new >> 8 * offset & 0xFF if inside else s.ram[start + index]
    _mark(s, start, code, count)
    last = address + length - 1
    if code[last - start] == 0x0F:  # the bytes behind it may be about to change as well
        s.lines[last // LINE] |= LINE_EMULATED


@jit
def _mark(s: State, start: int, code: Bytes, count: int) -> None:
    """Set the flag of the lines in which an escape of such an instruction lies.

    What is behind the end, or on the next page, may be anything.
    """
    for index in range(count):
        if code[index] != 0x0F:
            continue
        known = min(count - index, 4096 - (start + index & 0xFFF))
        second = code[index + 1] if known > 1 else 0x30
        move = second & 0xFC == 0x20
        number = code[index + 2] >> 3 & 7 if known > 2 else 0
        if second == 0x30 or second == 0x32 or (move and (second & 1 or number == 0)):
            s.lines[(start + index) // LINE] |= LINE_EMULATED
