"""Registers of a frame, by DWARF's columns: some are known, some are lost."""

from dataclasses import dataclass

from emu.image.frame_rules import COLUMNS, RSP
from emu.machine.machine import Machine
from emu.machine.unicorn_layout import HFLAGS

_COLUMNS = (0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15)
"""DWARF's column of RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15."""


@dataclass(frozen=True, slots=True)
class Registers:
    """What is known of the registers of a frame.

    Attributes:
        pc: where it goes on. is_return: pc is a return address.
        user: it is ring 3's.
        columns: values by column; None: lost.
    """

    pc: int
    is_return: bool
    user: bool
    columns: tuple[int | None, ...]

    @property
    def sp(self) -> int | None:
        """RSP."""
        return self.columns[RSP]


def of_core(machine: Machine, core: int) -> Registers:
    """Return the registers of a core as they are."""
    columns: list[int | None] = [None] * COLUMNS
    for column, value in zip(_COLUMNS, machine.general_registers(core), strict=True):
        columns[column] = value
    user = machine.register(core, HFLAGS) & 3 == 3
    return Registers(machine.rip(core), False, user, tuple(columns))


def resuming(pc: int, sp: int) -> Registers:
    """Return the registers of a task that goes on at `pc` with `sp` on its stack."""
    columns: list[int | None] = [None] * COLUMNS
    columns[RSP] = sp
    return Registers(pc, False, False, tuple(columns))
