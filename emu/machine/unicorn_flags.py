"""RFLAGS of the running core, which the engine keeps in parts and computes when somebody asks."""

import numpy as np

from emu.machine.native import jit, load32, load64, store32, store64
from emu.machine.state import M_ENV, State
from emu.machine.unicorn_layout import (
    ARITHMETIC_FLAGS,
    CC_DST,
    CC_OP,
    CC_OP_EFLAGS,
    CC_SRC,
    CC_SRC2,
    DIRECTION,
    FLAG_DF,
    FLAG_TF,
    FLAG_VM,
    HFLAGS,
    IOPL,
    RFLAGS,
)
from emu.machine.unicorn_library import helper_cc_compute_all, x86_update_hflags


@jit
def canonical_flags(s: State) -> None:
    """Write down RFLAGS' arithmetic flags, which the engine computes when somebody asks."""
    env = s.m[M_ENV]
    operation = load32(env + CC_OP)
    if operation != CC_OP_EFLAGS:
        flags = helper_cc_compute_all(
            load64(env + CC_DST), load64(env + CC_SRC), load64(env + CC_SRC2), np.int32(operation)
        )
        store64(env + CC_SRC, flags)
        store32(env + CC_OP, CC_OP_EFLAGS)
    store64(env + CC_DST, 0)
    store64(env + CC_SRC2, 0)


@jit
def flags(s: State) -> int:
    """Return the running core's RFLAGS, where the engine's lazy ones are up to date."""
    canonical_flags(s)
    env = s.m[M_ENV]
    kept = load64(env + RFLAGS) & ~(ARITHMETIC_FLAGS | FLAG_DF)
    down = load32(env + DIRECTION) & FLAG_DF  # 1 or -1
    return kept | load64(env + CC_SRC) & ARITHMETIC_FLAGS | down


@jit
def set_flags(s: State, value: int) -> None:
    """Set RFLAGS; what hangs on it (`update_hidden_flags`) is left behind."""
    env = s.m[M_ENV]
    canonical_flags(s)
    store64(env + CC_SRC, value & ARITHMETIC_FLAGS)
    store32(env + DIRECTION, -1 if value & FLAG_DF else 1)
    store64(env + RFLAGS, value & ~(ARITHMETIC_FLAGS | FLAG_DF) | 2)


@jit
def update_hidden_flags(s: State) -> None:
    """Derive the engine's hflags (mode, privilege) from segments and control registers.

    The engine also copies TF, IOPL and VM there, where nobody would clear them; it reads them
    from RFLAGS.
    """
    env = s.m[M_ENV]
    x86_update_hflags(env)
    store32(env + HFLAGS, load32(env + HFLAGS) & ~(FLAG_TF | IOPL | FLAG_VM))
