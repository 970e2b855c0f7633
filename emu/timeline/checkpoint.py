"""Checkpoints: the whole run at some points of it, from which it can be made again.

How many there are is bounded, and so are the pages of RAM they hold: when there are too many,
every other one goes and the distance between new ones doubles. So however long a run is, its
checkpoints lie about evenly in it, and a replay from the nearest takes a bounded part of it.
"""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.machine import pages, state
from emu.machine.snapshot import Snapshot
from emu.moves.chooser import Chooser
from emu.patch.patcher import Progress
from emu.timeline.mark import Mark

MOST = 256
"""Checkpoints that are kept."""

DISTANCE = 250_000
"""Effort between two of them at first: some 20 ms of replay."""

MOST_PAGES = 1 << 16
"""Pages that checkpoints may hold beside those of the first: 256 MiB."""

_A_MOVE = 20  # instructions that retire in the time in which a move is picked (moves_per_second)

TIME = 0
"""The column of virtual time among counts; that of core n is n + 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A run at one point.

    Attributes:
        mark: the point.
        entries: how many of the journal were carried out before.
        snapshot: the machine.
        chooser: who picks the next moves, as it is here; to be copied.
        patcher: how far it is.
    """

    mark: Mark
    entries: int
    snapshot: Snapshot
    chooser: Chooser
    patcher: Progress

    @property
    def counts(self) -> NDArray[np.int64]:
        """What only grows: int64 [1 + cores], virtual time and instructions of each core."""
        retired = self.snapshot.tables["core"][: self.snapshot.setup.cores, state.C_RETIRED]
        time = self.snapshot.scalars[state.M_CLOCK]
        return np.concatenate([[time], retired]).astype(np.int64)

    @property
    def effort(self) -> int:
        """What it takes to get here from power-on, in instructions."""
        return effort(self.mark)


def effort(mark: Mark) -> int:
    """Return what it takes to make a run up to a point, in instructions."""
    return mark.instructions + _A_MOVE * mark.moves


class Checkpoints:
    """The checkpoints of a run, in order. The first stays.

    most, most_pages: bounds. distance: effort between two.
    """

    def __init__(
        self,
        first: Checkpoint,
        *,
        most: int = MOST,
        most_pages: int = MOST_PAGES,
        distance: int = DISTANCE,
    ) -> None:
        self._kept = [first]
        self._most, self._most_pages, self._distance = most, most_pages, distance
        self._pages = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter(self._kept)

    @property
    def first(self) -> Checkpoint:
        """The earliest."""
        return self._kept[0]

    @property
    def pages(self) -> int:
        """The pages that they hold beside those of the first, at most."""
        return self._pages

    def due(self, mark: Mark) -> bool:
        """Return whether there should be another one at a point behind all of them."""
        return effort(mark) - self._kept[-1].effort >= self._distance

    def add(self, checkpoint: Checkpoint) -> None:
        """Take one that is behind all others; some others may go."""
        self._pages += _not_shared(self._kept[-1], checkpoint)
        self._kept.append(checkpoint)
        while len(self) > 2 and (len(self) > self._most or self._pages > self._most_pages):
            self._thin_out()

    def last(self, key: Callable[[Checkpoint], int], value: int) -> tuple[Checkpoint, int | None]:
        """Return the last whose key is not greater, else the first, and the moves at the next.

        key: must not fall along the run. The moves are None if it is the last of all.
        """
        at = max(bisect_right(self._kept, value, key=key) - 1, 0)
        behind = self._kept[at + 1].mark.moves if at + 1 < len(self) else None
        return self._kept[at], behind

    def _thin_out(self) -> None:
        self._kept = self._kept[::2]
        self._distance *= 2
        self._pages = sum(_not_shared(*pair) for pair in itertools.pairwise(self._kept))


def _not_shared(one: Checkpoint, other: Checkpoint) -> int:
    return sum(1 for _ in pages.differing(one.snapshot.ram, other.snapshot.ram))
