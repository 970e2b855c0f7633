"""Translated blocks: which one runs, how long the next may be, which are forgotten.

Source: Unicorn 2.1.4: qemu/accel/tcg/translate-all.c, cpu-exec.c.
"""

import numpy as np

from emu.machine.native import (
    jit,
    load16,
    load32,
    load64,
    store32,
)
from emu.machine.state import (
    M_CPU,
    M_ENV,
    M_REASON,
    M_UC,
    State,
)
from emu.machine.unicorn_layout import (
    CFLAGS_COUNT,
    CPU_CFLAGS_NEXT_TB,
    TB_ALIGN,
    TB_CFLAGS,
    TB_CODE,
    TB_COUNT,
    TB_PAGES,
    TB_PC,
    TB_TO_CODE,
)
from emu.machine.unicorn_library import (
    cpu_loop_exit_noexc,
    raise_exception_err,
    tb_invalidate_phys_range,
    tlb_flush,
    uc_emu_stop,
)


@jit
def stop(s: State, reason: int) -> None:
    """Stop the engine before the block whose hook calls this."""
    s.m[M_REASON] = reason
    uc_emu_stop(s.m[M_UC])


@jit
def limit_next_block(s: State, instructions: int) -> None:
    """Let the next block that is entered have at most this many instructions."""
    store32(s.m[M_CPU] + CPU_CFLAGS_NEXT_TB, min(instructions, CFLAGS_COUNT))


@jit
def enter_alone(s: State) -> None:
    """Abandon the block that runs; enter it again at RIP as a block of one instruction.

    Does not return: it unwinds to the engine's main loop. Only for hooks that the engine calls
    with RIP up to date, before the instruction has had any effect.
    """
    limit_next_block(s, 1)
    cpu_loop_exit_noexc(s.m[M_CPU])


@jit
def go_on(s: State) -> None:
    """Abandon the block before it runs and go on at RIP; does not return, as `enter_alone`."""
    cpu_loop_exit_noexc(s.m[M_CPU])


@jit
def fault(s: State, vector: int, error: int) -> None:
    """Let the instruction that runs raise a fault; does not return, as `enter_alone`."""
    raise_exception_err(s.m[M_ENV], np.int32(vector), np.int32(error))


@jit
def forget(s: State, start: int, end: int) -> None:
    """Drop the translations of physical [start, end), after bytes were changed from outside."""
    tb_invalidate_phys_range(s.m[M_UC], start, end)


@jit
def flush_tlb(s: State) -> None:
    """Forget all address translations."""
    tlb_flush(s.m[M_CPU])


@jit
def block_at(caller: int) -> int:
    """Return the TranslationBlock whose code calls a hook; `caller` is where that returns to.

    The engine puts a block's code behind its TranslationBlock, and the call of the hook is among
    the first instructions: one step back, or two.
    """
    code = caller & -TB_ALIGN
    while load64(code - TB_TO_CODE + TB_CODE) != code:
        code -= TB_ALIGN
    return code - TB_TO_CODE


@jit
def block_pa(block: int) -> int:
    """Return the physical address at which a block begins; negative if that is not in RAM."""
    return load64(block + TB_PAGES) & ~0xFFF | load64(block + TB_PC) & 0xFFF


@jit
def block_pa2(block: int) -> int:
    """Return the physical address of the second page of a block, or -1."""
    return load64(block + TB_PAGES + 8)


@jit
def block_count(block: int) -> int:
    """Return how many instructions a block has."""
    return load16(block + TB_COUNT)


@jit
def block_whole(block: int) -> bool:
    """Return whether nobody limited the number of a block's instructions."""
    return load32(block + TB_CFLAGS) & CFLAGS_COUNT == 0


@jit
def block_alone(block: int) -> bool:
    """Return whether a block was made to have one instruction only."""
    return load32(block + TB_CFLAGS) & CFLAGS_COUNT == 1
