"""Batches: what a kernel that patches itself does to its text, from the events of the run.

A batch begins with phase "arm" and ends with "done" (text_poke_bp_batch of Linux). Which of its
events belong to a moment, their times say: all that are earlier. So a moment of the past has what
it had when it was live (see `narrator`). Rows that are too many are forgotten, the oldest first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.guest.probes import SYNC
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TASK, E_TIME
from emu.moves.plan import PHASES
from emu.scene.table import Table

_LIMIT: Final = 1 << 19
_WORD: Final = (1 << 64) - 1
_ARM, _DONE = 0, len(PHASES) - 1
_SYNCS: Final = tuple(at for at, name in enumerate(PHASES) if name.startswith("sync"))


@dataclass(frozen=True, slots=True)
class Stored:
    """A store to text. address: physical."""

    time: int
    address: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, as far as it is at a moment.

    Attributes:
        number: from 1.
        core: who patches.
        descriptor, count: address of what says which sites, and how many there are.
        phases: those that have begun, and when (virtual ns), in order.
        synced: the cores, as a bit mask, that have serialised since the last phase began.
    """

    number: int
    core: int
    descriptor: int
    count: int
    phases: tuple[tuple[str, int], ...]
    synced: int

    @property
    def phase(self) -> str:
        """The phase that it is in."""
        return self.phases[-1][0]

    @property
    def begin(self) -> int:
        """When it began."""
        return self.phases[0][1]

    @property
    def over(self) -> bool:
        """Whether it is done."""
        return self.phase == PHASES[-1]


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """Where a phase has done what it does, or waits for the cores.

    time: virtual ns of the last point where that can be seen. batch: its number.
    """

    time: int
    phase: str
    batch: int


class Batches:
    """The batches of a run. limit: of rows that are kept in each table.

    count: how many have begun.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        names = ("time", "core", "phase", "batch", "descriptor", "sites")
        self._phases = Table(dict.fromkeys(names, np.int64), limit)
        names = ("time", "core", "address", "old", "new", "length")
        self._stores = Table(dict.fromkeys(names, np.int64), limit)
        self._syncs = Table({"time": np.int64, "core": np.int64}, limit)
        self._ends = Table(dict.fromkeys(("time", "phase", "batch"), np.int64), limit)
        self.count = 0
        self._phase, self._core = _DONE, -1  # the last that has begun, and who is in it
        self._asked = True  # whether it has sent its interrupts

    def take(self, columns: NDArray[np.int64]) -> None:
        """Look at events, int64 [8, n], a row for each column of `Event`."""
        kinds = columns[E_KIND]
        by_core = columns[E_CORE] >= 0
        self._take_phases(columns[:, by_core & np.isin(kinds, (events.PHASE, events.IPI))])
        stores = columns[:, by_core & (kinds == events.TEXT_STORE)]
        self._stores.append(
            stores.shape[1],
            time=stores[E_TIME],
            core=stores[E_CORE],
            address=stores[E_ADDRESS],
            old=stores[E_A],
            new=stores[E_B],
            length=stores[E_TASK],
        )
        syncs = columns[:, kinds == SYNC]
        self._syncs.append(syncs.shape[1], time=syncs[E_TIME], core=syncs[E_CORE])

    def _take_phases(self, columns: NDArray[np.int64]) -> None:
        for row in columns.T.tolist():
            if row[E_KIND] == events.IPI:
                self._send(row[E_TIME], row[E_CORE])
            else:
                self._enter(row)

    def _send(self, time: int, core: int) -> None:
        """Note an interrupt that was sent: with the first of a sync, the batch's core waits."""
        if core == self._core and self._phase in _SYNCS and not self._asked:
            self._asked = True
            self._end(time + 1)

    def _enter(self, row: list[int]) -> None:
        time, core, phase = row[E_TIME], row[E_CORE], row[E_A]
        if not 0 <= phase < len(PHASES):
            return
        if phase == _ARM:
            self.count += 1
        elif self._phase != _DONE:
            self._end(time)
        self._phase, self._core, self._asked = phase, core, False
        self._phases.append(
            1,
            time=time,
            core=core,
            phase=phase,
            batch=self.count,
            descriptor=row[E_B] if phase == _ARM else 0,
            sites=row[E_TASK] if phase == _ARM else 0,
        )
        if phase == _DONE:
            self._end(time + 1)

    def _end(self, time: int) -> None:
        self._ends.append(1, time=time, phase=self._phase, batch=self.count)

    # --- what there is at a moment -------------------------------------------------------------

    def at(self, time: int) -> Batch | None:
        """Return the batch that is under way at a time, or was last; None before the first."""
        table = self._phases
        last = int(np.searchsorted(table["time"], time)) - 1
        if last < 0:
            return None
        number = int(table["batch"][last])
        first = int(np.searchsorted(table["batch"][: last + 1], number))
        if table["phase"][first] != _ARM:
            return None  # its beginning is forgotten
        begun = tuple(
            (PHASES[int(table["phase"][at])], int(table["time"][at]))
            for at in range(first, last + 1)
        )
        return Batch(
            number,
            int(table["core"][first]),
            int(table["descriptor"][first]) & _WORD,
            int(table["sites"][first]),
            begun,
            self._synced(begun[-1][1], time),
        )

    def syncing(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of each time whether the kernel waits then until cores have serialised."""
        found: NDArray[np.bool_] = np.isin(self._phase_at(times), _SYNCS)
        return found

    def patching(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of each time whether a batch is under way then."""
        found: NDArray[np.bool_] = self._phase_at(times) != _DONE
        return found

    def _phase_at(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.searchsorted(self._phases["time"], times)
        before: NDArray[np.int64] = np.append(_DONE, self._phases["phase"])
        return before[at]

    def _synced(self, begin: int, end: int) -> int:
        first, last = np.searchsorted(self._syncs["time"], (begin, end)).tolist()
        return sum(1 << core for core in set(self._syncs["core"][first:last].tolist()))

    def stores(self, batch: Batch, time: int, most: int | None = None) -> tuple[Stored, ...]:
        """Return the stores of a batch that are earlier than a time; the first of them."""
        table = self._stores
        last = batch.phases[-1][1] if batch.over else time
        begin, end = np.searchsorted(table["time"], (batch.begin, min(last, time))).tolist()
        at = begin + np.flatnonzero(table["core"][begin:end] == batch.core)[:most]
        columns = (table[name][at].tolist() for name in ("time", "address", "old", "new", "length"))
        return tuple(
            Stored(when, address, _bytes(old, length), _bytes(new, length))
            for when, address, old, new, length in zip(*columns, strict=True)
        )

    # --- where phases end ----------------------------------------------------------------------

    @property
    def ends(self) -> int:
        """How many ends of phases there were so far."""
        return len(self._ends)

    @property
    def last_end(self) -> BatchEnd | None:
        """The last end of a phase so far."""
        kept = len(self._ends) - self._ends.first
        return self._end_at(kept - 1) if kept else None

    def next_end(self, time: int) -> BatchEnd | None:
        """Return the first end of a phase that is later than a time."""
        at = int(np.searchsorted(self._ends["time"], time, side="right"))
        return self._end_at(at) if at < len(self._ends["time"]) else None

    def previous_end(self, time: int) -> BatchEnd | None:
        """Return the last end of a phase that is earlier than a time."""
        at = int(np.searchsorted(self._ends["time"], time)) - 1
        return self._end_at(at) if at >= 0 else None

    def end_of(self, phase: str, batch: int) -> BatchEnd | None:
        """Return the first end of a phase in a batch, or in the next that has it."""
        table = self._ends
        there = (table["phase"] == PHASES.index(phase)) & (table["batch"] >= batch)
        found = np.flatnonzero(there)
        return self._end_at(int(found[0])) if len(found) else None

    def ends_at(self, time: int) -> BatchEnd | None:
        """Return the end of a phase at a time, or None."""
        found = self.previous_end(time + 1)
        return found if found is not None and found.time == time else None

    def _end_at(self, at: int) -> BatchEnd:
        table = self._ends
        phase = PHASES[int(table["phase"][at])]
        return BatchEnd(int(table["time"][at]), phase, int(table["batch"][at]))


def _bytes(word: int, length: int) -> bytes:
    return (word & _WORD).to_bytes(8, "little")[:length]
