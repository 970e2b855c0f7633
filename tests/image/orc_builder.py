"""ORC tables made of numbers."""

import struct
from collections.abc import Iterable

from emu.image.orc_layout import NEW, OLD, WITH_SIGNAL, OrcLayout

PLACE = 0xFFFFFFFF80300000
"""Where .orc_unwind_ip is linked."""

SP, BP, PREV_SP, DX, DI, R10, R13, BP_INDIRECT, SP_INDIRECT = 5, 4, 1, 2, 3, 6, 7, 8, 9

_NUMBERS = {"undefined": 0, "end": 1, "call": 2, "regs": 3, "regs partial": 4}


def entry(
    kind: str = "call",
    sp: tuple[int, int] = (SP, 8),
    bp: tuple[int, int] = (0, 0),
    layout: OrcLayout = NEW,
) -> bytes:
    """Return an entry. sp, bp: register and offset."""
    if kind in ("undefined", "end"):
        sp = bp = (0, 0)
    registers = kind.startswith("regs")
    if layout == NEW:
        flags = _NUMBERS[kind] | registers << 3
    else:
        flags = max(_NUMBERS[kind] - 2, 0)
        flags |= (kind == "end") << (3 if layout == WITH_SIGNAL else 2)
        flags |= (registers and layout == WITH_SIGNAL) << 2
    return struct.pack("<2hBB", sp[1], bp[1], sp[0] | bp[0] << 4, flags)


def tables(rows: Iterable[tuple[int, bytes]], place: int = PLACE) -> tuple[bytes, bytes]:
    """Return .orc_unwind_ip and .orc_unwind, of (address, entry) in their order."""
    ips = entries = b""
    for at, (address, data) in enumerate(rows):
        ips += struct.pack("<i", address - (place + 4 * at))
        entries += data
    return ips, entries


LAYOUTS = (OLD, WITH_SIGNAL, NEW)
