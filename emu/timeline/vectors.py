"""Names of exceptions. Sources: SDM volume 3A, table 6-1 and 4.7; Unicorn's enum uc_err."""

from typing import Final

DOUBLE_FAULT: Final = 8
PAGE_FAULT: Final = 14

_NAMES: Final = {
    0: "divide error (#DE)",
    1: "debug exception (#DB)",
    2: "NMI",
    3: "breakpoint (#BP)",
    4: "overflow (#OF)",
    5: "bound range exceeded (#BR)",
    6: "invalid opcode (#UD)",
    7: "device not available (#NM)",
    8: "double fault (#DF)",
    10: "invalid TSS (#TS)",
    11: "segment not present (#NP)",
    12: "stack-segment fault (#SS)",
    13: "general protection (#GP)",
    14: "page fault (#PF)",
    16: "x87 error (#MF)",
    17: "alignment check (#AC)",
    18: "machine check (#MC)",
    19: "SIMD error (#XM)",
}

_WITH_ERROR = frozenset((8, 10, 11, 12, 13, 14, 17))

_WRITE, _USER, _RESERVED, _FETCH = 2, 4, 8, 16  # of a page fault's error code

ENGINE_ERRORS: Final = {
    6: "it reads where nothing is",
    7: "it writes where nothing is",
    8: "it executes where no RAM is",
    10: "it executes what the engine does not know",
    12: "it writes to what cannot be written",
    13: "it reads what cannot be read",
    14: "it executes where no RAM is",
    21: "an exception nobody handles",
}
"""What uc_emu_start returned, in words."""


def name(vector: int) -> str:
    """Return an exception's name as the manual has it, or the interrupt's number."""
    return _NAMES.get(vector, f"interrupt {vector:#x}")


def error(vector: int, code: int) -> str:
    """Return an error code, that of a page fault with its bits in words; "" if there is none."""
    if vector not in _WITH_ERROR:
        return ""
    if vector != PAGE_FAULT:
        return f"error {code:#x}"
    access = "execute" if code & _FETCH else "write" if code & _WRITE else "read"
    who = f"{access} by user" if code & _USER else access
    why = "reserved bit set" if code & _RESERVED else "not allowed" if code & 1 else "not present"
    return f"error {code:#x} ({who}: {why})"
