"""What cores fetched of code that a kernel changes itself: torn bytes, by events alone (D1).

A site has instructions: what stood there before the kernel's first store, and whatever stood there
whole since. Stores of one batch put an int3 in front while the rest changes, so each state of the
site that does not begin with int3 is an instruction. A core that executes other bytes, which do not
begin with int3 either, executes what nobody wrote. What the batch under way will have made of the
site is not known before its first byte is stored; until then nothing is said.
"""

from collections.abc import Iterable, Sequence
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
_MOST_SITES: Final = 1 << 17
_MOST_WAITING: Final = 64
_KEPT: Final = 64  # values of a byte


@dataclass(slots=True)
class _Byte:
    """The values of a byte, and the numbers of the stores that made them; the first is 0."""

    values: list[tuple[int, int]]

    def at(self, store: int) -> int:
        """Return the value behind a store."""
        return next(value for number, value in reversed(self.values) if number <= store)


@dataclass(slots=True)
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
    _bytes: dict[int, _Byte] = field(default_factory=dict)  # by physical address
    _stores: int = 0
    _waiting: list[_Fetch] = field(default_factory=list)
    _under_way: bool = False

    def take(self, rows: NDArray[np.int64]) -> None:
        """Look at events, shape [n, 8]."""
        kinds = rows[:, E_KIND]
        wanted = (kinds == events.TEXT_STORE) | (kinds == events.PHASE)
        wanted |= (kinds == events.STALE_FETCH) & (rows[:, E_B] & events.FETCH_STALE != 0)
        for row in rows[wanted & (rows[:, E_CORE] >= 0)].tolist():
            if row[E_KIND] == events.TEXT_STORE:
                self._store(row)
            elif row[E_KIND] == events.PHASE:
                self._under_way = row[E_A] != _DONE
                if not self._under_way:
                    self._judge()
            else:
                self._fetch(row)
        if not self.guest.machine.alive:
            self._judge()

    def _store(self, row: Sequence[int]) -> None:
        self._stores += 1
        if not self._under_way:  # as code is loaded: no int3 stands in front
            for at in range(row[E_ADDRESS], row[E_ADDRESS] + row[E_TASK]):
                self._bytes.pop(at, None)
            return
        old, new = ((row[at] & _WORD).to_bytes(8, "little")[: row[E_TASK]] for at in (E_A, E_B))
        for at, before, after in zip(
            range(row[E_ADDRESS], row[E_ADDRESS] + row[E_TASK]), old, new, strict=True
        ):
            if len(self._bytes) < _MOST_SITES or at in self._bytes:
                known = self._bytes.setdefault(at, _Byte([(0, before)]))
                known.values.append((self._stores, after))
                del known.values[1:-_KEPT]

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
        if not self._under_way:
            self._judge()

    def _judge(self) -> None:
        """Say of each fetch whether it is torn."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            legal = tuple(dict.fromkeys(self._instructions(each)))
            if not legal or each.code in legal or len(self.findings) >= MOST:
                continue
            what: What = "harmful" if harmful(each.code, legal, each.address) else "torn"
            code = each.code[: self._size(each)]
            self.findings.append(Finding(what, each.core, each.time, None, code, each.address))

    def _size(self, fetch: _Fetch) -> int:
        """Return the bytes of a fetch that are the site's: torn ones may take more along."""
        stored = (at for at in range(len(fetch.code)) if fetch.site + at in self._bytes)
        return max(SITE_SIZE, 1 + max(stored, default=0))

    def _instructions(self, fetch: _Fetch) -> Iterable[bytes]:
        """Yield what stood whole where bytes were fetched: after a store of the first byte."""
        first = self._bytes.get(fetch.site)
        size = len(fetch.code)
        if first is None:
            return
        for number, value in first.values:
            if value != _INT3:
                yield bytes(self._value(fetch, at, number) for at in range(size))

    def _value(self, fetch: _Fetch, at: int, number: int) -> int:
        known = self._bytes.get(fetch.site + at)
        return fetch.code[at] if known is None else known.at(number)
