"""What the engine calls back about instructions that it does not execute as this machine has them.

`hooks` registers these functions.
"""

from typing import Any

import numpy as np
from numba import types

from emu.machine import fast_call, msr
from emu.machine.admitted import instructions_ahead, length_at_rip
from emu.machine.clock import COUNTED, HERTZ
from emu.machine.native import hook
from emu.machine.state import M_CLOCK_MODE, M_CORES, M_CURRENT
from emu.machine.unicorn_cpu import identify, register, set_register
from emu.machine.unicorn_layout import RAX, RBX, RCX, RDX
from emu.machine.view import state_at

_i64, _i32, _ptr = types.int64, types.int32, types.voidptr

_RDTSCP, _RDRAND, _RDSEED = 1 << 27, 1 << 30, 1 << 18
# The engine takes shlx for a kind of SSE and refuses it without CR4.OSFXSR; the decompressor of
# Linux 6.12 clears that, and uses BMI2 if there is any.
_BMI2 = 1 << 8
# Leaf 0x15 tells a kernel how fast its TSC and its APIC's timer count: it need not measure them
# against the 8254, for which Linux would spin a tenth of a second (setup_boot_APIC_clock).
_FREQUENCIES = _LAST_LEAF = 0x15
_ENGINE_LAST_LEAF = 0xD
_X2APIC, _TSC_DEADLINE, _APIC = 1 << 21, 1 << 24, 1 << 9


@hook(_i32(_i64, _ptr))
def on_rdtsc(engine: int, data: Any) -> int:
    """rdtsc: virtual time; no clock of the host reaches the guest."""
    s = state_at(data)
    time = msr.tsc(s, s.m[M_CURRENT])
    if s.m[M_CLOCK_MODE] == COUNTED:
        time -= instructions_ahead(s)
    set_register(s, RAX, time & 0xFFFFFFFF)
    set_register(s, RDX, time >> 32 & 0xFFFFFFFF)
    return 1


@hook(types.void(_i64, _ptr))
def on_syscall(engine: int, data: Any) -> None:
    """syscall: the engine only steps over it."""
    s = state_at(data)
    fast_call.syscall(s, length_at_rip(s))


@hook(types.void(_i64, _ptr))
def on_sysenter(engine: int, data: Any) -> None:
    """sysenter: the engine only steps over it."""
    s = state_at(data)
    fast_call.sysenter(s, length_at_rip(s))


@hook(_i32(_i64, _ptr))
def on_cpuid(engine: int, data: Any) -> int:
    """cpuid: the engine's model, with the core's own APIC ID without what reads the host."""
    s = state_at(data)
    leaf = register(s, RAX) & 0xFFFFFFFF
    core = s.m[M_CURRENT]
    output = np.zeros(4, np.int64)
    identify(s, leaf, register(s, RCX) & 0xFFFFFFFF, output)
    if leaf == 0:
        output[0] = _LAST_LEAF
    elif leaf == 1:
        output[1] = output[1] & 0xFFFF | core << 24 | s.m[M_CORES] << 16
        output[2] &= ~(_RDRAND | _X2APIC | _TSC_DEADLINE)
        if not msr.apic_enabled(s, core):
            output[3] &= ~_APIC
    elif leaf == 7:
        output[1] &= ~(_RDSEED | _BMI2)
    elif leaf == 0xB or _ENGINE_LAST_LEAF < leaf < _FREQUENCIES:
        output[:] = 0
    elif leaf == _FREQUENCIES:
        output[0], output[1], output[2], output[3] = 1, 1, HERTZ, 0
    elif leaf == 0x80000001:
        output[3] &= ~_RDTSCP
    set_register(s, RAX, output[0])
    set_register(s, RBX, output[1])
    set_register(s, RCX, output[2])
    set_register(s, RDX, output[3])
    return 1
