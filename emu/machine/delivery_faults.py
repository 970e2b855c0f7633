"""Faults that are raised while an event is delivered, where the engine has them wrong.

* The error code that names a gate of the 64-bit IDT is its number times 8, plus 2; to the engine,
  and to QEMU 7.2, times 16.
* Bit 0 of an error code is set if the event was no INT n, INT3 or INTO. QEMU never sets it.
* A new stack that is not canonical is #SS, and not #GP.

Source: Intel SDM volume 3A, "Error Code" and "64-Bit Mode Stack Frame"; QEMU 7.2
target/i386/tcg/seg_helper.c (get_rsp_from_tss) for the last.
"""

from emu.machine.memory import walk
from emu.machine.native import jit, load32, load64
from emu.machine.state import (
    DELIVERING_EVENT,
    M_DELIVERED,
    M_DELIVERING,
    M_ENV,
    M_RAM,
    M_RAM_SIZE,
    State,
)
from emu.machine.unicorn_cpu import privilege, register, set_fault
from emu.machine.unicorn_layout import (
    CR0,
    CR3,
    CR4,
    EFER,
    ERROR_CODE,
    IDT,
    LMA,
    RSP,
    SEGMENT_BASE,
    TR,
)

_STACK, _GENERAL_PROTECTION = 12, 13
_ABOUT_SELECTORS = (10, 11, 12, 13)  # vectors whose error codes are about selectors
_EXTERNAL, _GATE = 1, 2  # of an error code


@jit
def corrected(s: State, vector: int) -> int:
    """Correct the fault that was raised while another event was delivered; returns its vector."""
    error = load32(s.m[M_ENV] + ERROR_CODE)
    if vector not in _ABOUT_SELECTORS:
        return vector
    if register(s, EFER) & LMA:
        if error & _GATE:
            error = error >> 4 << 3 | _GATE
        elif vector == _GENERAL_PROTECTION and error == 0 and not _canonical(_stack(s) - 8):
            vector = _STACK
    if s.m[M_DELIVERING] == DELIVERING_EVENT:
        error |= _EXTERNAL
    set_fault(s, vector, error)
    return vector


@jit
def _canonical(address: int) -> bool:
    return -(1 << 47) <= address < 1 << 47


@jit
def _load(s: State, linear: int) -> int:
    """Return 8 bytes of the running core's memory, 0 where there is none."""
    cr0, cr3, cr4 = register(s, CR0), register(s, CR3), register(s, CR4)
    physical = walk(s, cr0, cr3, cr4, register(s, EFER), linear)
    return load64(s.m[M_RAM] + physical) if 0 <= physical <= s.m[M_RAM_SIZE] - 8 else 0


@jit
def _stack(s: State) -> int:
    """Return the stack pointer with which the event that is being delivered begins its frame."""
    gate = _load(s, register(s, IDT + SEGMENT_BASE) + 16 * s.m[M_DELIVERED])
    tss = register(s, TR + SEGMENT_BASE)
    if gate >> 32 & 7:
        return _load(s, tss + 28 + 8 * (gate >> 32 & 7))
    return _load(s, tss + 4) if privilege(s) else register(s, RSP)
