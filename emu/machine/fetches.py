"""Fetches: what a trace has found, as a value.

Ten million fetches are about two million blocks. So they are kept as the machine notes them: for
each block a row that says on which core, and which of the *instructions*, a table in which
everything that was executed stands once. Whole columns are made of that when they are asked for.
What counts as a fetch, `trace` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emu.machine.decode import MAX_LENGTH

INSTRUCTION: Final = np.dtype(
    [
        ("address", np.uint64),
        ("physical", np.int64),
        ("length", np.uint8),
        ("mode", np.uint8),
        ("code", np.uint8, MAX_LENGTH),
    ]
)
"""One instruction as it was executed. physical: of its first byte, -1 if that is not mapped.

mode: REAL, PROTECTED or LONG of `decode`. code: its bytes, then zeros.
"""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One instruction that a core started.

    Attributes:
        number: the instructions that all cores had retired before it, from power-on.
        time: virtual ns at which it starts.
        core: who executed it.
        address: linear.
        physical: address of its first byte, -1 if that is not mapped.
        code: its bytes as they were executed, which for the move Fetch are those it chose.
        mode: REAL, PROTECTED or LONG of `decode`.
    """

    number: int
    time: int
    core: int
    address: int
    physical: int
    code: bytes
    mode: int


@dataclass(frozen=True, eq=False)
class Fetches:
    """Fetches in the order in which they happened.

    Attributes:
        blocks: int64 [n], of instructions executed one after the other: index of the first in
            `instructions` << 24 | how many << 8 | core.
        numbers: int64 [n], of the first fetch of each block.
        idle: int64 [m, 2]: number of a fetch, and the virtual ns that were nobody's before it;
            the time of a fetch is its number and these. The first row is for all before, too.
        instructions: of dtype INSTRUCTION.
    """

    blocks: NDArray[np.int64]
    numbers: NDArray[np.int64]
    idle: NDArray[np.int64]
    instructions: NDArray[np.void]

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        return counts(self.blocks)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The index of the first fetch of each block, and the number of all fetches."""
        return np.concatenate([[0], np.cumsum(self._counts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Fetch:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._fetch(row, index - int(self._starts[row]))

    def __iter__(self) -> Iterator[Fetch]:
        for row, count in enumerate(self._counts.tolist()):
            for offset in range(count):
                yield self._fetch(row, offset)

    def _fetch(self, row: int, offset: int) -> Fetch:
        block, number = int(self.blocks[row]), int(self.numbers[row]) + offset
        address, physical, length, mode, code = self.instructions[(block >> 24) + offset]
        return Fetch(
            number=number,
            time=number + int(self._idle_before(number)),
            core=block & 0xFF,
            address=int(address),
            physical=int(physical),
            code=code[:length].tobytes(),
            mode=int(mode),
        )

    def _idle_before(self, number: Any) -> Any:
        """Return the virtual ns before a fetch, or each of some, in which nothing was executed."""
        row = np.searchsorted(self.idle[:, 0], number, side="right") - 1
        return self.idle[np.maximum(row, 0), 1]

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of all fetches: number, time, core, or a field of INSTRUCTION.

        An array with a row for each fetch; `code` has the shape [n, 15].
        """
        if name == "core":
            return np.repeat((self.blocks & 0xFF).astype(np.uint8), self._counts)
        if name == "number":
            return self._counted(self.numbers)
        if name == "time":
            return self._counted(self.numbers + self._idle_before(self.numbers))
        return self.instructions[name][self._executed]

    @property
    def _executed(self) -> NDArray[np.int64]:
        """The index of each fetch's instruction."""
        return self._counted(self.blocks >> 24)

    def _counted(self, begins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each fetch the number that its block begins with, plus its place in it."""
        return np.repeat(begins - self._starts[:-1], self._counts) + np.arange(len(self))

    def between(self, begin: int, end: int) -> "Fetches":
        """Return the fetches with numbers in [begin, end)."""
        low = np.maximum(begin - self.numbers, 0)
        high = np.minimum(end - self.numbers, self._counts)
        keep = np.flatnonzero(high > low)
        return self._part(keep, low[keep], high[keep] - low[keep])

    def of_core(self, core: int) -> "Fetches":
        """Return the fetches of one core."""
        keep = self.blocks & 0xFF == core
        return replace(self, blocks=self.blocks[keep], numbers=self.numbers[keep])

    def at(self, address: int) -> "Fetches":
        """Return the fetches of the instructions at a linear address, whatever their bytes."""
        wanted = self.instructions["address"] == np.uint64(address & (1 << 64) - 1)
        before = np.concatenate([[0], np.cumsum(wanted)])
        first = self.blocks >> 24
        rows = np.flatnonzero(before[first + self._counts] > before[first])
        some = replace(self, blocks=self.blocks[rows], numbers=self.numbers[rows])
        found = np.flatnonzero(wanted[some._executed])
        row = np.searchsorted(some._starts, found, side="right") - 1
        return some._part(row, found - some._starts[row], np.ones(len(row), np.int64))

    def _part(
        self, rows: NDArray[np.int64], skip: NDArray[np.int64], count: NDArray[np.int64]
    ) -> "Fetches":
        """Return `count` fetches of each of these blocks, without the first `skip`."""
        blocks = self.blocks[rows] + (skip << 24) + (count - self._counts[rows] << 8)
        return replace(self, blocks=blocks, numbers=self.numbers[rows] + skip)


def counts(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many instructions each block executed."""
    return blocks >> 8 & 0xFFFF
