"""Moves: everything that can happen to a machine from outside. Nothing else reaches it.

A move is one row of a numpy table; the classes here are views of it. A run is its moves.

* Run(core, instructions): the core executes up to that many instructions. It ends early where
  it halts, stands before a fetch with several versions, or has sent output the caller watches.
* Fetch(core, ages): the core executes the one instruction it stands at, from chosen versions of
  its bytes: age 0 of a byte is its newest version, 1 the one before it.
* Patch: the patcher makes its next step.
* Request(plan): the patcher is given a plan; `plan` is an index into the schedule's plans.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

ROW: Final = np.dtype(
    [
        ("kind", np.uint8),
        ("actor", np.uint8),
        ("length", np.uint8),
        ("reserved", np.uint8),
        ("count", "<u4"),
        ("ages", np.uint8, (15,)),
        ("padding", np.uint8),
    ]
)

RUN: Final = 1
FETCH: Final = 2
PATCH: Final = 3
REQUEST: Final = 4


@dataclass(frozen=True)
class Run:
    """A core executes up to `instructions` instructions."""

    core: int
    instructions: int


@dataclass(frozen=True)
class Fetch:
    """A core executes one instruction from bytes of these ages (one for each byte)."""

    core: int
    ages: tuple[int, ...]


@dataclass(frozen=True)
class Patch:
    """The patcher makes its next step."""


@dataclass(frozen=True)
class Request:
    """The patcher is given the schedule's plan of this number."""

    plan: int


Move: TypeAlias = Run | Fetch | Patch | Request


def encode(moves: "list[Move]") -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Return moves as a table with dtype ROW."""
    rows = np.zeros(len(moves), ROW)
    for row, move in zip(rows, moves, strict=True):
        match move:
            case Run(core, instructions):
                row["kind"], row["actor"], row["count"] = RUN, core, instructions
            case Fetch(core, ages):
                row["kind"], row["actor"], row["length"] = FETCH, core, len(ages)
                row["ages"][: len(ages)] = ages
            case Patch():
                row["kind"] = PATCH
            case Request(plan):
                row["kind"], row["count"] = REQUEST, plan
    return rows


def decode(row: np.void) -> Move:
    """Return the move in a row of a table with dtype ROW."""
    kind, actor = int(row["kind"]), int(row["actor"])
    if kind == RUN:
        return Run(actor, int(row["count"]))
    if kind == FETCH:
        return Fetch(actor, tuple(int(age) for age in row["ages"][: int(row["length"])]))
    if kind == PATCH:
        return Patch()
    if kind == REQUEST:
        return Request(int(row["count"]))
    raise ValueError(f"kind {kind} is not a move")
