"""SYSCALL and SYSENTER: fast calls into ring 0. Unicorn only steps over them.

SYSRET and SYSEXIT are the engine's own. Both functions are called from hooks with RIP at the
instruction, whose length the engine adds when they return.

In all modes in which QEMU has them: SYSCALL in legacy mode as on AMD, SYSENTER in long mode as
on Intel. Unlike QEMU, SYSCALL keeps the arithmetic flags that IA32_FMASK leaves, as the manual
says.

Source: Intel SDM volume 2, SYSCALL and SYSENTER; AMD manual volume 3 for legacy mode; QEMU
target/i386/tcg/seg_helper.c (helper_syscall, helper_sysenter).
"""

from emu.machine.decode import LONG
from emu.machine.native import jit
from emu.machine.start_registers import set_segment
from emu.machine.state import M_ENV, State
from emu.machine.unicorn_blocks import fault
from emu.machine.unicorn_cpu import mode, register, set_register
from emu.machine.unicorn_flags import flags, set_flags, update_hidden_flags
from emu.machine.unicorn_layout import (
    CS,
    CSTAR,
    EFER,
    FLAG_IF,
    FLAG_RF,
    FLAG_VM,
    FMASK,
    LMA,
    LSTAR,
    RCX,
    REGISTERS,
    RFLAGS,
    RIP,
    RSP,
    SS,
    STAR,
    SYSENTER_CS,
    SYSENTER_EIP,
    SYSENTER_ESP,
)

_SYSCALL_ENABLED = 1  # of EFER
_R11 = REGISTERS + 8 * 11
_CODE64, _CODE32, _DATA = 0x00A09B00, 0x00C09B00, 0x00C09300  # flat, ring 0, accessed
_LOW = 0xFFFFFFFF
_UNDEFINED, _GENERAL_PROTECTION = 6, 13


@jit
def _enter_ring0(s: State, selector: int, code: int) -> None:
    """Load flat CS and SS of ring 0 from two neighbouring selectors."""
    env = s.m[M_ENV]
    set_segment(env, CS, selector & 0xFFFC, 0, _LOW, code)
    set_segment(env, SS, (selector & 0xFFFC) + 8, 0, _LOW, _DATA)
    update_hidden_flags(s)


@jit
def syscall(s: State, length: int) -> None:
    """Execute SYSCALL of `length` bytes; raises #UD unless EFER.SCE is set."""
    if not register(s, EFER) & _SYSCALL_ENABLED:
        fault(s, _UNDEFINED, 0)
    behind, star, old = register(s, RIP) + length, register(s, STAR), flags(s)
    if register(s, EFER) & LMA:
        target = register(s, LSTAR) if mode(s) == LONG else register(s, CSTAR)
        set_register(s, RCX, behind)
        set_register(s, _R11, old & ~FLAG_RF)
        set_flags(s, old & ~(register(s, FMASK) | FLAG_RF))
        _enter_ring0(s, star >> 32, _CODE64)
    else:
        target = star & _LOW
        set_register(s, RCX, behind & _LOW)
        set_flags(s, old & ~(FLAG_IF | FLAG_RF | FLAG_VM))
        _enter_ring0(s, star >> 32, _CODE32)
    set_register(s, RIP, target - length)


@jit
def sysenter(s: State, length: int) -> None:
    """Execute SYSENTER of `length` bytes; raises #GP where IA32_SYSENTER_CS is 0.

    The arithmetic flags are left as they are: the engine has not written them down here.
    """
    selector = register(s, SYSENTER_CS) & 0xFFFF
    if selector == 0:
        fault(s, _GENERAL_PROTECTION, 0)
    set_register(s, RFLAGS, register(s, RFLAGS) & ~(FLAG_VM | FLAG_IF | FLAG_RF))
    wide = register(s, EFER) & LMA
    _enter_ring0(s, selector, _CODE64 if wide else _CODE32)
    set_register(s, RSP, register(s, SYSENTER_ESP) & (-1 if wide else _LOW))
    set_register(s, RIP, (register(s, SYSENTER_EIP) & (-1 if wide else _LOW)) - length)
