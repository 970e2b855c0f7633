"""Where the fields of an ORC entry are: Linux has had three layouts, and no file says which it has.

An entry is 6 bytes: `s16 sp_offset; s16 bp_offset; unsigned sp_reg:4, bp_reg:4, type:N ...`. Which
bits `type` has, whether `signal` and `end` are there, and what the numbers of `type` mean, has
changed twice. The kernel's own type information says it; without that, the entries do, since in
every kernel most entries are of one type. Versions are never asked.
Source: arch/x86/include/asm/orc_types.h and include/linux/objtool_types.h, before and after
"x86,objtool: Split UNWIND_HINT_EMPTY in two" and "objtool: Add signal to ORC metadata".
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from emu.errors import BadSymbol
from emu.image.cursor import Malformed
from emu.image.types import StructType, Type

SIZE: Final = 6
"""Bytes of an entry."""

OrcType = Literal["undefined", "end", "call", "regs", "regs partial"]

_OLD: Final[tuple[OrcType, ...]] = ("call", "regs", "regs partial")
_NEW: Final[tuple[OrcType, ...]] = ("undefined", "end", "call", "regs", "regs partial")
_SP, _UNDEFINED = 5, 0  # ORC_REG_SP, ORC_REG_UNDEFINED

Field = tuple[int, int]
"""The lowest bit of a field in the entry, and how many it has."""


@dataclass(frozen=True, slots=True)
class OrcLayout:
    """Where fields are.

    `signal`, which newer layouts have, is not read: it is set where the type is one of registers,
    but for the first instructions of asm_exc_int3, where it makes no difference which byte of the
    replaced instruction is looked up.

    Attributes:
        sp_reg, bp_reg, type: fields.
        end: of a layout in which the end of stacks is no type; None in others.
    """

    sp_reg: Field = (32, 4)
    bp_reg: Field = (36, 4)
    type: Field = (40, 3)
    end: Field | None = None

    @classmethod
    def of(cls, kind: Type) -> "OrcLayout":
        """Return the layout that type information says `struct orc_entry` has.

        Raises:
            Malformed: it is no such structure.
        """
        if not isinstance(kind, StructType) or kind.size != SIZE:
            raise Malformed(f"{kind.name} is not a structure of {SIZE} bytes")
        try:
            for name, at in (("sp_offset", 0), ("bp_offset", 16)):
                if _field(kind, name) != (at, 16):
                    raise Malformed(f"{name} is not at bit {at}")
            end = _field(kind, "end") if "end" in kind.names() else None
            sp_reg, bp_reg, type_ = (_field(kind, name) for name in ("sp_reg", "bp_reg", "type"))
            return cls(sp_reg, bp_reg, type_, end)
        except BadSymbol as error:
            raise Malformed(str(error)) from None

    @classmethod
    def guess(cls, flags: "np.ndarray[Any, np.dtype[np.uint16]]") -> "OrcLayout":
        """Return the layout that entries have, from the last two bytes of each.

        The commonest entry by far says "called; the stack pointer is SP and something". In the
        layout with `signal` and `end`, bit 11 is `end`; in the oldest one nothing is.
        """
        of_sp = flags[flags & 0xF == _SP]
        values, counts = np.unique(of_sp >> 8, return_counts=True)
        if len(values) and _NEW[int(values[counts.argmax()]) & 7 :][:1] == ("call",):
            return NEW
        return WITH_SIGNAL if bool((flags & 0x800).any()) else OLD

    def type_of(self, entry: int) -> OrcType | None:
        """Return the type of an entry of 48 bits; None if it is none that is known."""
        number = _bits(entry, self.type)
        if self.end is None:
            return _NEW[number] if number < len(_NEW) else None
        if _bits(entry, self.end):
            return "end"
        if number == 0 and _bits(entry, self.sp_reg) == _UNDEFINED:
            return "undefined"
        return _OLD[number] if number < len(_OLD) else None

    def registers(self, entry: int) -> tuple[int, int]:
        """Return sp_reg and bp_reg of an entry."""
        return _bits(entry, self.sp_reg), _bits(entry, self.bp_reg)


NEW: Final = OrcLayout()
"""Linux 6.4 and later."""

WITH_SIGNAL: Final = OrcLayout(type=(40, 2), end=(43, 1))
"""Linux 6.3."""

OLD: Final = OrcLayout(type=(40, 2), end=(42, 1))
"""Before."""


def _field(kind: StructType, name: str) -> Field:
    found = kind.member(name)
    bit = found.offset * 8 + (found.bit_offset or 0)
    count = found.size * 8 if found.bit_size is None else found.bit_size
    if not 0 < count <= 16 or bit + count > SIZE * 8:
        raise Malformed(f"{name} has {count} bits at {bit}")
    return bit, count


def _bits(entry: int, field: Field) -> int:
    return entry >> field[0] & (1 << field[1]) - 1
