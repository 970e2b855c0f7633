"""What cores fetched of code that a kernel changes itself: torn bytes, by events alone (D1).

A site has instructions: what stood there before the kernel's first store, and whatever stood there
whole since. Stores of one batch put an int3 in front while the rest changes, so each state of the
site that does not begin with int3 is an instruction. A core that executes other bytes, which do not
begin with int3 either, executes what nobody wrote. What the batch under way will have made of the
site is not known before its first byte is stored; until then nothing is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.detect.effect import harmful
from emu.detect.finding import MOST, Finding, What
from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.image.sites import SITE_SIZE
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TASK, E_TIME
from emu.moves.plan import PHASES

_INT3: Final = 0xCC
_WORD: Final = (1 << 64) - 1
_DONE: Final = len(PHASES) - 1
_LONGEST: Final = 8  # bytes that an event of a fetch tells
_MOST_STORES: Final = 1 << 19
_MOST_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class _Fetch:
    """A fetch of bytes that memory no longer held. site: physical."""

    core: int
    time: int
    address: int
    site: int
    code: bytes


@dataclass
class KernelFetches:
    """The fetches so far. findings: the first that are torn."""

    guest: Guest
    findings: list[Finding] = field(default_factory=list)
    _stores: list[NDArray[np.int64]] = field(default_factory=list)  # rows of events, in pieces
    _batched: list[NDArray[np.bool_]] = field(default_factory=list)  # of each: within a batch
    _waiting: list[_Fetch] = field(default_factory=list)
    _under_way: bool = False

    def take(self, rows: NDArray[np.int64]) -> None:
        """Look at events, shape [n, 8]."""
        rows = rows[rows[:, E_CORE] >= 0]
        kinds = rows[:, E_KIND]
        phases = np.flatnonzero(kinds == events.PHASE)
        open_ = np.append(self._under_way, rows[phases, E_A] != _DONE)
        stored = np.flatnonzero(kinds == events.TEXT_STORE)
        if len(stored):
            self._stores.append(rows[stored])
            self._batched.append(open_[np.searchsorted(phases, stored)])
            while sum(map(len, self._stores[1:])) > _MOST_STORES:
                del self._stores[0], self._batched[0]
        self._under_way = bool(open_[-1])
        stale = (kinds == events.STALE_FETCH) & (rows[:, E_B] & events.FETCH_STALE != 0)
        for row in rows[stale].tolist():
            self._fetch(row)
        if self._waiting and not (self._under_way and self.guest.machine.alive):
            self._judge()

    def _fetch(self, row: Sequence[int]) -> None:
        size = min(row[E_B] >> 8, _LONGEST)
        code = (row[E_A] & _WORD).to_bytes(8, "little")[:size]
        address = row[E_ADDRESS] & _WORD
        if not code or code[0] == _INT3 or len(self._waiting) >= _MOST_WAITING:
            return
        try:
            site = self.guest.physical(address)
        except TextpokeError:
            return
        self._waiting.append(_Fetch(row[E_CORE], row[E_TIME], address, site, code))

    def _judge(self) -> None:
        """Say of each fetch whether it is torn."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            stores = self._stores_at(each)
            legal = tuple(dict.fromkeys(_instructions(each, stores)))
            if not legal or each.code in legal or len(self.findings) >= MOST:
                continue
            what: What = "harmful" if harmful(each.code, legal, each.address) else "torn"
            behind = max(at - each.site for at, _, _ in stores) + 1
            code = each.code[: max(SITE_SIZE, behind)]  # torn bytes may take more along
            self.findings.append(Finding(what, each.core, each.time, None, code, each.address))

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
