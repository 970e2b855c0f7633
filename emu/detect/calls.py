"""Counting calls: each fetch of a site must lead to a body that is in service.

A call is known by the stack pointer at its site: the same task in the same frame enters the own
body, or a replacement (the trampoline has dropped its return address), with that very value,
however often it was interrupted in between. So calls pair exactly, whatever the kernel does.

Which bodies are in service follows from the plans, see `service`.

An int3 at the site may be begun anew (Linux up to 6.1, where the int3 had vanished): a site that
is fetched again in the same frame, after an int3 there, is still the same call.

lost: a call that reached no body. late: one that entered a body which was not in service when
the site was fetched: as the handler acts out the new instruction, nobody may do the old thing once
all cores have been made to see the int3 (the mutant is a handler that only skips the site).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emu.detect.finding import MOST, Finding, What
from emu.detect.service import Service
from emu.detect.watch import CALL, NEW, OLD
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_STACK, E_TIME

_INT3 = 0xCC


@dataclass(slots=True)
class _Call:
    """A call under way. number: of its event. bodies: those in service when it was made."""

    number: int
    core: int
    function: int
    int3: bool
    bodies: frozenset[int] | None


@dataclass
class Calls:
    """The count so far.

    plans: what each does to bodies, by the number of the request. findings: the first late and
    lost calls.
    """

    plans: dict[int, Service] = field(default_factory=dict)
    calls: int = 0
    old: int = 0
    new: int = 0
    late: int = 0
    lost: int = 0
    findings: list[Finding] = field(default_factory=list)
    _now: int = 0  # the time of the event that was looked at last
    _open: dict[int, _Call] = field(default_factory=dict)  # by stack pointer
    _bodies: dict[int, frozenset[int] | None] = field(default_factory=dict)  # in service
    _plan: int | None = None  # the one that was in a phase last
    _ending: Service | None = None  # its phase has begun, at whose end the old bodies go

    def take(self, rows: NDArray[np.int64], first: int) -> None:
        """Look at events, the first of which has the number `first`."""
        kinds = rows[:, E_KIND]
        wanted = (kinds == CALL) | (kinds == OLD) | (kinds == NEW) | (kinds == events.PHASE)
        at = np.flatnonzero(wanted)
        for number, row in zip((first + at).tolist(), rows[at].tolist(), strict=True):
            kind, core, stack = row[E_KIND], row[E_CORE], row[E_STACK]
            self._now = row[E_TIME]
            if kind == CALL:
                self._call(number, core, row[E_A], row[E_B] & 0xFF == _INT3, stack)
            elif kind == events.PHASE:
                self._phase(row[E_A], row[E_B])
            else:
                self._arrive(kind, core, row[E_ADDRESS], stack)

    def pending(self) -> tuple[int, ...]:
        """Return the event numbers of the calls that have reached no body yet."""
        return tuple(call.number for call in self._open.values())

    def close(self, before: int) -> None:
        """Give up on the calls made before an event number: they are lost."""
        for stack, call in list(self._open.items()):
            if call.number < before:
                del self._open[stack]
                self._lose(call)

    def _call(self, number: int, core: int, function: int, int3: bool, stack: int) -> None:
        before = self._open.get(stack)
        if before and before.int3 and before.function == function:  # begun anew
            number = before.number
        else:
            self.calls += 1
            if before is not None:
                self._lose(before)
        self._open[stack] = _Call(number, core, function, int3, self._bodies.get(function))

    def _lose(self, call: _Call) -> None:
        self.lost += 1
        self._found("lost", call.core, call.function)

    def _found(self, what: What, core: int, function: int) -> None:
        if sum(each.what == what for each in self.findings) < MOST:
            self.findings.append(Finding(what, core, self._now, function))

    def _arrive(self, kind: int, core: int, address: int, stack: int) -> None:
        called = self._open.pop(stack, None)
        if called is None:  # a loop in the body that goes back to its start
            return
        self.old += kind == OLD
        self.new += kind == NEW
        if called.bodies is not None and address not in called.bodies:
            self.late += 1
            self._found("late", core, called.function)

    def _phase(self, phase: int, plan: int) -> None:
        if self._ending is not None:  # the phase after it: its wait is over
            self._bodies |= self._ending.after
            self._ending = None
        service = self.plans.get(plan)
        if service is None:
            return
        if plan != self._plan:
            self._bodies |= service.during
        if phase == service.phase:
            self._ending = service
        self._plan = plan
