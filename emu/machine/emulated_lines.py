"""Lines of text in which an instruction that the machine executes itself may begin.

The flag LINE_EMULATED is set by the look of the bytes, at any alignment: too often does no harm,
as what stands there is decoded before anything is done. It is set when a line becomes text, and
by stores to text, and never taken back.

What was decoded from the start of a block and has none of them is remembered by its first byte
(`inspected`), as long as nothing in its page changes: a kernel can spend its time in such a line.
"""

import numpy as np

from emu.machine.native import jit
from emu.machine.state import LINE, LINE_EMULATED, M_RAM_SIZE, PAGE, Bytes, State, Words


@jit
def note_inspected(s: State, start: int, size: int) -> None:
    """Note that none begins in a block of a core in long mode, as long as the engine makes them."""
    s.inspected[start] = size if size < 256 else 0


@jit
def was_inspected(s: State, start: int, size: int) -> bool:
    """Return whether it is known that none begins in a block."""
    return s.inspected[start] >= size


@jit
def forget_inspected(s: State, address: int) -> None:
    """Forget what is known of a page that changes."""
    page = address & -PAGE
    for at in range(page, page + PAGE):
        s.inspected[at] = 0


@jit
def mark_line(s: State, line: int) -> None:
    """Look at a line that becomes text: may an instruction that is executed here begin in it?"""
    start = line * LINE
    code = np.zeros(LINE + 2, np.uint8)
    count = min(LINE + 2, s.m[M_RAM_SIZE] - start)
    for index in range(count):
        code[index] = s.ram[start + index]
    _mark(s, start, code, count)


@jit
def mark_lines(s: State, lines: Words) -> None:
    """Look at lines that become text."""
    for line in lines:
        mark_line(s, line)


@jit
def mark_store(s: State, address: int, length: int, new: int) -> None:
    """Look at up to eight bytes that are about to be stored to text, with their neighbours."""
    start = max(address - 2, 0)
    forget_inspected(s, address)
    code = np.zeros(12, np.uint8)
    count = min(address + length + 2, s.m[M_RAM_SIZE]) - start
    for index in range(count):
        offset = start + index - address
        inside = 0 <= offset < length
        code[index] = new >> 8 * offset & 0xFF if inside else s.ram[start + index]
    _mark(s, start, code, count)
    last = address + length - 1
    if code[last - start] in (0x0F, 0xD9):  # the bytes behind it may be about to change as well
        s.lines[last // LINE] |= LINE_EMULATED


@jit
def _mark(s: State, start: int, code: Bytes, count: int) -> None:
    """Set the flag of the lines in which an escape of such an instruction lies.

    What is behind the end, or on the next page, may be anything.
    """
    for index in range(count):
        if code[index] == 0xD9 and (index + 1 == count or code[index + 1] >= 0xF0):
            s.lines[(start + index) // LINE] |= LINE_EMULATED
        if code[index] != 0x0F:
            continue
        known = min(count - index, 4096 - (start + index & 0xFFF))
        second = code[index + 1] if known > 1 else 0x30
        move = second & 0xFC == 0x20
        number = code[index + 2] >> 3 & 7 if known > 2 else 0
        if second == 0x30 or second == 0x32 or (move and (second & 1 or number == 0)):
            s.lines[(start + index) // LINE] |= LINE_EMULATED
