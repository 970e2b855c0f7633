"""Counting calls: each fetch of a site must lead to the old body or to the replacement.

A call is known by the stack pointer at its site: the same task in the same frame enters the old
body, or the replacement (the trampoline has dropped its return address), with that very value,
however often it was interrupted in between. So calls pair exactly, whatever the kernel does.

lost: a call that reached neither. late: the old body was entered from a site that was fetched
after the sync1 of the plan that patches this function in was complete, when every core has been
made to see the int3, and before it was patched out again (INV-TP-NEW in the notes on text_poke;
the mutant is a handler that only skips the site).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emu.detect.watch import CALL, NEW, OLD
from emu.machine import events
from emu.machine.state import E_A, E_B, E_KIND, E_STACK
from emu.moves.plan import PHASES

_SYNC1 = PHASES.index("sync1")


@dataclass(slots=True)
class _Call:
    """A call under way. number: of its event. late: whether the old body would be late."""

    number: int
    late: bool


@dataclass
class Calls:
    """The count so far. inward, outward: functions patched in or out, by number of the plan."""

    inward: dict[int, frozenset[int]] = field(default_factory=dict)
    outward: dict[int, frozenset[int]] = field(default_factory=dict)
    calls: int = 0
    old: int = 0
    new: int = 0
    late: int = 0
    lost: int = 0
    _open: dict[int, _Call] = field(default_factory=dict)  # by stack pointer
    _replaced: set[int] = field(default_factory=set)  # functions whose old body is late to enter
    _in_sync1: int | None = None  # the plan that is in sync1 and patches in

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
                self._open[stack] = _Call(number, int(row[E_A]) in self._replaced)
            elif kind == events.PHASE:
                self._phase(int(row[E_A]), int(row[E_B]))
            else:
                self._arrive(kind, stack)

    def pending(self) -> tuple[int, ...]:
        """Return the event numbers of the calls that have reached no body yet."""
        return tuple(call.number for call in self._open.values())

    def close(self, before: int) -> None:
        """Give up on the calls made before an event number: they are lost."""
        for stack, call in list(self._open.items()):
            if call.number < before:
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
        self.late += called.late

    def _phase(self, phase: int, plan: int) -> None:
        if self._in_sync1 is not None:  # the phase after sync1: its wait is over
            self._replaced |= self.inward[self._in_sync1]
            self._in_sync1 = None
        if phase == _SYNC1 and plan in self.inward:
            self._in_sync1 = plan
        self._replaced -= self.outward.get(plan, frozenset())  # the old body is right again
