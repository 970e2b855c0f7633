"""The chronicle of a run: the machine's events, taken as they come, as a timeline draws them.

`take` looks at what is new, all of it at once, and costs some 100 ns an event; `lanes` costs next
to nothing. Both belong to the thread of the machine, what they return to anybody.

Who has a core is told by SWITCH events (`guest.probes`); of a kernel without them nothing is
known. What a vector is for is asked of the machine (the timer's, in the local APIC of each core)
and of the guest (the one that asks a core to serialise). Torn bytes are judged as `detect` does.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from emu.detect.kernel_fetches import KernelFetches
from emu.detect.watch import CALL, Watched
from emu.guest.guest import Guest
from emu.guest.probes import SWITCH
from emu.image.placed import Placed
from emu.machine import events
from emu.machine.state import (
    A_LVT_TIMER,
    E_A,
    E_B,
    E_CORE,
    E_KIND,
    E_STACK,
    E_TASK,
    E_TIME,
)
from emu.moves.plan import PHASES
from emu.scene.arrows import ArrowTable
from emu.scene.batches import Batches
from emu.scene.int3_sites import Int3Sites
from emu.scene.lanes import Band, Column, Kind, Lane, Lanes, Left
from emu.scene.loaded_code import LoadedCodeTable
from emu.scene.log import Log, LogTable
from emu.scene.log_words import NAMED
from emu.scene.table import Table
from emu.scene.task_names import UNKNOWN, TaskNames
from emu.scene.turns import Turns

_LIMIT = 1 << 20  # rows of each table that are kept
_MOST_BANDS = 4096
_BREAKPOINT = 3
_PATCHER = -1

_KINDS = np.zeros(events.FAULT + 2, np.uint8)  # by kind of event; those of probes are the last
_KINDS[events.TRAP], _KINDS[events.DELIVERED] = Kind.TRAP, Kind.INTERRUPT
_KINDS[events.SERIALISED], _KINDS[events.STALE_FETCH] = Kind.SERIALISED, Kind.STALE


class _Core:
    """The slices and instants of a core."""

    def __init__(self, begin: int, task: int, limit: int) -> None:
        columns = {"start": np.int64, "task": np.int64, "left": np.uint8}
        self.slices = Table(columns, limit)
        self.slices.append(1, start=begin, task=task)
        self.switched = False
        self.instants = Table({"time": np.int64, "kind": np.uint8, "event": np.int64}, limit)

    def lane(self) -> Lane:
        slices, instants = self.slices, self.instants
        return Lane(
            slices["start"],
            slices["task"],
            slices["left"],
            instants["time"],
            instants["kind"],
            instants["event"],
        )

    def begins_with(self, task: int) -> None:
        """Note who had the core before its first switch.

        Lanes made before do not show it: their names may not have this one yet.
        """
        self.slices.rewrite("task", 0, task)

    @property
    def knows(self) -> bool:
        """Whether it is known who has the core."""
        return self.switched or self.slices["task"][-1] != UNKNOWN


class Chronicle:
    """Everything from now on.

    limit: of rows that are kept in each table; at least half as many always are.

    Attributes:
        batches: what the kernel has done to its own text.
        turns: when tasks had cores.
        fetches: what cores fetched of code that the kernel changes itself.
    """

    def __init__(self, guest: Guest, *, limit: int = _LIMIT) -> None:
        self._guest, self._machine = guest, guest.machine
        self._seen = len(self._machine.events)
        self._begin = self._end = self._machine.now
        self._names = TaskNames(guest)
        self._follows = any(probe.kind == SWITCH for probe in guest.probes())
        self._cores = [_Core(self._begin, UNKNOWN, limit) for _ in range(self._machine.cores)]
        self._arrows = ArrowTable(limit)
        self._stores = Table({"time": np.int64}, limit)
        self._bands: list[Band] = []
        self.batches, self.turns = Batches(limit), Turns(limit)
        self.fetches = KernelFetches(guest)
        self._log, self._loaded = LogTable(guest.image, limit), LoadedCodeTable(guest)
        self._int3s = Int3Sites(self._machine.cores)
        self._sync = guest.sync_vector
        self._looks = self._rounds = 0
        self._ask_who_runs()

    def take(self, watched: Sequence[Watched] = ()) -> None:
        """Look at everything that has happened since the last time.

        Before the machine forgets any of it (`Events.limit`). watched: what the detectors watch.
        """
        rows, first = self._machine.events.since(self._seen), self._seen
        self._end = self._machine.now
        self._looks += 1
        if self._looks & (self._looks - 1) == 0:
            self._ask_who_runs()
        if not len(rows):
            return
        self._seen += len(rows)
        if self._sync is None:
            self._sync = self._guest.sync_vector
        columns = np.ascontiguousarray(rows.T)
        about = self._name_tasks(columns)
        self._int3s.take(columns, about)
        self._loaded.take(first, columns)
        self._arrows.take(columns)
        self.batches.take(columns)
        self.turns.take(columns)
        self.fetches.take(rows)
        self._note_instants(columns, first, watched)
        stores = columns[:, columns[E_KIND] == events.TEXT_STORE]
        patched = stores[E_CORE] == _PATCHER
        patched |= self.batches.patching(stores[E_TIME])
        self._stores.append(int(patched.sum()), time=stores[E_TIME, patched])
        for at in np.flatnonzero(columns[E_KIND] == events.PHASE):
            time, core, _, _, phase, number, _, _ = columns[:, at].tolist()
            if core != _PATCHER:  # a kernel does not count what it does
                self._rounds += phase == 0
                number = self._rounds
            self._enter(PHASES[phase], time, number)
        self._log.take(first, columns, about)

    def lanes(self) -> Lanes:
        """Return everything up to the last `take`."""
        return Lanes(
            begin=self._kept_since(),
            end=self._end,
            lanes=tuple(core.lane() for core in self._cores),
            arrows=self._arrows.arrows(),
            bands=tuple(self._bands),
            stores=self._stores["time"],
            names=self._names.names,
            idle=self._names.idle,
        )

    def log(self, watched: Sequence[Watched] = (), placed: Sequence[Placed] = ()) -> Log:
        """Return the log of the same events.

        For names: watched, what the detectors watch; placed, what was put into the kernel.
        """
        functions = tuple(each.function for each in watched)
        return self._log.log(self._names.names, functions, placed, self._loaded.looks())

    def _kept_since(self) -> int:
        """Return the time from which on nothing was forgotten."""
        tables = [(core.slices, "start") for core in self._cores]
        tables += [(core.instants, "time") for core in self._cores]
        tables += [(self._arrows.table, "sent"), (self._stores, "time")]
        oldest = [int(table[name][0]) for table, name in tables if table.first]
        return max([self._begin, *oldest])

    # --- who has the cores ---------------------------------------------------------------------

    def _ask_who_runs(self) -> None:
        """Name the tasks of cores that have not switched yet, as soon as the kernel knows them."""
        if not self._follows:
            return
        for number, core in enumerate(self._cores):
            if not core.knows and self._machine.started(number):
                core.begins_with(self._names.of_current(number))

    def _name_tasks(self, columns: NDArray[np.int64]) -> Column:
        """Return of each event that tells of a task its index; begins new slices."""
        tasks = np.full(columns.shape[1], UNKNOWN)
        at = np.flatnonzero(columns[E_KIND] == SWITCH)
        if len(at):
            self._switch(columns, at, tasks)
        others = np.flatnonzero(np.isin(columns[E_KIND], NAMED))
        if len(others):
            none = np.zeros(0, np.int64)
            tasks[others] = self._names.of(columns[E_TASK, others], others, none, none)
        return tasks

    def _switch(self, columns: NDArray[np.int64], at: Column, tasks: Column) -> None:
        """Begin new slices at switches; fills in the tasks that they lead to."""
        switches = columns[:, at]
        preempted = switches[E_A] & 0xFF != 0
        state = switches[E_STACK] & 0xFFFFFFFF
        left = np.full(len(at), Left.BLOCKED, np.uint8)
        left[state == 0] = Left.YIELDED
        left[preempted] = Left.PREEMPTED
        gone = ~preempted & (state != 0)
        gone[gone] = self._names.ended(state[gone])
        first = [
            int(index)
            for number, core in enumerate(self._cores)
            if not core.switched
            for index in np.flatnonzero(switches[E_CORE] == number)[:1]
        ]
        names = self._names.of(
            np.concatenate([switches[E_TASK], switches[E_B, first]]),
            np.concatenate([at, at[first]]),
            switches[E_B, gone],
            at[gone],
        )
        tasks[at] = names[: len(at)]
        for index, name in zip(first, names[len(at) :], strict=True):
            core = self._cores[int(switches[E_CORE, index])]
            core.switched = True
            core.begins_with(int(name))
        for core, mine in self._by_core(switches[E_CORE]):
            last = np.array([len(core.slices) - 1])
            core.slices.fill("left", last, int(left[mine[0]]))
            core.slices.append(
                len(mine),
                start=switches[E_TIME, mine],
                task=names[mine],
                left=np.append(left[mine[1:]], Left.NOT_YET),
            )

    def _by_core(self, numbers: Column) -> Iterator[tuple[_Core, Column]]:
        """Yield each core that is among the numbers, and where its are."""
        order = np.argsort(numbers.astype(np.int8), kind="stable")
        begins = np.searchsorted(numbers[order], np.arange(len(self._cores) + 1)).tolist()
        for core, begin, end in zip(self._cores, begins, begins[1:], strict=False):
            if begin < end:
                yield core, order[begin:end]

    # --- what happens on them ------------------------------------------------------------------

    def _note_instants(
        self, columns: NDArray[np.int64], first: int, watched: Sequence[Watched]
    ) -> None:
        kinds = self._kinds(columns, watched)
        at = np.flatnonzero(kinds)
        for core, which in self._by_core(columns[E_CORE, at]):
            mine = at[which]
            core.instants.append(
                len(mine), time=columns[E_TIME, mine], kind=kinds[mine], event=first + mine
            )

    def _kinds(self, columns: NDArray[np.int64], watched: Sequence[Watched]) -> NDArray[np.uint8]:
        """Return the `Kind` of each event, 0 if it is no instant."""
        kinds, cores, a = columns[E_KIND], columns[E_CORE], columns[E_A]
        found: NDArray[np.uint8] = _KINDS[np.minimum(kinds, len(_KINDS) - 1)]
        found[(kinds == events.STALE_FETCH) & (columns[E_B] & events.FETCH_STALE == 0)] = 0
        found[(kinds == events.TRAP) & (a == _BREAKPOINT)] = Kind.INT3
        delivered = np.flatnonzero(kinds == events.DELIVERED)
        vectors = a[delivered]
        timers = self._machine.state.apic[:, A_LVT_TIMER] & 0xFF
        found[delivered[vectors == timers[cores[delivered]]]] = Kind.TICK
        if self._sync is not None:
            asked = vectors == self._sync
            if self.batches.ends:  # a kernel's own, which uses the vector for more
                asked &= self.batches.syncing(columns[E_TIME, delivered])
            found[delivered[asked]] = Kind.SYNC
        calls = np.flatnonzero(kinds == CALL)
        if watched and len(calls):
            found[calls[_torn(a[calls], columns[E_B, calls], watched)]] = Kind.TORN
        return found

    # --- what the patcher does -----------------------------------------------------------------

    def _enter(self, phase: str, time: int, number: int) -> None:
        if self._bands and self._bands[-1].end < 0:
            last = self._bands[-1]
            self._bands[-1] = Band(last.phase, last.begin, time, last.round)
        self._bands.append(Band(phase, time, time if phase == PHASES[-1] else -1, number))
        del self._bands[:-_MOST_BANDS]


def _torn(functions: Column, codes: Column, watched: Sequence[Watched]) -> NDArray[np.bool_]:
    """Return of each fetch of a site, of a function by its number, whether its bytes are torn."""
    different, which = np.unique(codes, return_inverse=True)
    what = which * len(watched) + functions
    torn = np.zeros(len(different) * len(watched), bool)
    for each in np.flatnonzero(np.bincount(what)).tolist():
        code = int(different[each // len(watched)]).to_bytes(8, "little", signed=True)
        torn[each] = watched[each % len(watched)].torn(code[:5])
    found: NDArray[np.bool_] = torn[what]
    return found
