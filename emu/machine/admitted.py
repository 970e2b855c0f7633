"""The block that was admitted last: its instructions, where RIP stands among them, its account.

A block is one or two stretches of RAM. What it consists of is decoded when somebody asks: when it
was left early, by a fault or a trap, or has to be cut. It is charged to the slice's budget when it
is admitted; what was not executed of it is given back.
"""

import numpy as np

from emu.machine import dirty
from emu.machine.decode import decode
from emu.machine.emulated_lines import mark_line
from emu.machine.events import SERIALISED, emit
from emu.machine.faults import end_freeze
from emu.machine.native import jit
from emu.machine.state import (
    LINE,
    LINE_FETCHED,
    M_BEHIND,
    M_BLOCK_ALONE,
    M_BLOCK_COUNT,
    M_BLOCK_FRESH,
    M_BLOCK_PA,
    M_BLOCK_PA2,
    M_BLOCK_PC,
    M_BLOCK_SIZE,
    M_BUDGET,
    M_CANDIDATE_ALONE,
    M_CANDIDATE_COUNT,
    M_CANDIDATE_PA,
    M_CANDIDATE_PA2,
    M_CHOSEN,
    M_CURRENT,
    M_DELIVERING,
    M_RAM_SIZE,
    M_SERIAL,
    M_TRACE,
    Bytes,
    State,
)
from emu.machine.text import is_behind, serialise
from emu.machine.trace import shorten, trace_block
from emu.machine.unicorn_blocks import enter_alone
from emu.machine.unicorn_cpu import linear_rip, mode, register
from emu.machine.unicorn_layout import RSP

_ICEBP = 0xF1


@jit
def physical(pa: int, pa2: int, offset: int) -> int:
    """Return the physical address of a byte of a block that may cross into a second page."""
    address = pa + offset
    if address >> 12 != pa >> 12:
        return pa2 + (address & 0xFFF)
    return address


@jit
def block_code(s: State, pa: int, pa2: int, offset: int, code: Bytes) -> None:
    """Copy up to 15 bytes of a block from RAM, as far as its pages go."""
    for index in range(15):
        address = physical(pa, pa2, offset + index)
        code[index] = s.ram[address] if 0 <= address < s.m[M_RAM_SIZE] else 0


@jit
def _length_at(s: State, offset: int, code: Bytes) -> int:
    """Return the bytes of the instruction at an offset of the admitted block; `code` gets them."""
    block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
    length, _ = decode(code, mode(s))
    return length


@jit
def size_of(s: State, instructions: int) -> int:
    """Return the bytes of the first instructions of the admitted block."""
    code = np.zeros(24, np.uint8)
    offset = 0
    for _ in range(instructions):
        offset += _length_at(s, offset, code)
    return offset


@jit
def index_in_block(s: State) -> int:
    """Return the number of whole instructions in the admitted block before RIP."""
    target = linear_rip(s) - s.m[M_BLOCK_PC]
    code = np.zeros(24, np.uint8)
    offset = index = 0
    while offset < target and index < s.m[M_BLOCK_COUNT]:
        offset += _length_at(s, offset, code)
        index += 1
    return index


@jit
def instructions_ahead(s: State) -> int:
    """Return how many instructions of the admitted block come after the one at RIP.

    They are charged to the budget already, so the clock is ahead by them.
    """
    if s.m[M_BLOCK_COUNT] <= 1 or s.m[M_DELIVERING]:
        return 0
    return max(s.m[M_BLOCK_COUNT] - index_in_block(s) - 1, 0)


@jit
def length_at_rip(s: State) -> int:
    """Return the bytes of the instruction at RIP, which lies in the admitted block."""
    if s.m[M_CHOSEN]:
        return s.m[M_BLOCK_SIZE]
    return _length_at(s, linear_rip(s) - s.m[M_BLOCK_PC], np.zeros(24, np.uint8))


@jit
def start_of_trap(s: State) -> int:
    """Return the linear address of the instruction in the admitted block that ends at RIP."""
    target = linear_rip(s) - s.m[M_BLOCK_PC]
    code = np.zeros(24, np.uint8)
    offset = start = 0
    for _ in range(s.m[M_BLOCK_COUNT]):
        if offset >= target:
            break
        start = offset
        offset += _length_at(s, offset, code)
    return s.m[M_BLOCK_PC] + start


@jit
def rip_in_block(s: State) -> bool:
    """Return whether RIP lies in the admitted block."""
    offset = linear_rip(s) - s.m[M_BLOCK_PC]
    return s.m[M_BLOCK_COUNT] > 0 and 0 <= offset < 15 * s.m[M_BLOCK_COUNT]


@jit
def stands_at_icebp(s: State) -> int:
    """Return the length of the ICEBP at RIP, or 0; to the engine there is no such instruction."""
    if not rip_in_block(s):
        return 0
    code = np.zeros(24, np.uint8)
    offset = linear_rip(s) - s.m[M_BLOCK_PC]
    length = length_at_rip(s)
    block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
    return length if code[length - 1] == _ICEBP else 0


@jit
def admit(s: State, pc: int, size: int, fresh: int) -> None:
    """Make the candidate, of `size` bytes, the admitted block. fresh: not all of it was fetched."""
    count = s.m[M_CANDIDATE_COUNT]
    s.m[M_BUDGET] -= count
    s.m[M_BLOCK_PC] = pc
    s.m[M_BLOCK_PA] = s.m[M_CANDIDATE_PA]
    s.m[M_BLOCK_PA2] = s.m[M_CANDIDATE_PA2]
    s.m[M_BLOCK_COUNT] = count
    s.m[M_BLOCK_ALONE] = s.m[M_CANDIDATE_ALONE]
    s.m[M_BLOCK_SIZE], s.m[M_BLOCK_FRESH] = size, fresh
    if fresh and count == 1:  # it was fetched before it may store to its own line
        _mark_fetched(s, size)
    if s.m[M_TRACE] and not s.m[M_CHOSEN]:  # `fetch.fetch` has noted what it chose
        trace_block(s, size)


@jit
def finish_block(s: State) -> None:
    """Do what follows when the admitted block has run to its end."""
    if s.m[M_BLOCK_FRESH]:
        _mark_fetched(s, s.m[M_BLOCK_SIZE])
    if s.m[M_SERIAL]:
        s.m[M_SERIAL] = 0
        core = s.m[M_CURRENT]
        if serialise(s, core):
            emit(s, core, SERIALISED, s.m[M_BLOCK_PC], 0, 0, 0, register(s, RSP))
        end_freeze(s, core, register(s, RSP))
        s.m[M_BEHIND] = is_behind(s, core)


@jit
def give_back(s: State, started: int) -> None:
    """The admitted block was left after `started` of its instructions: correct the budget."""
    if s.m[M_BLOCK_FRESH]:
        _mark_fetched(s, size_of(s, started))
    if s.m[M_BLOCK_COUNT]:
        s.m[M_BUDGET] += s.m[M_BLOCK_COUNT] - started
        s.m[M_BLOCK_COUNT] = 0
        if s.m[M_TRACE]:
            shorten(s, started)
    s.m[M_SERIAL] = 0


@jit
def _mark_fetched(s: State, size: int) -> None:
    """Mark the lines of the first `size` bytes of the admitted block as fetched.

    Not before they were: what a block that is left early did not reach stays fresh, as it would
    if the block had been entered instruction by instruction.
    """
    for offset in range(0, size, LINE):
        _mark_line_fetched(s, physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset) >> 6)
    if size:
        _mark_line_fetched(s, physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], size - 1) >> 6)
    s.m[M_BLOCK_FRESH] = 0


@jit
def _mark_line_fetched(s: State, line: int) -> None:
    if not s.lines[line] & LINE_FETCHED:
        s.lines[line] |= LINE_FETCHED
        mark_line(s, line)
        dirty.mark(s, line * LINE, 1)


@jit
def only_alone(s: State) -> None:
    """Go on only if the instruction is a block of its own; else enter it as one."""
    if not s.m[M_BLOCK_ALONE] and not s.m[M_DELIVERING]:
        give_back(s, index_in_block(s))
        enter_alone(s)
