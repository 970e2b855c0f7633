"""Marks: points of a run, totally ordered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A point of a run, after so much of it. Later points are greater.

    Virtual time cannot order them, for the patcher's steps take none; moves alone cannot, for a
    point may lie inside a Run. Every instruction that retires is a point, and every move that
    retires none.

    Attributes:
        instructions: retired by all cores.
        moves: made and whole, those of the patcher and requests too; one that is under way does
            not count.
    """

    instructions: int
    moves: int
