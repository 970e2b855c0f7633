"""Instructions that the machine executes itself, because the engine gets them wrong.

RDMSR and WRMSR (the engine knows neither the local APIC's base nor the time), MOV to and from
CR8 (it has no APIC), MOV to and from the debug registers (its breakpoints belong to no core),
the transcendental instructions of the x87 (it asks the host's C library).
It has no hook for them. So a line of text in which such an instruction may begin has the flag
LINE_EMULATED (`emulated_lines`); blocks on it are looked at instruction by instruction
(`candidate`), and where one comes first, it is executed here instead of entering the block.

Source: Intel SDM volume 2 (MOV to/from control and debug registers, RDMSR, WRMSR). A reserved bit
of CR8 is #GP, as there; QEMU ignores it.
"""

from emu.machine import msr, x87, xapic
from emu.machine.debug import STEP, read_debug, write_debug
from emu.machine.decode import (
    CLASS,
    LONG,
    RDMSR,
    READ_CR8,
    READ_DR,
    SERIALISING_WRMSR,
    WRITE_CR8,
    X87,
)
from emu.machine.native import jit
from emu.machine.state import (
    A_TPR,
    M_CURRENT,
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
from emu.machine.unicorn_layout import CR0, DR6, RAX, RCX, RDX, REGISTERS, RIP

_LOW = 0xFFFFFFFF
_GENERAL_PROTECTION, _DEBUG, _NOT_AVAILABLE = 13, 1, 7
_NO_FPU = 1 << 2 | 1 << 3  # CR0.EM and CR0.TS


@jit
def is_emulated(kind: int) -> bool:
    """Return whether the machine executes instructions of this class."""
    return kind & CLASS >= SERIALISING_WRMSR


@jit
def execute(s: State, kind: int, length: int) -> None:
    """Execute the instruction at RIP, or let it raise a fault, which does not return.

    kind: what `decode` says of it. length: in bytes.
    """
    core, operation = s.m[M_CURRENT], kind & CLASS
    if operation == X87:
        if register(s, CR0) & _NO_FPU:
            fault(s, _NOT_AVAILABLE, 0)
    elif privilege(s) != 0:
        fault(s, _GENERAL_PROTECTION, 0)
    number, general = kind >> 8 & 0xF, REGISTERS + 8 * (kind >> 16 & 0xF)
    if operation == X87:
        x87.execute(s, number)
    elif operation == RDMSR:
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
