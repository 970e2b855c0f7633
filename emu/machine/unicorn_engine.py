"""Making an engine: a Unicorn with what this machine needs switched on, and off."""

import ctypes

import numpy as np
from unicorn import unicorn_const as uc_const
from unicorn.unicorn_py3 import Uc

from emu.machine import unicorn_cmpxchg
from emu.machine.state import ENV_SIZE
from emu.machine.unicorn_layout import (
    CPU_TO_ENV_POINTER,
    FEATURES,
    MISC_ENABLE,
    RDRAND,
    RDTSCP,
    UC_TO_CPU,
)

_FAST_STRINGS = 1  # of IA32_MISC_ENABLE: what QEMU's has after power-up


def new_engine() -> Uc:
    """Make an engine."""
    uc = Uc(uc_const.UC_ARCH_X86, uc_const.UC_MODE_64)
    # 1 GiB by default, of which every invalidated block keeps some (unicorn issue 2203)
    uc.ctl_set_tcg_buffer_size(64 << 20)
    uc.ctl_exits_enabled(True)  # with no exits: `until` must never match a guest address
    uc.reg_read(41)  # the CPU comes to life with the first use
    return uc


def open_engine() -> tuple[Uc, int, int]:
    """Make an engine; returns it with the addresses of its CPUState and CPUX86State."""
    uc = new_engine()
    unicorn_cmpxchg.install()
    cpu = ctypes.c_uint64.from_address(uc._uch.value + UC_TO_CPU).value
    env = ctypes.c_uint64.from_address(cpu + CPU_TO_ENV_POINTER).value
    # instructions that would let the host's random numbers and clock into the guest: #UD
    ctypes.c_uint64.from_address(env + FEATURES + 8 * 1).value &= ~RDRAND
    ctypes.c_uint64.from_address(env + FEATURES + 8 * 6).value &= ~RDTSCP
    ctypes.c_uint64.from_address(env + MISC_ENABLE).value = _FAST_STRINGS
    return uc, cpu, env


def pristine_registers(env: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Return the CPUX86State of an engine that has not run, as ENV_SIZE bytes."""
    return np.frombuffer(ctypes.string_at(env, ENV_SIZE), np.uint8)
