"""Chapters: the phases of a plan as the story strip shows them."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "now", "to come", "left out"]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A phase.

    Attributes:
        phase: one of `moves.plan.PHASES`.
        does: what it does to the first site, byte by byte (`cc .. .. .. ..`), or "IPI", or a word.
        status: "left out": the plan is broken and lacks it.
    """

    phase: str
    does: str
    status: Status
