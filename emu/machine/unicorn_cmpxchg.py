"""CMPXCHG8B and CMPXCHG16B, of which the engine forgets the flags.

The two set ZF and leave the other flags alone. QEMU's helpers take those others from `cc_op` in
memory, which their translated code has not brought up to date (target/i386/translate.c, case
0x1c7: no gen_update_cc_op): what comes out of it is anything, TF and NT included, until the next
instruction that sets flags. QEMU itself seldom notices, as it interrupts between blocks; this
machine interrupts between instructions, and Linux allocates memory with CMPXCHG16B.

So the two helpers begin with a jump to ours, which has the engine bring `cc_op` up to date as it
does where an instruction faults (translate-all.c: cpu_restore_state) before it computes flags. The
jump is written into the library's code in memory, once in a process and for all its engines.
"""

import ctypes
import functools
import mmap

import numpy as np
from numba import types

from emu.errors import Unsupported
from emu.machine.native import entry, jit, load32, load64, store64
from emu.machine.unicorn_layout import (
    CC_DST,
    CC_OP,
    CC_SRC,
    CC_SRC2,
    CPU_TO_ENV,
    RAX,
    RBX,
    RCX,
    RDX,
)
from emu.machine.unicorn_library import (
    cpu_ldq_data_ra,
    cpu_restore_state,
    cpu_stq_data_ra,
    helper_cc_compute_all,
    helper_cmpxchg8b,
    helper_cmpxchg16b,
    raise_exception_ra,
)

_ZF = 1 << 6
_GENERAL_PROTECTION = 13
_LOW = 0xFFFFFFFF
_MOV_RAX, _JMP_RAX = b"\x48\xb8", b"\xff\xe0"


@jit
def _flags_before(env: int, caller: int) -> int:
    """Return the arithmetic flags before the instruction whose code returns to `caller`."""
    cpu_restore_state(env - CPU_TO_ENV, caller, 0)
    return helper_cc_compute_all(
        load64(env + CC_DST),
        load64(env + CC_SRC),
        load64(env + CC_SRC2),
        np.int32(load32(env + CC_OP)),
    )


def _cmpxchg8b(caller: int, env: int, address: int) -> bool:
    """Do what helper_cmpxchg8b_unlocked does, without LOCK or on a machine with one thread."""
    flags = _flags_before(env, caller)
    expected = load64(env + RDX) << 32 | load64(env + RAX) & _LOW
    found = cpu_ldq_data_ra(env, address, caller)
    if found == expected:
        wanted = load64(env + RCX) << 32 | load64(env + RBX) & _LOW
        cpu_stq_data_ra(env, address, wanted, caller)
        store64(env + CC_SRC, flags | _ZF)
    else:
        cpu_stq_data_ra(env, address, found, caller)  # it is always written to
        store64(env + RDX, found >> 32 & _LOW)
        store64(env + RAX, found & _LOW)
        store64(env + CC_SRC, flags & ~_ZF)
    return True


def _cmpxchg16b(caller: int, env: int, address: int) -> bool:
    """Do what helper_cmpxchg16b_unlocked does."""
    if address & 15:
        raise_exception_ra(env, _GENERAL_PROTECTION, caller)
    flags = _flags_before(env, caller)
    low = cpu_ldq_data_ra(env, address, caller)
    high = cpu_ldq_data_ra(env, address + 8, caller)
    if low == load64(env + RAX) and high == load64(env + RDX):
        cpu_stq_data_ra(env, address, load64(env + RBX), caller)
        cpu_stq_data_ra(env, address + 8, load64(env + RCX), caller)
        store64(env + CC_SRC, flags | _ZF)
    else:
        cpu_stq_data_ra(env, address, low, caller)
        cpu_stq_data_ra(env, address + 8, high, caller)
        store64(env + RDX, high)
        store64(env + RAX, low)
        store64(env + CC_SRC, flags & ~_ZF)
    return True


_ours8b = entry(_cmpxchg8b, None, types.int64, types.int64)
_ours16b = entry(_cmpxchg16b, None, types.int64, types.int64)


@jit
def _addresses() -> tuple[int, int]:
    return _ours8b(), _ours16b()


@functools.cache
def install() -> None:
    """Let the two helpers of this process's library begin with a jump to ours."""
    for helper, ours in zip((helper_cmpxchg8b, helper_cmpxchg16b), _addresses(), strict=True):
        _write_code(helper, _MOV_RAX + ours.to_bytes(8, "little") + _JMP_RAX)


def _write_code(address: int, code: bytes) -> None:
    """Write over code of this process."""
    start = address & -mmap.PAGESIZE
    size = address + len(code) - start
    protect = ctypes.CDLL(None).mprotect
    protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    executable = mmap.PROT_READ | mmap.PROT_EXEC
    if protect(start, size, executable | mmap.PROT_WRITE):
        raise Unsupported("this system does not let a process change its own code (mprotect)")
    ctypes.memmove(address, code, len(code))
    protect(start, size, executable)
