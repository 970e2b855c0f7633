"""What a core may fetch at a site: every instruction that the fetch model lets it see.

From the history of text and the core's floor, as the machine chooses from them (text.py and
fetch_model.py say the rules). For people who ask what protects a core, not for the machine.
"""

import itertools
from collections.abc import Sequence

from emu.machine import state as st
from emu.machine.machine import Machine

_WORD = 8


class Versions:
    """The versions of text at one moment. Reads the history once."""

    def __init__(self, machine: Machine) -> None:
        scalars = machine.state.m
        self._machine = machine
        self._rows: list[list[int]] = machine.state.history[: scalars[st.M_HISTORY]].tolist()
        self._now = int(scalars[st.M_TEXT_NOW])
        self._floors: list[int] = machine.state.core[:, st.C_FLOOR].tolist()
        self._kept: dict[tuple[int, tuple[int, ...]], frozenset[bytes]] = {}

    def behind(self, core: int, addresses: Sequence[int]) -> bool:
        """Return whether text at these addresses was stored to since the core's floor."""
        return any(
            row[st.H_TIME] > self._floors[core] and any(_covers(row, at) for at in addresses)
            for row in self._rows
        )

    def oldest(self, core: int, addresses: Sequence[int]) -> bytes:
        """Return the oldest value of each byte that the core may fetch."""
        newest = self._newest(addresses)
        if self._machine.model == "coherent" or not self.behind(core, addresses):
            return newest
        return bytes(
            self._at(address, self._floor(core, address), value)
            for address, value in zip(addresses, newest, strict=True)
        )

    def fetchable(self, core: int, addresses: Sequence[int]) -> frozenset[bytes]:
        """Return all that one fetch of these bytes may bring, taken together."""
        key = core, tuple(addresses)
        if key not in self._kept:
            self._kept[key] = self._fetchable(core, addresses)
        return self._kept[key]

    def _fetchable(self, core: int, addresses: Sequence[int]) -> frozenset[bytes]:
        newest = self._newest(addresses)
        if self._machine.model == "coherent" or not self.behind(core, addresses):
            return frozenset({newest})
        floors = [self._floor(core, address) for address in addresses]
        stored = {row[st.H_TIME] for row in self._rows if any(_covers(row, a) for a in addresses)}
        times = sorted({*stored, *floors})
        values = [  # of each byte, by time
            {t: self._at(address, t, value) for t in times if t >= floor}
            for address, floor, value in zip(addresses, floors, newest, strict=True)
        ]
        match self._machine.model:
            case "observed":
                return _by_word(addresses, values)
            case "intel2010":
                return _in_order(values)
        return _by_byte(values)

    def _newest(self, addresses: Sequence[int]) -> bytes:
        ram = self._machine.state.ram
        return bytes(int(ram[address]) for address in addresses)

    def _at(self, address: int, time: int, newest: int) -> int:
        """Return a byte as it was at a text time."""
        value = newest
        for row in reversed(self._rows):
            if row[st.H_TIME] <= time:
                break
            if _covers(row, address):
                value = row[st.H_OLD] >> 8 * (address - row[st.H_ADDRESS]) & 0xFF
        return value

    def _floor(self, core: int, address: int) -> int:
        """Return the text time from which on the core may see a byte: also its own last store."""
        begin, size = address, 1
        if self._machine.model == "observed":
            begin, size = address & -_WORD, _WORD
        own = [
            row[st.H_TIME]
            for row in self._rows
            if row[st.H_CORE] == core
            and row[st.H_ADDRESS] < begin + size
            and begin < row[st.H_ADDRESS] + row[st.H_LENGTH]
        ]
        return max([self._floors[core], *own])


def _covers(row: Sequence[int], address: int) -> bool:
    return row[st.H_ADDRESS] <= address < row[st.H_ADDRESS] + row[st.H_LENGTH]


def _by_byte(values: Sequence[dict[int, int]]) -> frozenset[bytes]:
    """Each byte at any time."""
    return frozenset(bytes(each) for each in itertools.product(*(set(v.values()) for v in values)))


def _by_word(addresses: Sequence[int], values: Sequence[dict[int, int]]) -> frozenset[bytes]:
    """Each aligned word as it was at one time, words independently."""
    parts = []
    for _, group in itertools.groupby(range(len(addresses)), lambda at: addresses[at] // _WORD):
        word = list(group)
        times = set.intersection(*(set(values[at]) for at in word))
        parts.append({bytes(values[at][time] for at in word) for time in times})
    return frozenset(b"".join(each) for each in itertools.product(*parts))


def _in_order(values: Sequence[dict[int, int]]) -> frozenset[bytes]:
    """Each byte at any time, but never before that of the byte in front of it."""
    found = {(0, b"")}
    for byte in values:
        found = {
            (time, begun + bytes([value]))
            for least, begun in found
            for time, value in byte.items()
            if time >= least
        }
    return frozenset(code for _, code in found)
