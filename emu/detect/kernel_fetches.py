"""What cores executed of code that a kernel changes itself, by events alone (D1).

A site has instructions: what stood there before the kernel's first store, whatever stood there
whole since, and what the batch under way says it will become. Stores of one batch put an int3 in
front while the rest changes, so each state of the site that does not begin with int3 is an
instruction. A core that executes other bytes, which do not begin with int3 either, executes what
nobody wrote. An int3 that memory no longer holds is somebody's, or the kernel dies of it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from emu.detect.effect import harmful
from emu.detect.finding import MOST, Finding, What
from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.guest.int3_handler import Handler
from emu.guest.probes import INT3, INT3_HANDLERS, OOPS
from emu.image.sites import SITE_SIZE
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TASK, E_TIME
from emu.moves.fault import FREEZE_FLOOR
from emu.moves.plan import PHASES

_INT3: Final = 0xCC
_WORD: Final = (1 << 64) - 1
_ARM, _DONE = 0, len(PHASES) - 1
_LONGEST: Final = 8  # bytes that an event of a fetch tells
_MOST_STORES: Final = 1 << 19
_UNKNOWN: Final = 0, -1  # a batch that was under way when the run went on from a snapshot
_BREAKPOINT: Final = 3
_MOST_WAITING: Final = 64
_LOOKED_AT: Final = (
    events.PHASE,
    events.STALE_FETCH,
    events.FAULT,
    events.SERIALISED,
    events.TRAP,
    INT3,
    OOPS,
)

Harmless = Literal["whole", "acted out", "gone"]
"""Stale bytes that do no harm. "whole": an instruction that stood there; "acted out": an int3 whose
site the handler of text_poke still knew; "gone": one that it did not, and the handler of kprobes
took, which goes back to an instruction whose int3 is no longer there (kprobe_int3_handler, up to
Linux 6.1).
"""


@dataclass(frozen=True, slots=True)
class _Fetch:
    """A fetch of bytes that memory no longer held; two are the same whatever their times.

    site: physical. unserialised: the core had lost a sync, and not serialised since.
    """

    core: int
    time: int = field(compare=False)
    address: int
    site: int
    code: bytes
    unserialised: bool


@dataclass
class KernelFetches:
    """The fetches so far.

    Attributes:
        findings: the first of those that are torn, or an int3 that the kernel died of.
        lost: how many syncs each core has lost: interrupts while a batch was under way.
        harmless: what each core has executed between a sync that it lost and the next time it
            serialised, and no harm came of.
    """

    guest: Guest
    findings: list[Finding] = field(default_factory=list)
    lost: Counter[int] = field(default_factory=Counter)
    harmless: Counter[tuple[int, Harmless]] = field(default_factory=Counter)
    _stores: list[NDArray[np.int64]] = field(default_factory=list)  # rows of events, in pieces
    _batched: list[NDArray[np.bool_]] = field(default_factory=list)  # of each: within a batch
    _waiting: Counter[_Fetch] = field(default_factory=Counter)  # to be judged: the first, how often
    _breakpoints: dict[int, _Fetch] = field(default_factory=dict)  # by core: nobody's so far
    _unserialised: set[int] = field(default_factory=set)
    _under_way: tuple[int, int] | None = None  # descriptors of a batch and how many
    _handler: Handler | None = None

    def take(self, rows: NDArray[np.int64]) -> None:
        """Look at events, shape [n, 8]."""
        rows = rows[rows[:, E_CORE] >= 0]
        self._keep_stores(rows)
        for row in rows[np.isin(rows[:, E_KIND], _LOOKED_AT)].tolist():
            self._heed(row)
        for fetch in [each for each in self._waiting if self._judged(each)]:
            del self._waiting[fetch]

    def _keep_stores(self, rows: NDArray[np.int64]) -> None:
        kinds = rows[:, E_KIND]
        phases = np.flatnonzero(kinds == events.PHASE)
        open_ = np.append(self._under_way is not None, rows[phases, E_A] != _DONE)
        stored = np.flatnonzero(kinds == events.TEXT_STORE)
        if not len(stored):
            return
        self._stores.append(rows[stored])
        self._batched.append(open_[np.searchsorted(phases, stored)])
        kept = sum(map(len, self._stores))
        while kept - len(self._stores[0]) > _MOST_STORES:
            kept -= len(self._stores[0])
            del self._stores[0], self._batched[0]

    def _heed(self, row: Sequence[int]) -> None:
        core, kind = row[E_CORE], row[E_KIND]
        if kind == events.PHASE:
            if row[E_A] == _ARM:
                self._under_way = row[E_B] & _WORD, row[E_TASK]
            elif row[E_A] == _DONE:
                self._under_way = None
            else:
                self._under_way = self._under_way or _UNKNOWN
        elif kind == events.FAULT and row[E_A] == FREEZE_FLOOR and self._under_way is not None:
            self._unserialised.add(core)
            self.lost[core] += 1
        elif kind == events.SERIALISED:
            self._unserialised.discard(core)
        elif kind == events.STALE_FETCH and row[E_B] & events.FETCH_STALE:
            self._fetch(row)
        elif kind == INT3 and row[E_A] & 0xFFFFFFFF and core in self._breakpoints:
            taken = self._breakpoints.pop(core)
            known = INT3_HANDLERS[row[E_B]] == "text_poke"
            self._harmless(taken, "acted out" if known else "gone")
        elif kind == events.TRAP and row[E_A] != _BREAKPOINT:
            self._breakpoints.pop(core, None)  # the core has gone on
        elif kind == OOPS and core in self._breakpoints:
            self._found("unhandled int3", self._breakpoints.pop(core), 1)

    def _fetch(self, row: Sequence[int]) -> None:
        core, address = row[E_CORE], row[E_ADDRESS] & _WORD
        size = min(row[E_B] >> 8, _LONGEST)
        code = (row[E_A] & _WORD).to_bytes(8, "little")[:size]
        try:
            site = self.guest.physical(address)
        except TextpokeError:
            return
        fetch = _Fetch(core, row[E_TIME], address, site, code, core in self._unserialised)
        if code[:1] == bytes([_INT3]):
            self._breakpoints[core] = fetch
        elif code and (fetch in self._waiting or len(self._waiting) < _MOST_WAITING):
            self._waiting[fetch] += 1  # in a loop, the same old bytes are fetched without end

    def _judged(self, fetch: _Fetch) -> bool:
        """Say whether a fetch is torn; returns whether that can be said yet."""
        announced: tuple[bytes, ...] = ()
        if self._under_way is not None and self.guest.machine.alive:
            known = self._announced(fetch, *self._under_way)
            if known is None:
                return False
            announced = known
        stores = self._stores_at(fetch)
        legal = tuple(dict.fromkeys((*_instructions(fetch, stores), *announced)))
        if not legal:
            return True
        if fetch.code in legal:
            self._harmless(fetch, "whole", self._waiting[fetch])
            return True
        what: What = "harmful" if harmful(fetch.code, legal, fetch.address) else "torn"
        behind = max((at - fetch.site for at, _, _ in stores), default=0) + 1
        self._found(what, fetch, max(SITE_SIZE, behind))  # torn bytes may take more along
        return True

    def _found(self, what: What, fetch: _Fetch, size: int) -> None:
        if len(self.findings) < MOST:
            code, address = fetch.code[:size], fetch.address
            self.findings.append(Finding(what, fetch.core, fetch.time, None, code, address))

    def _harmless(self, fetch: _Fetch, what: Harmless, count: int = 1) -> None:
        self.harmless[fetch.core, what] += count if fetch.unserialised else 0

    def _announced(self, fetch: _Fetch, descriptors: int, count: int) -> tuple[bytes, ...] | None:
        """Return what a batch makes of where bytes were fetched, if it does; None: unknown."""
        try:
            self._handler = self._handler or Handler(self.guest)
            pokes = self._handler.pokes(self.guest, descriptors, count)
        except TextpokeError:
            return None
        if len(pokes) != count:
            return None
        size = len(fetch.code)
        return tuple(
            (poke.new + fetch.code[len(poke.new) :])[:size]
            for poke in pokes
            if poke.site == fetch.address
        )

    def _stores_at(self, fetch: _Fetch) -> list[tuple[int, int, int]]:
        """Return the stores to the bytes of a fetch, by batches: (address, old, new) of each.

        Those before the last store that was none of a batch do not count.
        """
        found: list[tuple[int, int, int]] = []
        end = fetch.site + len(fetch.code)
        for rows, batched in zip(self._stores, self._batched, strict=True):
            first, size = rows[:, E_ADDRESS], rows[:, E_TASK]
            at = np.flatnonzero((first < end) & (first + size > fetch.site))
            for row, counts in zip(rows[at].tolist(), batched[at].tolist(), strict=True):
                if not counts:
                    found.clear()
                    continue
                pair = zip(_bytes(row, E_A), _bytes(row, E_B), strict=True)
                bytes_ = ((row[E_ADDRESS] + n, *values) for n, values in enumerate(pair))
                found += [each for each in bytes_ if fetch.site <= each[0] < end]
        return found


def _bytes(row: Sequence[int], column: int) -> bytes:
    return (row[column] & _WORD).to_bytes(8, "little")[: row[E_TASK]]


def _instructions(fetch: _Fetch, stores: Sequence[tuple[int, int, int]]) -> Iterator[bytes]:
    """Yield what stood whole where bytes were fetched: at first, and once its head was stored."""
    state = bytearray(fetch.code)
    for address, old, _ in reversed(stores):
        state[address - fetch.site] = old
    if any(address == fetch.site for address, _, _ in stores):
        yield bytes(state)
    for address, _, new in stores:
        state[address - fetch.site] = new
        if address == fetch.site and new != _INT3:
            yield bytes(state)
