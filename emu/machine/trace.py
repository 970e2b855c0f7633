"""The trace: every fetch of every core, in the order in which they happened.

A fetch is one instruction that a core started. What a run executes and what it fetches are the
same thing, counted the same way:

* an instruction that faults was fetched; one whose bytes are not mapped was not, except by the
  move Fetch, which takes its step all the same;
* every iteration of a string instruction with a REP prefix is a fetch, and so is the last look
  at RCX: the machine counts each as an instruction, and can be stopped after any;
* a block that is abandoned in front of an instruction, because that has to be entered alone,
  counts what was executed, and the instruction is fetched when it is entered again.

So the number of fetches of a core is the number of its retired instructions, and the number of a
fetch among those of all cores is what `Machine.retired` returned before it. Its time is the
virtual time at which the instruction starts.

Native code notes blocks, not instructions: when, on which core, how many instructions, and which
*shape*. A shape is a block as it was: where it lies, how many instructions, and its bytes. It is
found by its place and compared byte by byte with RAM each time, so text that was changed, by
whomever, makes another shape. What a Fetch executes is a shape of the bytes it chose. The tables
are small; one that is nearly full pauses the move, as in `events`, and `tracing` drains it.
"""

import numpy as np

from emu.machine.clock import now
from emu.machine.decode import MAX_LENGTH, decode
from emu.machine.native import jit, load8, load64
from emu.machine.state import (
    M_BLOCK_COUNT,
    M_BLOCK_PA,
    M_BLOCK_PA2,
    M_BLOCK_PC,
    M_CURRENT,
    M_RAM,
    M_STOP_AFTER,
    M_TABLES,
    MAX_SHAPE_CODE,
    MAX_SHAPES,
    MAX_TRACED,
    S_BYTES,
    S_CODE,
    S_FIRST,
    S_KIND,
    S_PA,
    S_PA2,
    S_PC,
    SHAPE_SLOTS,
    STOP_FOR_DRAIN,
    T_CODE,
    T_INSTRUCTIONS,
    T_SHAPES,
    T_TIME,
    T_TRACED,
    TABLES,
    Bytes,
    State,
    Words,
)
from emu.machine.unicorn_cpu import linear_rip, mode

_CODE_ADDRESS = M_TABLES + [name for name, _, _ in TABLES].index("shape_code")
_ROOM = 16  # blocks: more than come between a table that is nearly full and the pause
_LONGEST = 8192  # bytes, more than any block has; the engine ends one in its second page
_PROBES = 8


@jit
def trace_block(s: State, size: int) -> None:
    """Append the block of `size` bytes that was just admitted."""
    count = s.m[M_BLOCK_COUNT]
    _append(s, now(s) - count, s.shapes[_shape(s, size), S_FIRST], count)


@jit
def trace_chosen(s: State, addresses: Words, code: Bytes, length: int) -> None:
    """Append the instruction at RIP that will be executed from chosen bytes.

    addresses: physical, of each byte, -1 where it cannot be fetched.
    """
    pc = linear_rip(s)
    in_page = min(length, 4096 - (pc & 0xFFF))
    pa2 = addresses[in_page] if in_page < length else np.int64(-1)
    shape = _new_shape(s, pc, addresses[0], pa2, 1 << 2 | mode(s), length)
    for offset in range(length):
        s.shape_code[s.shapes[shape, S_CODE] + offset] = np.int64(code[offset])
    _append(s, now(s), s.shapes[shape, S_FIRST], 1)


@jit
def shorten(s: State, started: int) -> None:
    """Let the last block that was appended have this many instructions."""
    row = s.trace[T_TRACED] - 1
    what = s.traced[row]
    s.trace[T_TIME] -= (what >> 8 & 0xFFFF) - started
    if started == 0:
        s.trace[T_TRACED] = row
    else:
        s.traced[row] = what >> 24 << 24 | started << 8 | what & 0xFF


@jit
def _append(s: State, time: int, first: int, count: int) -> None:
    row = s.trace[T_TRACED]
    if time != s.trace[T_TIME]:  # the machine was idle in between
        s.traced[row] = ~time
        row += 1
    s.traced[row] = first << 24 | count << 8 | s.m[M_CURRENT]
    s.trace[T_TRACED], s.trace[T_TIME] = row + 1, time + count
    if row > MAX_TRACED - _ROOM:
        s.m[M_STOP_AFTER] |= STOP_FOR_DRAIN


@jit
def _shape(s: State, size: int) -> int:
    """Return the shape of the admitted block; a new one if it was not executed like this before.

    The last of some shapes at one place is found again; others may come to stand there twice.
    """
    pc, pa, pa2 = s.m[M_BLOCK_PC], s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2]
    kind = s.m[M_BLOCK_COUNT] << 2 | mode(s)
    slot = (pa ^ pa >> 11 ^ kind << 5) & (SHAPE_SLOTS - 1)
    for _ in range(_PROBES):
        shape = s.shape_slots[slot] - 1
        if shape < 0:
            break
        other = s.shapes[shape, S_PC] ^ pc | s.shapes[shape, S_KIND] ^ kind
        other |= s.shapes[shape, S_PA] ^ pa | s.shapes[shape, S_PA2] ^ pa2
        if other == 0:
            if _unchanged(s, s.shapes[shape, S_CODE], pa, pa2, size):
                return shape
            break
        slot = (slot + 1) & (SHAPE_SLOTS - 1)
    shape = _new_shape(s, pc, pa, pa2, kind, size)
    s.shape_slots[slot] = shape + 1
    for offset in range(size):
        in_page = offset < 4096 - (pa & 0xFFF)
        address = pa + offset if in_page else pa2 + (pa + offset & 0xFFF)
        s.shape_code[s.shapes[shape, S_CODE] + offset] = s.ram[address]
    return shape


@jit
def _new_shape(s: State, pc: int, pa: int, pa2: int, kind: int, size: int) -> int:
    """Append a shape whose code is still to be filled in."""
    shape, at = s.trace[T_SHAPES], s.trace[T_CODE]
    s.shapes[shape, S_PC], s.shapes[shape, S_PA], s.shapes[shape, S_PA2] = pc, pa, pa2
    s.shapes[shape, S_KIND], s.shapes[shape, S_BYTES] = kind, size
    s.shapes[shape, S_CODE], s.shapes[shape, S_FIRST] = at, s.trace[T_INSTRUCTIONS]
    s.trace[T_SHAPES], s.trace[T_CODE] = shape + 1, at + size
    s.trace[T_INSTRUCTIONS] += kind >> 2
    if shape > MAX_SHAPES - _ROOM or at > MAX_SHAPE_CODE - _ROOM * _LONGEST:
        s.m[M_STOP_AFTER] |= STOP_FOR_DRAIN
    return shape


@jit
def _unchanged(s: State, at: int, pa: int, pa2: int, size: int) -> bool:
    """Return whether a block in RAM is what was kept in `shape_code`."""
    code = s.m[_CODE_ADDRESS] + at
    if pa2 < 0:
        return _equal(s, pa, code, size)
    in_page = 4096 - (pa & 0xFFF)
    return _equal(s, pa, code, in_page) and _equal(s, pa2, code + in_page, size - in_page)


@jit
def _equal(s: State, start: int, code: int, size: int) -> bool:
    """Compare physical memory with code that is kept at a host address."""
    ram = s.m[M_RAM] + start
    if size < 8:
        different = np.int64(0)
        for at in range(size):
            different |= load8(ram + at) ^ load8(code + at)
        return different == 0
    for at in range(0, size - 8, 8):
        if load64(ram + at) != load64(code + at):
            return False
    return load64(ram + size - 8) == load64(code + size - 8)


@jit
def list_instructions(s: State, begin: int, end: int, numbers: Words, codes: Bytes) -> None:
    """Take shapes [begin, end) to instructions.

    numbers: int64 [n, 4] that gets linear address, physical address, length and mode of each.
    codes: uint8 [n, 15] of zeros that gets its bytes.
    """
    code = np.zeros(24, np.uint8)
    row = 0
    for shape in range(begin, end):
        pc, pa, size = s.shapes[shape, S_PC], s.shapes[shape, S_PA], s.shapes[shape, S_BYTES]
        count, code_size = s.shapes[shape, S_KIND] >> 2, s.shapes[shape, S_KIND] & 3
        offset = np.int64(0)
        for index in range(count):
            for byte in range(MAX_LENGTH):
                inside = offset + byte < size
                at = s.shapes[shape, S_CODE] + offset + byte
                code[byte] = s.shape_code[at] if inside else 0
            length, _ = decode(code, code_size)
            if index == count - 1:
                length = size - offset
            in_page = offset < 4096 - (pc & 0xFFF)
            physical = pa + offset if in_page else s.shapes[shape, S_PA2] + (pc + offset & 0xFFF)
            numbers[row, 0], numbers[row, 1] = pc + offset, physical
            numbers[row, 2], numbers[row, 3] = length, code_size
            for byte in range(min(length, MAX_LENGTH)):
                codes[row, byte] = code[byte]
            offset += length
            row += 1
