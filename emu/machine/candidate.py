"""The candidate: the block about to be entered. What in it has to be looked at, or come first?

A candidate is cut so that something in it comes first in a block: an unstable instruction, a
probe, a breakpoint, a serialising instruction of a core whose floor is behind, an instruction
that the machine executes itself.
"""

import numpy as np

from emu.machine.admitted import block_code, physical
from emu.machine.debug import next_breakpoint, resumes
from emu.machine.decode import CLASS, PLAIN, SERIALISING, SERIALISING_WRMSR, WRITE_DR, decode
from emu.machine.emulated import is_emulated
from emu.machine.guards import guard
from emu.machine.native import jit
from emu.machine.probes import probed
from emu.machine.state import (
    ARMED_DATA,
    C_ARMED,
    C_TRAP,
    LINE_FETCHED,
    LINE_GUARDED,
    LINE_LIVE,
    LINE_PROBE,
    M_BEHIND,
    M_BUDGET,
    M_CANDIDATE_ALONE,
    M_CANDIDATE_COUNT,
    M_CANDIDATE_PA,
    M_CANDIDATE_PA2,
    M_CANDIDATE_SIZE,
    M_CURRENT,
    M_EMULATED,
    M_LIMIT,
    M_MODEL,
    M_SERIAL,
    STOP_SPLIT,
    STOP_UNSTABLE,
    TRAP_RESUMED,
    State,
)
from emu.machine.text import COHERENT, is_behind, unstable
from emu.machine.unicorn_blocks import stop
from emu.machine.unicorn_cpu import mode, register
from emu.machine.unicorn_layout import RCX

READY = LINE_FETCHED | LINE_GUARDED  # flags of a line about which nothing is special
# WRMSR to these does not serialise (SDM volume 2, WRMSR): x2APIC registers; SPEC_CTRL, PRED_CMD,
# TSX_CTRL, TSC_DEADLINE, PKRS, HWP_REQUEST.
_X2APIC_FIRST, _X2APIC_LAST = 0x802, 0x83F
_UNSERIALISING = (0x48, 0x49, 0x122, 0x6E0, 0x6E1, 0x774)


@jit
def mind_breakpoints(s: State, pc: int, size: int) -> bool:
    """Cut the candidate where a breakpoint wants it."""
    core, alone = s.m[M_CURRENT], s.m[M_CANDIDATE_ALONE]
    if resumes(s):
        if s.m[M_CANDIDATE_COUNT] > 1:
            return _cut(s, 1)
        if s.m[M_BUDGET]:
            s.core[core, C_TRAP] |= TRAP_RESUMED
    else:
        before = _instructions_before(s, next_breakpoint(s, pc, size))
        if before > 0:
            return _cut(s, before)
    if s.core[core, C_ARMED] & ARMED_DATA and not alone and not s.m[M_EMULATED]:
        return _cut(s, 1)
    return True


@jit
def _instructions_before(s: State, distance: int) -> int:
    """Return how many instructions of the candidate end at this offset, 0 where none does."""
    code = np.zeros(24, np.uint8)
    offset = 0
    for index in range(s.m[M_CANDIDATE_COUNT]):
        if offset >= distance:
            return index if offset == distance else 0
        block_code(s, s.m[M_CANDIDATE_PA], s.m[M_CANDIDATE_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
    return 0


@jit
def line_flags(s: State, size: int) -> int:
    """Return the flags of the candidate's lines, all together.

    READY when nothing is special about them; less where a line is not guarded or not fetched.
    """
    start = s.m[M_CANDIDATE_PA]
    in_page = min(size, 4096 - (start & 0xFFF))
    any_line, every_line = _flags_of(s, start, in_page)
    if size > in_page:
        more, fewer = _flags_of(s, s.m[M_CANDIDATE_PA2], size - in_page)
        any_line, every_line = any_line | more, every_line & fewer
    return any_line & ~READY | every_line & READY


@jit
def _flags_of(s: State, start: int, size: int) -> tuple[int, int]:
    """Return the flags that any, and that every line of a range has."""
    line = start >> 6
    any_line, every_line = s.lines[line], s.lines[line]
    while line + 1 << 6 < start + size:
        line += 1
        any_line |= s.lines[line]
        every_line &= s.lines[line]
    return any_line, every_line


@jit
def inspect(s: State, flags: int, size: int) -> bool:
    """Look at the candidate instruction by instruction; stop or cut it where needed."""
    pa, pa2 = s.m[M_CANDIDATE_PA], s.m[M_CANDIDATE_PA2]
    if not flags & LINE_GUARDED:
        guard(s, pa, pa + 1)
        if pa2 >= 0:
            guard(s, pa2, pa2 + 1)
    core = s.m[M_CURRENT]
    uncertain = flags & LINE_LIVE and s.m[M_MODEL] != COHERENT
    s.m[M_BEHIND] = behind = is_behind(s, core)
    code = np.zeros(24, np.uint8)
    offset = 0
    for index in range(s.m[M_CANDIDATE_COUNT]):
        address = physical(pa, pa2, offset)
        block_code(s, pa, pa2, offset, code)
        length, kind = decode(code, mode(s))
        if uncertain and _unstable_instruction(s, core, pa, pa2, offset, length):
            if index == 0:
                stop(s, STOP_UNSTABLE)
                return False
            return _cut(s, index)
        in_line = index and flags & LINE_PROBE and s.lines[address >> 6] & LINE_PROBE
        if in_line and probed(s, address):
            return _cut(s, index)
        if is_emulated(kind):
            if index:
                return _cut(s, index)
            s.m[M_EMULATED], s.m[M_CANDIDATE_SIZE], s.m[M_CANDIDATE_COUNT] = kind, length, 1
        if behind and kind != PLAIN and serialises(s, kind):
            if index or s.m[M_CANDIDATE_COUNT] > 1:
                return _cut(s, max(index, 1))
            s.m[M_SERIAL] = s.m[M_CANDIDATE_COUNT] <= s.m[M_BUDGET]
        if s.m[M_EMULATED]:
            return True
        offset += length
    return True


@jit
def _cut(s: State, instructions: int) -> bool:
    s.m[M_LIMIT] = instructions
    stop(s, STOP_SPLIT)
    return False


@jit
def serialises(s: State, kind: int) -> bool:
    """Return whether an instruction of this class of `decode` serialises, with RCX as it is."""
    kind &= CLASS
    if kind != SERIALISING_WRMSR:
        return kind == SERIALISING or kind == WRITE_DR
    msr = register(s, RCX) & 0xFFFFFFFF
    return not (_X2APIC_FIRST <= msr <= _X2APIC_LAST or msr in _UNSERIALISING)


@jit
def _unstable_instruction(s: State, core: int, pa: int, pa2: int, offset: int, length: int) -> bool:
    """Return whether any byte of the instruction has several versions for the core."""
    start = physical(pa, pa2, offset)
    in_page = min(length, 4096 - (start & 0xFFF))
    if unstable(s, core, start, in_page):
        return True
    return length > in_page and pa2 >= 0 and unstable(s, core, pa2, length - in_page)
