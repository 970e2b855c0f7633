"""Which physical memory is guarded: stores to it are reported, because it is or may become text.

Pages are guarded when they are first executed, and what an image says is code from the start. The
engine reports every store that its TLB alone does not settle; the flag LINE_GUARDED tells which of
them matter, and the TLB settles no store to a page that has it (`unicorn_memory.fill_tlb`).
"""

from emu.machine.image_text import note_image_text
from emu.machine.native import jit
from emu.machine.state import LINE, LINE_GUARDED, M_RAM_SIZE, MAX_IMAGE_TEXT, PAGE, State
from emu.machine.unicorn_blocks import flush_tlb


@jit
def guard_image_text(s: State, start: int, end: int) -> None:
    """Guard what an image says is code, for good: all stores to it are told of."""
    note_image_text(s, start, end)
    guard(s, start, end)


@jit
def guard_text_again(s: State) -> None:
    """Guard what an image said is code, where that is known and nothing else of the image."""
    for row in range(MAX_IMAGE_TEXT):
        guard(s, s.image_text[row, 0], s.image_text[row, 1])


@jit
def guard(s: State, start: int, end: int) -> None:
    """Have stores to physical [start, end) reported, and to the rest of its pages."""
    first, behind = start & -PAGE, min(-(-end // PAGE) * PAGE, s.m[M_RAM_SIZE])
    for line in range(first // LINE, behind // LINE):
        s.lines[line] |= LINE_GUARDED
    flush_tlb(s)
