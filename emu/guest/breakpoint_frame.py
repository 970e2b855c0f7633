"""Whether the int3 handler is just changing the registers of whom it interrupted.

It acts out an instruction by changing RSP and RIP of the interrupted frame, one after the other.
Between the two, they belong to different instants, and a walk that believed them would find a
caller that is none. The frame that is changed is a copy; the one the core pushed lies 6 words
higher, behind THE GAP of kernels/include/poke.h, and tells what both were.
"""

from collections.abc import Callable

COPIED = (6 + 5) * 8
"""Bytes from where the copy begins to where the frame ends that the core pushed."""

_GAP = 6 * 8
_CS, _RSP = 8, 3 * 8  # in a frame that a core pushes: rip cs rflags rsp ss


def is_changing(at: int, in_site: Callable[[int], bool], word: Callable[[int], int]) -> bool:
    """Return whether an interrupted frame is being changed.

    at: where its RIP is saved. in_site: whether an address is behind the first byte of a site.
    word: reads memory; raises what the caller makes of it where there is none.
    """
    rip, rsp = word(at), word(at + _RSP)
    first_rip = word(at + _GAP)
    if not in_site(first_rip) or word(at + _GAP + _CS) != word(at + _CS):
        return False  # not a copy, so not of the int3 handler
    first_rsp = word(at + _GAP + _RSP)
    if rsp == first_rsp:  # a nop or jmp, or nothing yet; a ret that has not moved RSP yet
        return rip != first_rip and rip == word(rsp)
    if rsp == first_rsp - 8:  # a call
        return rip == first_rip
    return rsp != first_rsp + 8 or rip != word(first_rsp)  # a ret
