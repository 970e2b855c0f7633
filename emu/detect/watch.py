"""What detectors look at: redirected functions, as probes and as legal bytes.

A fetch of a function's site is a call. What may stand at the site leads to a body: the NOP to
the function's own, behind the site, and each call to a replacement. The event of a site carries
the bytes that were executed, so a detector sees what the core saw, not what memory held.
"""

from dataclasses import dataclass
from typing import Final

from emu.guest.guest import Guest
from emu.machine.events import PROBE
from emu.machine.probes import Probe
from emu.moves.plan import Change

CALL: Final = PROBE + 1  # a core fetched a site; argument: number of the function
OLD: Final = PROBE + 2  # a core entered the function's own body
NEW: Final = PROBE + 3  # a core entered a replacement
UNHANDLED: Final = PROBE + 4  # the kernel gave up on a breakpoint

_INT3 = 0xCC


@dataclass(frozen=True, slots=True)
class Way:
    """An instruction that may stand at a site, and the body (an address) that it leads to."""

    instruction: bytes
    body: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A redirected function. ways: the first is its NOP, which leads behind the site."""

    function: str
    site: int
    ways: tuple[Way, ...]

    @property
    def legal(self) -> tuple[bytes, ...]:
        """The instructions that may stand at the site."""
        return tuple(way.instruction for way in self.ways)

    def torn(self, executed: bytes) -> bool:
        """Return whether these five bytes, executed at the site, are no instruction of anybody's.

        What begins with int3 is one.
        """
        return executed[0] != _INT3 and executed not in self.legal

    def body(self, instruction: bytes) -> int | None:
        """Return where an instruction at the site leads, None if it should not stand there."""
        return next((way.body for way in self.ways if way.instruction == instruction), None)

    def with_ways(self, other: "Watched") -> "Watched":
        """Return the function with the ways of another description of it besides."""
        return Watched(self.function, self.site, tuple(dict.fromkeys(self.ways + other.ways)))

    def between(self, change: Change) -> "Watched":
        """Return the function with no other ways than the two of a change."""
        both = tuple(way for way in self.ways if way.instruction in (change.old, change.new))
        return Watched(self.function, self.site, both)


def probes(guest: Guest, watched: tuple[Watched, ...]) -> list[Probe]:
    """Return the probes that detectors need."""
    found = {}
    for number, each in enumerate(watched):
        found[each.site, CALL] = number
        for way in each.ways:
            found[way.body, OLD if way.body == each.ways[0].body else NEW] = number
    unhandled = guest.image.symbols.get("int3_unhandled")
    if unhandled is not None:
        found[unhandled.address, UNHANDLED] = 0
    return [Probe(guest.physical(at), kind, number) for (at, kind), number in found.items()]
