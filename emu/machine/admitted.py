"""The instructions of the block that was admitted last, and where RIP stands among them.

A block is one or two stretches of RAM. What it consists of is decoded when somebody asks: when it
was left early, by a fault or a trap, or has to be cut.
"""

import numpy as np

from emu.machine.decode import decode
from emu.machine.native import jit
from emu.machine.state import (
    M_BLOCK_COUNT,
    M_BLOCK_PA,
    M_BLOCK_PA2,
    M_BLOCK_PC,
    M_BLOCK_SIZE,
    M_CHOSEN,
    M_RAM_SIZE,
    Bytes,
    State,
)
from emu.machine.unicorn_cpu import linear_rip, mode

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
def size_of(s: State, instructions: int) -> int:
    """Return the bytes of the first instructions of the admitted block."""
    code = np.zeros(24, np.uint8)
    offset = 0
    for _ in range(instructions):
        block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
    return offset


@jit
def index_in_block(s: State) -> int:
    """Return the number of whole instructions in the admitted block before RIP."""
    target = linear_rip(s) - s.m[M_BLOCK_PC]
    code = np.zeros(24, np.uint8)
    offset = index = 0
    while offset < target and index < s.m[M_BLOCK_COUNT]:
        block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
        index += 1
    return index


@jit
def length_at_rip(s: State) -> int:
    """Return the bytes of the instruction at RIP, which lies in the admitted block."""
    if s.m[M_CHOSEN]:
        return s.m[M_BLOCK_SIZE]
    code = np.zeros(24, np.uint8)
    offset = linear_rip(s) - s.m[M_BLOCK_PC]
    block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
    length, _ = decode(code, mode(s))
    return length


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
        block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
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
