"""Counting calls: each fetch of a site must lead to the old body or to the replacement.

A call is known by the stack pointer at its site: the same task in the same frame enters the old
body, or the replacement (the trampoline has dropped its return address), with that very value,
however often it was interrupted in between. So calls pair exactly, whatever the kernel does.

lost: a call that reached neither. late: while a function is being patched in, its old body was
entered from a site fetched after sync1 was complete, when every core has been made to see the
int3 (INV-TP-NEW in the notes on text_poke; the mutant is a handler that only skips the site).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emu.detect.watch import CALL, NEW, OLD
from emu.machine import events
from emu.machine.state import E_A, E_B, E_KIND, E_STACK
from emu.moves.plan import PHASES

_INT3, _SYNC1 = PHASES.index("int3"), PHASES.index("sync1")


@dataclass
class Calls:
    """The count so far. inward: numbers of the plans that patch a function in."""

    inward: set[int] = field(default_factory=set)
    calls: int = 0
    old: int = 0
    new: int = 0
    late: int = 0
    lost: int = 0
    _open: dict[int, int] = field(default_factory=dict)  # stack pointer: when, as event number
    _synced: int | None = None  # event number since which the old body is late to enter
    _in_sync1: bool = False

    def take(self, rows: NDArray[np.int64], first: int) -> None:
        """Look at events, the first of which has the number `first`."""
        kinds = rows[:, E_KIND]
        wanted = (kinds == CALL) | (kinds == OLD) | (kinds == NEW) | (kinds == events.PHASE)
        for index in np.flatnonzero(wanted):
            row = rows[index]
            kind, number, stack = int(row[E_KIND]), first + int(index), int(row[E_STACK])
            if kind == CALL:
                self.calls += 1
                if stack in self._open:
                    self.lost += 1
                self._open[stack] = number
            elif kind == events.PHASE:
                self._phase(int(row[E_A]), int(row[E_B]), number)
            else:
                self._arrive(kind, stack)

    def pending(self) -> tuple[int, ...]:
        """Return the event numbers of the calls that have reached no body yet."""
        return tuple(self._open.values())

    def close(self, before: int) -> None:
        """Give up on the calls made before an event number: they are lost."""
        for stack, number in list(self._open.items()):
            if number < before:
                del self._open[stack]
                self.lost += 1

    def _arrive(self, kind: int, stack: int) -> None:
        called = self._open.pop(stack, None)
        if called is None:  # a loop in the body that goes back to its start
            return
        if kind == NEW:
            self.new += 1
            return
        self.old += 1
        if self._synced is not None and called > self._synced:
            self.late += 1

    def _phase(self, phase: int, plan: int, number: int) -> None:
        if self._in_sync1:  # the phase after sync1: its wait is over
            self._synced, self._in_sync1 = number, False
        if phase == _SYNC1 and plan in self.inward:
            self._in_sync1 = True
        if plan not in self.inward:  # patching out: the old body is right again
            self._synced = None
