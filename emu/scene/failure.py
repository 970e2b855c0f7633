"""Failures: what went wrong first, with the core, the bytes, and what they became."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """What a detector found.

    Attributes:
        finding: one of `detect.verdict.NAMES`: "torn", "harmful", "unhandled int3", "late", ...
        core: who did it; -1: nobody in particular.
        time: virtual ns at which the bytes were executed, or it was found.
        function, address: the site.
        code: the bytes that were executed; empty where that is not the point.
        became: the instruction they are, as text; "" where that is not the point.
        sentence: all of this in words.
    """

    finding: str
    core: int
    time: int
    function: str
    address: int
    code: bytes
    became: str
    sentence: str
