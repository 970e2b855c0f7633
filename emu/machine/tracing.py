"""Taking over what the machine has noted of its fetches, before its small tables are full."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emu.machine.decode import MAX_LENGTH
from emu.machine.fetches import INSTRUCTION, Fetches, counts
from emu.machine.state import (
    C_RETIRED,
    FOREVER,
    MAX_SHAPE_CODE,
    MAX_SHAPES,
    T_CODE,
    T_INSTRUCTIONS,
    T_SHAPES,
    T_TIME,
    T_TRACED,
    State,
)
from emu.machine.trace import list_instructions

_SMALL = 4096  # rows: a piece with less is joined with the next


class Tracing:
    """The fetches numbered [begin, end), as they come in."""

    def __init__(self, state: State, begin: int = 0, end: int = FOREVER) -> None:
        self._next = self._first = _retired(state)
        self._begin, self._end = begin, end
        self._blocks = _Table(np.zeros(0, np.int64))
        self._idle = _Table(np.zeros((0, 2), np.int64))
        self._instructions = _Table(np.zeros(0, INSTRUCTION))
        self._shapes = 0  # those of the state whose instructions are taken over
        state.trace[:] = 0
        state.trace[T_TIME] = -1  # no time: the first row will tell
        state.shape_slots[:] = 0

    def drain(self, state: State) -> None:
        """Take over what the machine has noted since the last time."""
        new = int(state.trace[T_TRACED])
        if not new:
            return
        rows, number = state.traced[:new], self._next
        self._next = _retired(state)
        times = rows < 0
        blocks = rows[~times] if times.any() else rows.copy()
        if len(blocks) < new:
            self._take_times(rows, times, number)
        if number < self._begin or self._next > self._end:
            blocks, number = self._kept(blocks, number)
        if not len(self._blocks):
            self._first = number
        self._blocks.append(blocks)
        state.trace[T_TRACED] = 0
        shapes = int(state.trace[T_SHAPES])
        if shapes > self._shapes:
            self._take_instructions(state, shapes)
        if shapes > MAX_SHAPES // 2 or state.trace[T_CODE] > MAX_SHAPE_CODE // 2:
            self._shapes = state.trace[T_SHAPES] = state.trace[T_CODE] = 0
            state.shape_slots[:] = 0

    def _take_times(self, rows: NDArray[np.int64], times: NDArray[np.bool_], number: int) -> None:
        executed = np.where(times, 0, counts(rows))
        numbers = number + np.cumsum(executed)[times]
        self._idle.append(np.column_stack([numbers, ~rows[times] - numbers]))

    def _kept(self, blocks: NDArray[np.int64], number: int) -> tuple[NDArray[np.int64], int]:
        """Return those of the blocks that reach into [begin, end), and the first one's number.

        number: of the first fetch of all of them.
        """
        ends = number + np.cumsum(counts(blocks))
        begins = ends - counts(blocks)
        kept = (ends > self._begin) & (begins < self._end)
        return blocks[kept], int(begins[kept][0]) if kept.any() else self._next

    def _take_instructions(self, state: State, shapes: int) -> None:
        new = int(state.trace[T_INSTRUCTIONS]) - len(self._instructions)
        numbers, codes = np.zeros((new, 4), np.int64), np.zeros((new, MAX_LENGTH), np.uint8)
        list_instructions(state, self._shapes, shapes, numbers, codes)
        rows = np.zeros(new, INSTRUCTION)
        for column, name in enumerate(("address", "physical", "length", "mode")):
            rows[name] = numbers[:, column]
        rows["code"] = codes
        self._instructions.append(rows)
        self._shapes = shapes

    def fetches(self) -> Fetches:
        """Return the fetches so far."""
        blocks = self._blocks.rows()
        numbers = self._first + np.cumsum(counts(blocks)) - counts(blocks)
        found = Fetches(blocks, numbers, self._idle.rows(), self._instructions.rows())
        inside = self._first >= self._begin and self._next <= self._end
        return found if inside else found.between(self._begin, self._end)


def _retired(state: State) -> int:
    return int(state.core[:, C_RETIRED].sum())


class _Table:
    """Rows that only become more."""

    def __init__(self, none: NDArray[Any]) -> None:
        self._pieces, self._count = [none], 0

    def __len__(self) -> int:
        return self._count

    def append(self, rows: NDArray[Any]) -> None:
        self._count += len(rows)
        if len(self._pieces[-1]) < _SMALL:
            rows = np.concatenate([self._pieces.pop(), rows])
        self._pieces.append(rows)

    def rows(self) -> NDArray[Any]:
        """Return all rows, not to be written to."""
        self._pieces = [np.concatenate(self._pieces)]
        rows = self._pieces[0].view()
        rows.flags.writeable = False
        return rows
