"""What the event of a probe tells: one value for each of its four columns.

A value is a pair of numbers in the table of probes: how it is found, and where. Looking has no
effect on the machine. What a place in memory does not have (nothing is mapped) is told as 0.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from emu.machine.memory import walk
from emu.machine.native import jit, load8, load64
from emu.machine.state import C_KEPT, M_CURRENT, M_RAM, M_RAM_SIZE, PAGE, State
from emu.machine.unicorn_cpu import register
from emu.machine.unicorn_layout import CR0, CR3, CR4, EFER
from emu.machine.word import signed

CONSTANT: Final = 0
REGISTER: Final = 1
FIELD: Final = 2
WORD: Final = 3
CODE: Final = 4
KEPT: Final = 5

_FIELD_SHIFT = 16  # a field's displacement stands above the offset of its register


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that the guest has chosen."""

    number: int

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return CONSTANT, self.number


@dataclass(frozen=True, slots=True)
class Register:
    """A register of the core; offset: `unicorn_layout.RAX` and the like."""

    offset: int

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return REGISTER, self.offset


@dataclass(frozen=True, slots=True)
class Field:
    """The 8 bytes that the core has at an address in a register, plus a displacement.

    The displacement may be an address itself: a kernel's, too, which is a small negative one.
    """

    register: int
    displacement: int

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return FIELD, signed(self.displacement) << _FIELD_SHIFT | self.register


@dataclass(frozen=True, slots=True)
class Word:
    """The 8 bytes at a physical address."""

    physical: int

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return WORD, self.physical


@dataclass(frozen=True, slots=True)
class Code:
    """The first 8 bytes that are executed there."""

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return CODE, 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What the last probe of kind KEEP that the core has reached kept; at first 0."""

    @property
    def pair(self) -> tuple[int, int]:
        """The value as native code has it."""
        return KEPT, 0


Value: TypeAlias = Constant | Register | Field | Word | Code | Kept


@jit
def value(s: State, how: int, where: int, code: int) -> int:
    """Return a value, as it is for the running core; code: the first 8 bytes executed."""
    if how == REGISTER:
        return register(s, where)
    if how == FIELD:
        return _field(s, register(s, where & (1 << _FIELD_SHIFT) - 1) + (where >> _FIELD_SHIFT))
    if how == WORD:
        return load64(s.m[M_RAM] + where)
    if how == CODE:
        return code
    if how == KEPT:
        return s.core[s.m[M_CURRENT], C_KEPT]
    return where


@jit
def _field(s: State, linear: int) -> int:
    """Return the 8 bytes at a linear address of the running core; 0 unless there is RAM."""
    whole = linear & PAGE - 1 <= PAGE - 8
    first = _ram(s, linear)
    if first < 0 or (not whole and _ram(s, linear + 7) < 0):
        return 0
    if whole:
        return load64(s.m[M_RAM] + first)
    found = 0
    for byte in range(8):
        found |= load8(s.m[M_RAM] + _ram(s, linear + byte)) << 8 * byte
    return found


@jit
def _ram(s: State, linear: int) -> int:
    """Return the physical address of a linear one, -1 unless there is RAM."""
    cr0, cr3, cr4 = register(s, CR0), register(s, CR3), register(s, CR4)
    physical = walk(s, cr0, cr3, cr4, register(s, EFER), linear)
    return physical if 0 <= physical <= s.m[M_RAM_SIZE] - 8 else -1
