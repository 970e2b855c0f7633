"""A pool of states: what the explorer goes back to, thousands of times a second.

States of one machine, which share their parts: pages of RAM, the two halves of a register file
(what most steps change, and the rest: FPU, SSE, MSRs), and a record of all kept tables and
scalars. Every part is there once, found by its digest. `capture` takes the state the machine is
in and says whether it was seen before; `restore` goes back to one. Both look only at what may
differ: pages that are dirty or not those of the machine's first state, which is the base.

All storage is made at once and its size is fixed: a pool that is full says so. A search that is
native itself calls `pool_states.capture` and `restore` with `Pool.native`.
"""

import ctypes

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.machine import registers
from emu.machine import state as st
from emu.machine.digest import (
    CLOCK,
    HASHED,
    UNHASHED,
)
from emu.machine.machine import Machine
from emu.machine.pool_head import (
    ARENA,
    ARENA_SIZE,
    BASE,
    BASE_DIGESTS,
    COUNT,
    DIGESTS,
    EXTRA,
    HEAD_SIZE,
    HELD,
    LINKS,
    LISTED,
    LOWER,
    MOST,
    NEW,
    NOW,
    PAGE_RECORD,
    PAGES,
    RECORDS,
    ROW,
    SIZE,
    SLOTS,
    SPLIT,
    STATES,
    TABLES,
    UPPER,
    WANTED,
)
from emu.machine.pool_pages import begin
from emu.machine.pool_states import MAX_STORES, TOO_MUCH_HISTORY, capture, restore
from emu.machine.state import (
    ENV_SIZE,
    M_CORES,
    PAGE,
    State,
)

_UNHASHED_SCALARS = (  # the patcher's, and what follows from something else
    st.M_TEXT_NOW, st.M_HISTORY, st.M_PATCHER, st.M_WAIT_COUNT, st.M_DELAYED_UNTIL, st.M_INTR,
    st.M_DEVICE_DEADLINE, st.M_INPUT_HEAD, st.M_INPUT_TAIL,
)  # fmt: skip
_COLUMNS = {  # of tables: what does not count for itself; as in `hashing`
    "core": {st.C_FLOOR: UNHASHED, st.C_RETIRED: UNHASHED, st.C_STALE: UNHASHED},
    "apic": {st.A_STARTED: UNHASHED},
    "input": {0: UNHASHED},
}


class Pool:
    """States of one machine, which moves by `restore` from now on, too.

    states: how many there is room for. parts: how many different pages; there is room for as
    many halves of register files and records of tables. Memory is taken as it is used.
    """

    def __init__(self, machine: Machine, *, states: int = 1 << 17, parts: int = 1 << 16) -> None:
        self._machine = machine
        self._arrays: list[NDArray[np.int64]] = []
        self._head = np.zeros(HEAD_SIZE, np.int64)
        self._segments, counted, words = _layout(machine.state)
        page_count = machine.state.ram.size // PAGE
        self._store(PAGES, PAGE_RECORD, parts)
        self._store(LOWER, SPLIT, 4 * parts)
        self._store(UPPER, ENV_SIZE - SPLIT, parts)
        self._store(TABLES, 8 * words, parts)
        self._store(STATES, 0, states)
        self._head[PAGES + COUNT] = 1  # number 0 is the base's
        self._head[ARENA_SIZE] = 64 * states
        for slot, size in (
            (BASE, page_count * PAGE_RECORD // 8), (BASE_DIGESTS, 2 * page_count),
            (NOW, page_count), (HELD, page_count), (WANTED, page_count),
            (LISTED, page_count), (ROW, PAGE_RECORD // 8 + words), (LINKS, states),
            (ARENA, 64 * states),
        ):  # fmt: skip
            self._head[slot] = self._room(size)
        fields = registers.words(), registers.words(survivors=True)
        lower = fields[0][fields[0][:, 0] < SPLIT]
        upper = fields[0][fields[0][:, 0] >= SPLIT]
        self.native = (self._head, self._segments, counted, lower, upper, fields[1])
        """What `capture` takes behind the state; the first two are what `restore` takes."""
        begin(machine.state, self._head)

    def __len__(self) -> int:
        return int(self._head[STATES + COUNT])

    def capture(self, extra: int = 0) -> tuple[int, bool]:
        """Return the number of the machine's state, and whether it was not there before.

        extra: what belongs to the state and is not in the machine, as a signed 64-bit number.
        """
        number = int(capture(self._machine.state, *self.native, extra))
        if number == TOO_MUCH_HISTORY:
            raise TextpokeError(f"over {MAX_STORES} stores to text are unseen: let cores serialise")
        if number < 0:
            raise TextpokeError(f"the pool is full with {len(self)} states: make a larger one")
        return number, bool(self._head[NEW])

    def restore(self, number: int) -> int:
        """Let the machine be in a state of the pool; returns its `extra`."""
        if not 0 <= number < len(self):
            raise TextpokeError(f"no state {number}: the pool has {len(self)}")
        restore(self._machine.state, *self.native[:2], number)
        return int(self._head[EXTRA])

    def digest(self, number: int) -> tuple[int, int]:
        """Return the digest of a state."""
        at = int(self._head[STATES + DIGESTS]) + 16 * number
        one, two = np.frombuffer(ctypes.string_at(at, 16), np.int64).tolist()
        return one, two

    def _room(self, words: int) -> int:
        """Return the host address of so many zeros."""
        self._arrays.append(np.zeros(words, np.int64))
        return int(self._arrays[-1].ctypes.data)

    def _store(self, store: int, size: int, most: int) -> None:
        most = 1 << max(1, most - 1).bit_length()
        self._head[store + RECORDS] = self._room(size * most // 8)
        self._head[store + SIZE] = size
        self._head[store + DIGESTS] = self._room(2 * most)
        self._head[store + SLOTS] = self._room(2 * most)
        self._head[store + MOST] = most


def _layout(s: State) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the segments of the record of tables, which words of it count, and its size.

    Tables that have a row for each core are kept as far as there are cores.
    """
    segments: list[tuple[int, int, int, int, int]] = []
    kinds: list[int] = []
    for slot in range(st.M_TABLES):
        if slot not in st.SCRATCH_SCALARS:
            segments.append((s.address + 8 * slot, 1, len(kinds), -1, 0))
            kind = UNHASHED if slot in _UNHASHED_SCALARS else HASHED
            kinds.append(CLOCK if slot == st.M_CLOCK else kind)
    for name in st.KEPT_TABLES:
        table = getattr(s, name)
        assert table.nbytes % 8 == 0, name
        columns = table[0].nbytes // 8 if table.ndim > 1 else 1
        rows = table.nbytes // 8 // columns
        if name == "history":
            rows = MAX_STORES
        elif rows == st.MAX_CORES and table.ndim > 1:
            rows = int(s.m[M_CORES])
        used = st.ROWS_IN_USE.get(name, -1)
        segments.append((table.ctypes.data, rows * columns, len(kinds), used, columns))
        default = HASHED if used < 0 else UNHASHED
        row = [_COLUMNS.get(name, {}).get(column, default) for column in range(columns)]
        kinds += row * rows
    counted = [(index, kind) for index, kind in enumerate(kinds) if kind != UNHASHED]
    return np.array(segments, np.int64), np.array(counted, np.int64), len(kinds)
