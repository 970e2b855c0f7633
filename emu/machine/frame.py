"""The frame that an exception or interrupt leaves on a stack, and what becomes of RFLAGS.

Of `delivery`, the reference engine's.
"""

from emu.machine.native import load32, load64
from emu.machine.paging import store
from emu.machine.state import M_ENV, State
from emu.machine.unicorn_cpu import register, set_register
from emu.machine.unicorn_layout import (
    CC_DST,
    CC_OP,
    CC_SRC,
    CC_SRC2,
    DIRECTION,
    FLAG_DF,
    FLAG_IF,
    FLAG_RF,
    FLAG_TF,
    FLAG_VM,
    RFLAGS,
    RSP,
)
from emu.machine.unicorn_library import helper_cc_compute_all
from emu.machine.word import signed

_NT = 1 << 14
_LOW = 0xFFFFFFFF


def push(s: State, base: int, esp: int, mask: int, size: int, frame: tuple[int, ...]) -> int:
    """Push numbers of 2 or 4 bytes; returns the new stack pointer."""
    for value in frame:
        esp = esp - size & _LOW
        linear = base + (esp & mask)
        store(s, linear & _LOW if size == 4 else linear, size, value)
    return esp


def push64(s: State, rsp: int, frame: tuple[int, ...]) -> int:
    """Push numbers of 8 bytes; returns the new stack pointer."""
    for value in frame:
        rsp = signed(rsp - 8)
        store(s, rsp, 8, value)
    return rsp


def set_stack_pointer(s: State, esp: int, mask: int) -> None:
    """Set ESP, or SP where the stack is of 16 bits."""
    kept = register(s, RSP) & ~0xFFFF if mask == 0xFFFF else 0
    set_register(s, RSP, kept | esp & mask)


def flags_now(s: State) -> int:
    """Return RFLAGS with the flags that the engine has not computed yet."""
    env = s.m[M_ENV]
    arithmetic = helper_cc_compute_all(
        load64(env + CC_DST), load64(env + CC_SRC), load64(env + CC_SRC2), load32(env + CC_OP)
    )
    return register(s, RFLAGS) | arithmetic | load32(env + DIRECTION) & FLAG_DF


def mask_flags(s: State, kind: int) -> None:
    """Clear TF, NT, RF and VM, and IF unless the gate is a trap gate."""
    cleared = FLAG_TF | FLAG_VM | FLAG_RF | _NT | (0 if kind & 1 else FLAG_IF)
    set_register(s, RFLAGS, register(s, RFLAGS) & ~cleared)
