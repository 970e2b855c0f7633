"""Events: the rare things that happened, in append-only columns.

Fetches are not events (there are too many), except those of unstable bytes. The machine writes
rows into a small native table; whenever the loop returns, `Events` moves them into columns that
only grow. The order of rows is the order in which things happened; virtual time alone cannot
order them, because several things can happen at one instant.

A probe turns reaching an address into an event: the Guest gives the machine a table of (address,
kind, argument, task), the only place where addresses of a kernel meet the machine. `kind` and
`argument` come back in the event; `task`, when not zero, is the address of an 8-byte variable
whose value is noted with it. Or the event has the arguments of the function called (`probes`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.machine.clock import now
from emu.machine.native import jit
from emu.machine.state import (
    E_A,
    E_ADDRESS,
    E_B,
    E_CORE,
    E_KIND,
    E_SIZE,
    E_STACK,
    E_TASK,
    E_TIME,
    M_EVENTS,
    M_STOP_AFTER,
    MAX_EVENTS,
    STOP_FOR_DRAIN,
    State,
)

# Kinds below 256 are the machine's own; a probe's kind is what the Guest chose, from PROBE on.
TEXT_STORE: Final = 1  # address (physical), a = old bytes, b = new bytes, task = length
TRAP: Final = 2  # address = RIP, a = vector, b = error code, stack = RSP before
IPI: Final = 3  # address = vector, a = mask of the cores addressed, b = delivery mode
DELIVERED: Final = 4  # address = RIP interrupted, a = vector, stack = RSP before
STALE_FETCH: Final = 5  # address = RIP, a = first eight bytes chosen, b = flags | length << 8
PHASE: Final = 6  # a = number of the phase, b = round
SERIALISED: Final = 7  # address = RIP of the instruction that moved a floor
ACKNOWLEDGED: Final = 8  # address = vector: the end of its service (EOI)
FAULT: Final = 9  # address = vector, a = kind of the fault, b = instructions it is held back
PROBE: Final = 256

FETCH_STALE: Final = 1  # of STALE_FETCH's b: some byte was not the newest
FETCH_HAZARD: Final = 2  # the RACE rule was broken

_ROOM = 1024  # rows: more than one block can make before its successor is refused


@jit
def emit(
    s: State, core: int, kind: int, address: int, a: int, b: int, task: int, stack: int
) -> None:
    """Append an event; a table that is nearly full pauses the move to have it drained."""
    emit_at(s, now(s), core, kind, address, a, b, task, stack)


@jit
def emit_at(
    s: State, time: int, core: int, kind: int, address: int, a: int, b: int, task: int, stack: int
) -> None:
    """Append an event of a virtual time that is not now, as the clock is ahead within a block."""
    row = s.m[M_EVENTS]
    if row < MAX_EVENTS:
        s.events[row, E_TIME] = time
        s.events[row, E_CORE] = core
        s.events[row, E_KIND] = kind
        s.events[row, E_ADDRESS] = address
        s.events[row, E_A] = a
        s.events[row, E_B] = b
        s.events[row, E_TASK] = task
        s.events[row, E_STACK] = stack
        s.m[M_EVENTS] = row + 1
        if row > MAX_EVENTS - _ROOM:
            s.m[M_STOP_AFTER] |= STOP_FOR_DRAIN


@dataclass(frozen=True)
class Event:
    """One row: when (virtual ns), on which core (-1: the patcher), what, and its particulars."""

    index: int
    time: int
    core: int
    kind: int
    address: int
    a: int
    b: int
    task: int
    stack: int


class Events:
    """All events so far: a growing table of int64 with the columns of `Event` after `index`.

    limit: at least so many of the last events are kept, older ones may be forgotten; None: all
    are kept. For runs without end, since a guest can make an event with every instruction.
    """

    def __init__(self) -> None:
        self._rows = np.zeros((1024, E_SIZE), np.int64)
        self._first = self._count = 0  # numbers of the oldest row that is kept, and of the next
        self.limit: int | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept."""
        return self._first

    def drain(self, state: State) -> None:
        """Take over the rows the machine has written since the last time."""
        new = int(state.m[M_EVENTS])
        self._make_room(new)
        at = self._count - self._first
        self._rows[at : at + new] = state.events[:new]
        self._count += new
        state.m[M_EVENTS] = 0

    def _make_room(self, new: int) -> None:
        held = self._count - self._first
        if self.limit is not None and held > 2 * self.limit:
            self._rows[: self.limit] = self._rows[held - self.limit : held]
            self._first, held = self._count - self.limit, self.limit
        while held + new > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])

    def since(self, start: int) -> NDArray[np.int64]:
        """Return the rows from number `start` on, shape [n, 8], not to be written to."""
        if start < self._first:
            raise IndexError(start)
        rows = self._rows[start - self._first : self._count - self._first]
        rows.flags.writeable = False
        return rows

    def __getitem__(self, index: int) -> Event:
        if not self._first <= index < self._count:
            raise IndexError(index)
        return Event(index, *(int(value) for value in self._rows[index - self._first]))
