"""Faults: what goes wrong with an interrupt, on purpose.

Real hardware loses and delays interrupts, and a model that forgives a missing synchronisation
proves nothing. A fault is a move like any other: it is recorded, and a replay makes it again.
It is possible only while the interrupt it is about is pending, except FreezeFloor, which is about
the next one.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

DROP_IPI: Final = 1
DELAY_IPI: Final = 2
FREEZE_FLOOR: Final = 3
"""The kinds of faults in a row of a table of moves."""


@dataclass(frozen=True, slots=True)
class DropIpi:
    """An interrupt pending at the core (in its IRR) with this vector, 0 to 255, is lost."""

    core: int
    vector: int


@dataclass(frozen=True, slots=True)
class DelayIpi:
    """An interrupt pending at the core is not, until so many instructions of the machine later.

    They are virtual nanoseconds with the clock `counted`, retired instructions of all cores with
    the clock `chosen`; 1 to 2**32 - 1.
    """

    core: int
    vector: int
    instructions: int


@dataclass(frozen=True, slots=True)
class FreezeFloor:
    """The next IPI that is delivered to the core does not synchronise it.

    The core's floor stays where it is from the delivery through the IRET that leaves the handler;
    serialising instructions after that move it again.
    """

    core: int


Fault: TypeAlias = DropIpi | DelayIpi | FreezeFloor
