"""Torn text of a kernel that patches itself: bytes nobody wrote, and int3 that nobody knows.

A kernel cannot notice by itself. From the machine's events it is told which core executed which
bytes, where, and which stores they were mixed of; and whether a fault had kept the core from
serialising. It is looked for while the run goes on, and has no effect on it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.detect.finding import Finding
from emu.detect.kernel_fetches import KernelFetches
from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.image.disasm import decode_one
from emu.lab.lost_syncs import lost_syncs
from emu.machine import events
from emu.machine.events import Events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TASK, E_TIME
from emu.moves.fault import FREEZE_FLOOR
from emu.moves.plan import PHASES

_STORES: Final = 16  # of one site: more than a batch makes
_ARM: Final = PHASES.index("arm")


@dataclass(frozen=True, slots=True)
class Store:
    """A store to a site. time: virtual ns. offset: of its first byte in the site."""

    time: int
    core: int
    offset: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Torn:
    """A torn instruction, or an int3 that memory no longer held and the kernel died of.

    Attributes:
        finding: which core executed it, when, and its bytes.
        place: the address, by name.
        stores: to these bytes, the oldest first, since the patch began of which they are.
        frozen: virtual ns at which a fault kept the core from serialising, None if none did.
    """

    finding: Finding
    place: str
    stores: tuple[Store, ...]
    frozen: int | None

    def lines(self) -> tuple[str, ...]:
        """Return what happened, in lines for people."""
        found = self.finding
        what = "a stale int3" if found.what == "unhandled int3" else f"{found.what} bytes"
        where = f"core {found.core} executed {what} at {self.place}, {_ms(found.time)}"
        if found.what == "unhandled int3":
            told = [f"{where}: no handler knew it, and the kernel died"]
        else:
            told = [f"{where}: {found.code.hex(' ')}  {decode_one(found.code, found.address)}"]
        happened = [(each.time, _stored(each)) for each in self.stores]
        if self.frozen is not None:
            happened.append((self.frozen, f"a fault kept core {found.core} from serialising"))
        told += [f"{_ms(time)}  {text}" for time, text in sorted(happened, key=lambda it: it[0])]
        return tuple(told)


class TornText:
    """The torn text of a run, found as it goes on."""

    def __init__(self, guest: Guest) -> None:
        self._guest, self._events = guest, guest.machine.events
        self._fetches = KernelFetches(guest)
        self._seen = len(self._events)
        self.found: list[Torn] = []

    def follow(self) -> None:
        """Look at the events since the last time."""
        if len(self._events) == self._seen:
            return
        rows = self._events.since(max(self._seen, self._events.first))
        self._seen = len(self._events)
        self._fetches.take(rows)
        for finding in self._fetches.findings[len(self.found) :]:
            self.found.append(_torn(finding, self._guest, self._events))

    def lost_syncs(self) -> tuple[str, ...]:
        """Return what became of syncs that a core lost, if no harm: a sentence for each."""
        fetches, harmed = self._fetches, {each.finding.core for each in self.found}
        return tuple(
            lost_syncs(core, fetches.lost[core], fetches.harmless)
            for core in sorted(fetches.lost.keys() - harmed)
        )


def _torn(finding: Finding, guest: Guest, kept: Events) -> Torn:
    rows = kept.since(kept.first)
    rows = rows[rows[:, E_TIME] <= finding.time]
    try:
        site = guest.physical(finding.address)
    except TextpokeError:
        site = -1
    size = len(finding.code)
    there = rows[rows[:, E_KIND] == events.TEXT_STORE]
    begin, end = there[:, E_ADDRESS], there[:, E_ADDRESS] + there[:, E_TASK]
    there = there[(begin < site + size) & (site < end)][-_STORES:]
    arms = rows[(rows[:, E_KIND] == events.PHASE) & (rows[:, E_A] == _ARM), E_TIME]
    last = there[:, E_TIME].max(initial=0)
    began = arms[arms <= last].max(initial=0)  # the patch that stored last
    there = there[there[:, E_TIME] >= began]
    mine = rows[rows[:, E_CORE] == finding.core]
    frozen = mine[(mine[:, E_KIND] == events.FAULT) & (mine[:, E_A] == FREEZE_FLOOR)][-1:, E_TIME]
    serialised = mine[mine[:, E_KIND] == events.SERIALISED][-1:, E_TIME]
    stood = len(frozen) and not (serialised > frozen).any()  # else its floor has moved since
    return Torn(
        finding,
        guest.describe(finding.address),
        tuple(_store(row, site) for row in there),
        int(frozen[0]) if stood else None,
    )


def _store(row: NDArray[np.int64], site: int) -> Store:
    old, new = (int(row[at]).to_bytes(8, "little", signed=True)[: row[E_TASK]] for at in (E_A, E_B))
    return Store(int(row[E_TIME]), int(row[E_CORE]), int(row[E_ADDRESS]) - site, old, new)


def _stored(store: Store) -> str:
    who = f"core {store.core}" if store.core >= 0 else "the patcher"
    return f"{who} stored {store.new.hex(' ')} over {store.old.hex(' ')}, byte {store.offset} of it"


def _ms(time: int) -> str:
    return f"{time / 1e6:.6f} ms"
