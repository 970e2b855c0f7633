"""Relocations of x86-64: how an address is put into code.

S is the address of the symbol, A the addend, P the place. Source: the x86-64 psABI, table 4.9.
"""

import struct
from collections.abc import Mapping
from typing import Final

from emu.errors import BadImage

NONE: Final = 0

_FORMS: Final[Mapping[int, tuple[str, struct.Struct, bool]]] = {  # name, width, minus P
    1: ("R_X86_64_64", struct.Struct("<Q"), False),
    2: ("R_X86_64_PC32", struct.Struct("<i"), True),
    4: ("R_X86_64_PLT32", struct.Struct("<i"), True),
    10: ("R_X86_64_32", struct.Struct("<I"), False),
    11: ("R_X86_64_32S", struct.Struct("<i"), False),
    24: ("R_X86_64_PC64", struct.Struct("<Q"), True),
}
"""PLT32 is a branch; without a dynamic linker it goes to the function itself."""

_GOT, _TLS = "a global offset table: compile with -fno-pic", "thread-local variables"
_REFUSED: Final = {
    3: ("GOT32", _GOT), 9: ("GOTPCREL", _GOT), 25: ("GOTOFF64", _GOT), 26: ("GOTPC32", _GOT),
    27: ("GOT64", _GOT), 28: ("GOTPCREL64", _GOT), 29: ("GOTPC64", _GOT), 31: ("PLTOFF64", _GOT),
    41: ("GOTPCRELX", _GOT), 42: ("REX_GOTPCRELX", _GOT),
    17: ("DTPOFF64", _TLS), 18: ("TPOFF64", _TLS), 19: ("TLSGD", _TLS), 20: ("TLSLD", _TLS),
    21: ("DTPOFF32", _TLS), 22: ("GOTTPOFF", _TLS), 23: ("TPOFF32", _TLS),
}  # fmt: skip


def apply(section: bytearray, offset: int, kind: int, target: int, place: int) -> None:
    """Put an address into a section.

    Args:
        section: its bytes.
        offset: where in it.
        kind: the relocation's type.
        target: S + A.
        place: P, the address of section[offset].

    Raises:
        BadImage: another type, outside the section, or an address that does not fit.
    """
    if kind == NONE:
        return
    form = _FORMS.get(kind)
    if form is None:
        name, needs = _REFUSED.get(kind, (f"of type {kind}", "something unknown here"))
        prefix = "R_X86_64_" if kind in _REFUSED else ""
        raise BadImage(f"the relocation {prefix}{name} needs {needs}")
    name, width, relative = form
    if offset + width.size > len(section):
        raise BadImage(f"{name} lies outside its section")
    value = target - (place if relative else 0) & (1 << 64) - 1
    if width.format == "<i" and value >> 63:
        value -= 1 << 64  # what sign extension makes of 32 bits
    try:
        width.pack_into(section, offset, value)
    except struct.error:
        what = "is too far away" if relative else "does not fit into 32 bits"
        raise BadImage(f"{target & (1 << 64) - 1:#x} {what} for {name}") from None
