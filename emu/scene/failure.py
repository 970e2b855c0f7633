"""Failures: what went wrong first, with the core, the bytes, and what they became."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emu.detect.finding import Finding, What
from emu.detect.watch import Watched
from emu.image.disasm import BAD

if TYPE_CHECKING:
    from emu.scene.look import Look

_GRAVITY: Final[dict[What, int]] = {
    "HAZARD": 1,
    "lost": 2,
    "late": 2,
    "torn": 3,
    "unhandled int3": 3,
    "harmful": 3,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a detector found.

    Attributes:
        finding: what it is called: one of `detect.finding.What`.
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


def worst(found: Iterable[Finding]) -> Finding | None:
    """Return what a person has to be told of: the first of the gravest; None if there is nothing.

    Torn bytes and an int3 that nobody knows are both the death of a kernel, so the first of them
    counts: the other is often what comes of it.
    """
    return max(found, key=lambda each: _GRAVITY[each.what], default=None)  # the first of equals


def failure(look: "Look", found: Finding, watched: Sequence[Watched]) -> Failure:
    """Return a finding, in words."""
    site = None if found.function is None else watched[found.function]
    function = "" if site is None else site.function
    address = found.address if site is None else site.site
    if site is None and address:
        function = look.names.place(address)
    became = look.became(found.code, address) if found.code else ""
    core, code = found.core, found.code.hex(" ")
    where = f" at {function}" if function else ""
    sentence = {
        "torn": f"Core {core} executed {code}{where}, which nobody wrote: "
        + ("that is no instruction." if became == BAD else f"it became {became}."),
        "unhandled int3": f"Core {core} met an int3{where} that the int3 handler did not know, "
        "and the kernel gave up.",
        "late": f"Core {core} called {function} and came to code that was out of service: every "
        "core had already been told to fetch anew.",
        "lost": f"Core {core} called {function}, and the call came to no code at all.",
        "HAZARD": f"Core {core} could fetch more than one instruction{where}: the manual calls "
        "what comes of it undefined.",
    }["torn" if found.what == "harmful" else found.what]
    return Failure(found.what, core, found.time, function, address, found.code, became, sentence)


def comment(look: "Look", found: Failure) -> str:
    """Return what comes of a failure."""
    said = []
    if found.finding == "harmful":
        said.append("It does what neither the old nor the new instruction does.")
    elif found.finding == "torn":
        said.append("By chance it does the same as the old or the new instruction.")
    if not look.machine.alive:
        said.append("The machine has stopped.")
    return " ".join(said)
