"""Lanes: events as a timeline draws them, in columns.

Of each core: slices (which task has it) and instants (what happened to it). Between cores: arrows
(interrupts sent from one to another). For all: bands (phases of the patcher's work) and the
patcher's stores to text. Times are virtual ns, columns ascend by time.

A `Lanes` is a value, although it is made of arrays that only grow: what is behind its counts does
not belong to it. So it can be read by one thread while another appends. What was open when it was
made may be filled in later: how a core's last task lost it, when an interrupt was delivered.
"""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]
Codes = NDArray[np.uint8]


class Kind(enum.IntEnum):
    """What an instant is. Where many share a pixel, the greatest is drawn."""

    TICK = 1  # the core's timer interrupt
    INTERRUPT = 2  # another interrupt
    SERIALISED = 3  # an instruction that moved the core's floor
    SYNC = 4  # the interrupt that asks a core to serialise
    STALE = 5  # bytes executed that memory no longer holds
    TRAP = 6  # an exception other than int3
    INT3 = 7
    TORN = 8  # bytes executed that nobody wrote


class Left(enum.IntEnum):
    """How the task of a slice lost its core."""

    NOT_YET = 0
    PREEMPTED = 1  # the core was taken from it
    YIELDED = 2  # it gave it up, and could go on
    BLOCKED = 3  # it waits for something, or has ended


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """A core.

    Attributes:
        start, task, left: of each slice: when it began (it ends where the next begins, the last
            one with the Lanes), index into `Lanes.names` (int64, -1: not known), `Left`.
        time, kind, event: of each instant: when, `Kind`, number of the event.
    """

    start: Column
    task: Column
    left: Codes
    time: Column
    kind: Codes
    event: Column


@dataclass(frozen=True, slots=True, eq=False)
class Arrows:
    """Interrupts sent from core to core, or by the patcher.

    Attributes:
        sent, source: when, and by which core; -1: the patcher.
        target, vector: for which core, and which interrupt.
        delivered, acknowledged: when the core took it, and when it had served it; -1: not yet.
    """

    sent: Column
    source: Column
    target: Column
    vector: Column
    delivered: Column
    acknowledged: Column


@dataclass(frozen=True, slots=True)
class Band:
    """A phase of a plan or batch. end: -1 while it lasts. round: the number of that."""

    phase: str
    begin: int
    end: int
    round: int


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """What happened on all cores, from `begin` to `end`.

    Attributes:
        lanes: one for each core.
        stores: when the patcher, or the kernel as it patches itself, changed text.
        names: of tasks; two with one name are two.
        idle: those of them (indices) that only wait for others.
    """

    begin: int
    end: int
    lanes: tuple[Lane, ...]
    arrows: Arrows
    bands: tuple[Band, ...]
    stores: Column
    names: tuple[str, ...]
    idle: frozenset[int]
