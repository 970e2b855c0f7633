"""Arrows: interrupts that are sent, delivered and acknowledged, paired as local APICs do it.

A local APIC has one bit a vector for what is pending and one for what is in service (SDM volume
3A, 11.8.4). So one delivery answers everything with its vector that was sent to the core before,
and one end of interrupt serves what was delivered. An interrupt that a fault dropped is never
delivered; one that a fault held back becomes pending later.

Limits: an interrupt of the 8259s with the vector of a pending IPI is taken for it, and an INIT,
which clears what is pending, is not heeded. INIT and start-up messages are no arrows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_TIME, MAX_CORES
from emu.machine.xapic_messages import FIXED, LOWEST, NMI
from emu.moves.fault import DELAY_IPI, DROP_IPI
from emu.scene import lanes
from emu.scene.lanes import Column
from emu.scene.table import Table

_NMI_VECTOR = 2
_LOWEST_VECTOR = 16  # a lower one is illegal, and is not sent
_NONE = np.zeros(0, np.int64)


class _Waiting:
    """Rows of a table that wait for the next event of their key.

    A key is core << 8 | vector. Events have places that say what came first.
    """

    def __init__(self) -> None:
        self._rows: dict[int, list[Column]] = {}

    def add(self, keys: Column, rows: Column) -> None:
        """Let rows wait."""
        for key in set(keys.tolist()):
            self._rows.setdefault(key, []).append(rows[keys == key])

    def take(self, key: int) -> Column:
        """Return the rows that wait for a key, which wait no more."""
        found = self._rows.pop(key, None)
        return np.concatenate(found) if found else _NONE

    def next(self, new: "_Rows", ends: "_Rows") -> tuple[Column, Column]:
        """Pair those that wait, and new ones, with the next event of their key.

        Returns rows by ascending number, and the number of each one's event; the others wait.
        """
        order = np.argsort(ends.keys, kind="stable")
        keys, at = ends.keys[order], ends.at[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))  # the first event of each key
        old = [(self.take(int(keys[begin])), begin) for begin in begins.tolist()]
        span = 1 + int(max(at.max(initial=0), new.at.max(initial=0)))
        found = np.searchsorted(keys * span + at, new.keys * span + new.at)
        paired = found < len(keys)
        paired[paired] = keys[found[paired]] == new.keys[paired]
        if not paired.all():
            self.add(new.keys[~paired], new.rows[~paired])
        rows = np.concatenate([*(rows for rows, _ in old), new.rows[paired]])
        which = [np.full(len(rows), begin) for rows, begin in old]
        event = ends.rows[order][np.concatenate([*which, found[paired]]).astype(np.int64)]
        ascending = np.argsort(rows, kind="stable")
        return rows[ascending], event[ascending]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Numbers of rows, their keys, and the places of the events that they are about."""

    rows: Column
    keys: Column
    at: Column


class ArrowTable:
    """The arrows so far. limit: of those that are kept."""

    def __init__(self, limit: int) -> None:
        names = ("sent", "source", "target", "vector", "delivered", "acknowledged")
        self.table = Table(dict.fromkeys(names, np.int64), limit)
        self._pending, self._in_service = _Waiting(), _Waiting()
        self._held: list[tuple[int, int, Column]] = []  # until when, key, rows

    def arrows(self) -> lanes.Arrows:
        """Return them as they are now."""
        table = self.table
        return lanes.Arrows(
            table["sent"],
            table["source"],
            table["target"],
            table["vector"],
            table["delivered"],
            table["acknowledged"],
        )

    def take(self, columns: NDArray[np.int64]) -> None:
        """Look at events: int64 [8, n], a row for each of the columns `state.E_...`."""
        kinds = columns[E_KIND]
        begin = 0
        for at in np.flatnonzero(kinds == events.FAULT).tolist():
            if columns[E_A, at] in (DROP_IPI, DELAY_IPI):  # what is pending there is no more
                self._take(columns[:, begin:at])
                self._lose(columns[:, at])
                begin = at + 1
        self._take(columns[:, begin:])

    def _lose(self, fault: NDArray[np.int64]) -> None:
        key = int(fault[E_CORE]) << 8 | int(fault[E_ADDRESS])
        lost = self._pending.take(key)
        if fault[E_A] == DELAY_IPI:
            self._held.append((int(fault[E_TIME] + fault[E_B]), key, lost))

    def _take(self, columns: NDArray[np.int64]) -> None:
        """Look at events, no fault among them."""
        while self._held and columns.shape[1]:
            soonest = min(self._held, key=lambda each: each[0])
            at = int(np.searchsorted(columns[E_TIME], soonest[0]))
            if at == columns.shape[1]:
                break
            self._pair(columns[:, :at])
            self._held = [each for each in self._held if each is not soonest]
            _, key, rows = soonest
            self._pending.add(np.full(len(rows), key), rows)
            columns = columns[:, at:]
        self._pair(columns)

    def _pair(self, columns: NDArray[np.int64]) -> None:
        kinds, times = columns[E_KIND], columns[E_TIME]
        sent = self._send(columns, np.flatnonzero(kinds == events.IPI))
        taken = np.flatnonzero(kinds == events.DELIVERED)
        keys = columns[E_CORE, taken] << 8 | columns[E_A, taken]
        delivered, by = self._pending.next(sent, _Rows(taken, keys, taken))
        self.table.fill("delivered", delivered, times[by])
        ends = np.flatnonzero(kinds == events.ACKNOWLEDGED)
        end_keys = columns[E_CORE, ends] << 8 | columns[E_ADDRESS, ends]
        keys = columns[E_CORE, by] << 8 | columns[E_A, by]
        served, by = self._in_service.next(_Rows(delivered, keys, by), _Rows(ends, end_keys, ends))
        self.table.fill("acknowledged", served, times[by])

    def _send(self, columns: NDArray[np.int64], at: Column) -> _Rows:
        """Append what was sent by the events at these places."""
        if not len(at):
            return _Rows(_NONE, _NONE, _NONE)
        sent = columns[:, at]
        nmi = sent[E_B] == NMI
        vector = np.where(nmi, _NMI_VECTOR, sent[E_ADDRESS])
        fixed = ((sent[E_B] == FIXED) | (sent[E_B] == LOWEST)) & (vector >= _LOWEST_VECTOR)
        targets = sent[E_A][:, None] >> np.arange(MAX_CORES) & 1 != 0
        which, target = np.nonzero(targets & (nmi | fixed)[:, None])
        first = len(self.table)
        self.table.append(
            len(which),
            sent=sent[E_TIME, which],
            source=sent[E_CORE, which],
            target=target,
            vector=vector[which],
            delivered=-1,
            acknowledged=-1,
        )
        return _Rows(first + np.arange(len(which)), target << 8 | vector[which], at[which])
