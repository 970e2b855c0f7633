"""Findings: what went wrong, one by one, where and when; a verdict only counts them."""

from dataclasses import dataclass
from typing import Final, Literal

What = Literal["harmful", "torn", "unhandled int3", "late", "lost", "HAZARD"]

MOST: Final = 16
"""How many of them a detector keeps; it goes on counting."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong.

    Attributes:
        what: as the verdict calls it; "harmful" is a tear, too.
        core: who did it; of a lost call, who made it.
        time: virtual ns at which it happened; of a lost call, at which it was missed.
        function: its number among the watched ones; None: nobody can tell.
        code: the bytes that were executed; b"" where that is not the point.
        address: of the site, of one that is none of the watched functions'; else 0.
    """

    what: What
    core: int
    time: int
    function: int | None
    code: bytes = b""
    address: int = 0
