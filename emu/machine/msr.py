"""Model-specific registers: what RDMSR and WRMSR of a core do.

The engine keeps those that matter to execution (EFER, segment bases, SYSCALL and SYSENTER, PAT,
TSC_AUX, MISC_ENABLE) in its CPUX86State, by core. The others are here, in the table `msr`: the
base of the local APIC, what is added to the time-stamp counter, MTRRs and machine checks.

As in QEMU 7.2's TCG: one that does not exist reads 0 and ignores what is written; no x2APIC and
no TSC deadline (CPUID says so); no firmware has set up the MTRRs, which decide nothing here. The
base of the APIC is remembered, but its page stays at 0xfee00000; an APIC that was switched off
there stays off. Unlike QEMU, IA32_TIME_STAMP_COUNTER is what RDTSC reads, and can be written.

Source: Intel SDM volume 4; QEMU target/i386/tcg/sysemu/misc_helper.c (helper_rdmsr,
helper_wrmsr), target/i386/cpu.c (mce_init), hw/intc/apic.c (apic_set_base).
"""

from emu.machine import xapic
from emu.machine.clock import time_stamp
from emu.machine.native import jit
from emu.machine.state import (
    A_SVR,
    M_CORES,
    MSR_APIC_BASE,
    MSR_BANKS,
    MSR_MCG_CONTROL,
    MSR_MCG_STATUS,
    MSR_MTRR_DEFAULT,
    MSR_MTRR_FIXED,
    MSR_MTRR_VARIABLE,
    MSR_SIZE,
    MSR_TSC_OFFSET,
    State,
)
from emu.machine.unicorn_cpu import register, set_register, write_efer
from emu.machine.unicorn_layout import (
    CSTAR,
    EFER,
    FMASK,
    FS,
    GS,
    KERNEL_GS_BASE,
    LSTAR,
    MISC_ENABLE,
    PAT,
    SEGMENT_BASE,
    STAR,
    SYSENTER_CS,
    SYSENTER_EIP,
    SYSENTER_ESP,
    TSC_AUX,
)

_TSC, _APIC_BASE, _THREADS, _MICROCODE = 0x10, 0x1B, 0x35, 0x8B
_MTRR_CAP, _MCG_CAP, _MCG_STATUS, _MCG_CONTROL = 0xFE, 0x179, 0x17A, 0x17B
_PERF_STATUS, _MTRR_VARIABLE, _MTRR_DEFAULT, _BANKS = 0x198, 0x200, 0x2FF, 0x400
_EFER = 0xC0000080

_VARIABLE_COUNT, _BANK_COUNT = 16, 40
_MTRR_CAP_VALUE = 0x508  # eight pairs, fixed ranges, write combining
_MCG_CAP_VALUE = 0x0100010A  # ten banks, MCG_CTL, software recovery
_MICROCODE_VALUE = 1 << 32
_PERF_STATUS_VALUE = 4 << 40 | 1000
BSP, ENABLED = 1 << 8, 1 << 11  # of IA32_APIC_BASE


@jit
def reset(s: State, core: int) -> None:
    """Give a core the registers it has after power-up; INIT leaves them alone."""
    for number in range(MSR_SIZE):
        s.msr[core, number] = 0
    s.msr[core, MSR_APIC_BASE] = xapic.BASE | ENABLED | (0 if core else BSP)
    s.msr[core, MSR_MCG_CONTROL] = -1
    for bank in range(0, _BANK_COUNT, 4):
        s.msr[core, MSR_BANKS + bank] = -1


@jit
def tsc(s: State, core: int) -> int:
    """Return a core's time-stamp counter: what `clock` says, and what WRMSR made of it."""
    return time_stamp(s, core) + s.msr[core, MSR_TSC_OFFSET]


@jit
def _engine_offset(number: int) -> int:
    """Return where the engine keeps a register in CPUX86State, or -1."""
    if number == 0x174:
        return SYSENTER_CS
    if number == 0x175:
        return SYSENTER_ESP
    if number == 0x176:
        return SYSENTER_EIP
    if number == 0x1A0:
        return MISC_ENABLE
    if number == 0x277:
        return PAT
    if number == _EFER:
        return EFER
    if number == 0xC0000081:
        return STAR
    if number == 0xC0000082:
        return LSTAR
    if number == 0xC0000083:
        return CSTAR
    if number == 0xC0000084:
        return FMASK
    if number == 0xC0000100:
        return FS + SEGMENT_BASE
    if number == 0xC0000101:
        return GS + SEGMENT_BASE
    if number == 0xC0000102:
        return KERNEL_GS_BASE
    if number == 0xC0000103:
        return TSC_AUX
    return -1


@jit
def _column(number: int) -> int:
    """Return the column of `msr` in which a register is kept as it was written, or -1."""
    if _MTRR_VARIABLE <= number < _MTRR_VARIABLE + _VARIABLE_COUNT:
        return MSR_MTRR_VARIABLE + number - _MTRR_VARIABLE
    if number == 0x250:  # 64 KiB ranges
        return MSR_MTRR_FIXED
    if number == 0x258 or number == 0x259:  # 16 KiB ranges
        return MSR_MTRR_FIXED + 1 + number - 0x258
    if 0x268 <= number <= 0x26F:  # 4 KiB ranges
        return MSR_MTRR_FIXED + 3 + number - 0x268
    if number == _MTRR_DEFAULT:
        return MSR_MTRR_DEFAULT
    if number == _MCG_STATUS:
        return MSR_MCG_STATUS
    if number == _MCG_CONTROL:
        return MSR_MCG_CONTROL
    if _BANKS <= number < _BANKS + _BANK_COUNT:
        return MSR_BANKS + number - _BANKS
    return -1


@jit
def read(s: State, core: int, number: int) -> int:
    """Return what RDMSR of the running core reads, 64 bits."""
    offset, column = _engine_offset(number), _column(number)
    if offset >= 0:
        return register(s, offset) & (0xFFFFFFFF if number == 0x174 else -1)
    if column >= 0:
        return s.msr[core, column]
    if number == _TSC:
        return tsc(s, core)
    if number == _APIC_BASE:
        return s.msr[core, MSR_APIC_BASE]
    if number == _THREADS:
        return s.m[M_CORES] << 16 | s.m[M_CORES]
    if number == _MICROCODE:
        return _MICROCODE_VALUE
    if number == _MTRR_CAP:
        return _MTRR_CAP_VALUE
    if number == _MCG_CAP:
        return _MCG_CAP_VALUE
    if number == _PERF_STATUS:
        return _PERF_STATUS_VALUE
    return 0


@jit
def write(s: State, core: int, number: int, value: int) -> None:
    """Do what WRMSR of the running core does."""
    offset, column = _engine_offset(number), _column(number)
    if number == _EFER:
        write_efer(s)
    elif offset >= 0:
        set_register(s, offset, value & 0xFFFF if number == 0x174 else value)
    elif column >= 0:
        control = number == _MCG_CONTROL or (column >= MSR_BANKS and not column & 3)
        if not control or value == 0 or value == -1:  # all on or all off
            s.msr[core, column] = value
    elif number == _TSC:
        s.msr[core, MSR_TSC_OFFSET] = value - time_stamp(s, core)
    elif number == _APIC_BASE:
        _write_apic_base(s, core, value)


@jit
def _write_apic_base(s: State, core: int, value: int) -> None:
    kept = s.msr[core, MSR_APIC_BASE] & (BSP | ENABLED)
    if not value & ENABLED:
        kept &= BSP
        s.apic[core, A_SVR] &= ~xapic.ENABLED
        xapic.update(s, core)
    s.msr[core, MSR_APIC_BASE] = value & 0xFFFFF000 | kept


@jit
def apic_enabled(s: State, core: int) -> bool:
    """Return whether IA32_APIC_BASE has the core's APIC enabled, as CPUID tells."""
    return s.msr[core, MSR_APIC_BASE] & ENABLED != 0
