"""Descriptors and segment registers, for the reference engine's delivery.

A descriptor is its two words (low, high). Source: Intel SDM volume 3A, "Segment Descriptors"; the
hidden flags are those of QEMU (cpu_x86_load_seg_cache in target/i386/cpu.h).
"""

from emu.machine.native import load32, store32, store64
from emu.machine.paging import load
from emu.machine.state import M_ENV, State
from emu.machine.unicorn_cpu import register
from emu.machine.unicorn_layout import (
    CS,
    CS32,
    CS64,
    DS,
    EFER,
    ES,
    FLAG_VM,
    GDT,
    HFLAGS,
    LDT,
    RFLAGS,
    SEGMENT_BASE,
    SEGMENT_FLAGS,
    SEGMENT_LIMIT,
    SS,
)

# of a descriptor's second word
PRESENT, NOT_SYSTEM, CODE, CONFORMING, WRITABLE = 1 << 15, 1 << 12, 1 << 11, 1 << 10, 1 << 9
LONG, BIG, GRANULAR = 1 << 21, 1 << 22, 1 << 23
LMA = 1 << 10  # of EFER
_SS32, _ADDSEG = 1 << 5, 1 << 6  # of hflags


def find_descriptor(s: State, selector: int) -> tuple[int, int] | None:
    """Return the two words of a descriptor, None if it lies outside its table."""
    table = LDT if selector & 4 else GDT
    at = selector & ~7
    if at + 7 > load32(s.m[M_ENV] + table + SEGMENT_LIMIT):
        return None
    at += register(s, table + SEGMENT_BASE)
    return load(s, at, 4), load(s, at + 4, 4)


def privilege(s: State) -> int:
    """Return the running core's privilege level."""
    return load32(s.m[M_ENV] + HFLAGS) & 3


def stack_mask(flags: int) -> int:
    """Return which bits of the stack pointer a stack segment uses, told by its second word."""
    return 0xFFFFFFFF if flags & BIG else 0xFFFF


def base_of(descriptor: tuple[int, int]) -> int:
    """Return the address at which a segment begins."""
    low, high = descriptor
    return low >> 16 | (high & 0xFF) << 16 | high & 0xFF000000


def load_descriptor(s: State, segment: int, selector: int, descriptor: tuple[int, int]) -> None:
    """Load a segment register (its offset in CPUX86State) with a segment."""
    low, high = descriptor
    limit = low & 0xFFFF | high & 0xF0000
    if high & GRANULAR:
        limit = limit << 12 | 0xFFF
    load_segment(s, segment, selector, base_of(descriptor), limit, high)


def load_segment(s: State, segment: int, selector: int, base: int, limit: int, flags: int) -> None:
    """Load a segment register, and the engine's hidden flags that hang on it."""
    env = s.m[M_ENV]
    store32(env + segment, selector)
    store64(env + segment + SEGMENT_BASE, base)
    store32(env + segment + SEGMENT_LIMIT, limit)
    store32(env + segment + SEGMENT_FLAGS, flags)
    hidden = load32(env + HFLAGS)
    if segment == SS:
        hidden = hidden & ~3 | flags >> 13 & 3
    if segment == CS:
        hidden &= ~(CS32 | CS64)
        if register(s, EFER) & LMA and flags & LONG:
            hidden |= CS32 | CS64
        elif flags & BIG:
            hidden |= CS32
    hidden &= ~(_SS32 | _ADDSEG)
    if load32(env + SS + SEGMENT_FLAGS) & BIG:
        hidden |= _SS32
    if not hidden & CS64:
        flat = not any(register(s, each + SEGMENT_BASE) for each in (DS, ES, SS))
        if not hidden & CS32 or register(s, RFLAGS) & FLAG_VM or not flat:
            hidden |= _ADDSEG
    store32(env + HFLAGS, hidden)
