"""What cores fetched at sites: stale, int3, torn, hazardous.

torn: the executed bytes are neither a legal instruction of the site nor begin with int3 (D1).
harmful: torn, and they do something that none of the legal instructions does (effect.py).
HAZARD: the RACE rule was broken: more than one instruction that is not int3 was fetchable.
unhandled: the kernel gave up on an int3 (D2).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emu.detect.effect import harmful
from emu.detect.finding import MOST, Finding, What
from emu.detect.watch import CALL, UNHANDLED, Watched
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TIME
from emu.machine.word import signed

_BREAKPOINT = 3
_MOST_TEARS = 16


@dataclass(frozen=True, slots=True)
class Tear:
    """Torn bytes that a core executed at a site. harmful: see the top of this file."""

    core: int
    function: str
    address: int
    code: bytes
    harmful: bool


@dataclass
class Fetches:
    """The count so far. tears: the first of each kind. findings: the first of all, unordered."""

    watched: tuple[Watched, ...]
    torn: int = 0
    harmful: int = 0
    hazard: int = 0
    int3: int = 0
    stale: int = 0
    unhandled: int = 0
    tears: list[Tear] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _trapped: dict[int, int] = field(default_factory=dict)  # by core: where its last int3 was

    def take(self, rows: NDArray[np.int64]) -> None:
        """Look at events."""
        kinds = rows[:, E_KIND]
        sites = np.array([signed(each.site) for each in self.watched], np.int64)
        unstable = rows[kinds == events.STALE_FETCH]
        unstable = unstable[np.isin(unstable[:, E_ADDRESS], sites)]
        self.stale += int(np.count_nonzero(unstable[:, E_B] & events.FETCH_STALE))
        hazards = unstable[unstable[:, E_B] & events.FETCH_HAZARD != 0]
        self.hazard += len(hazards)
        for row in hazards[:MOST]:
            self._found("HAZARD", row, int(np.flatnonzero(sites == row[E_ADDRESS])[0]))
        breakpoints = (kinds == events.TRAP) & (rows[:, E_A] == _BREAKPOINT)
        traps = rows[breakpoints]
        self.int3 += int(np.count_nonzero(np.isin(traps[:, E_ADDRESS], sites + 1)))
        unhandled = kinds == UNHANDLED
        self.unhandled += int(np.count_nonzero(unhandled))
        if np.any(unhandled):
            self._given_up(rows[breakpoints | unhandled])
        for core in np.unique(traps[:, E_CORE]).tolist():
            self._trapped[core] = int(traps[traps[:, E_CORE] == core][-1, E_ADDRESS])
        self._executed(rows[kinds == CALL])

    def _given_up(self, rows: NDArray[np.int64]) -> None:
        """Look at the int3s that cores met, and which of them the kernel gave up on."""
        numbers = {signed(each.site + 1): number for number, each in enumerate(self.watched)}
        for row in rows:
            core = int(row[E_CORE])
            if row[E_KIND] == UNHANDLED:
                self._found("unhandled int3", row, numbers.get(self._trapped.get(core, 0)))
            else:
                self._trapped[core] = int(row[E_ADDRESS])

    def _found(
        self, what: What, row: NDArray[np.int64], function: int | None, code: bytes = b""
    ) -> None:
        if sum(each.what == what for each in self.findings) < MOST:
            self.findings.append(Finding(what, int(row[E_CORE]), int(row[E_TIME]), function, code))

    def _executed(self, rows: NDArray[np.int64]) -> None:
        """Look at what was executed at sites, everything that is the same at once."""
        what, first, counts = np.unique(
            rows[:, (E_A, E_B)], axis=0, return_index=True, return_counts=True
        )
        order = np.argsort(first)  # as they happened
        for (number, code), row, times in zip(
            what[order].tolist(), rows[first[order]], counts[order].tolist(), strict=True
        ):
            each = self.watched[number]
            executed = code.to_bytes(8, "little", signed=True)[:5]
            if not each.torn(executed):
                continue
            hurts = harmful(executed, each.legal, each.site)
            self.torn += times
            self.harmful += times * hurts
            self._found("harmful" if hurts else "torn", row, number, executed)
            if len(self.tears) < _MOST_TEARS:
                core = int(row[E_CORE])
                self.tears.append(Tear(core, each.function, each.site, executed, hurts))
