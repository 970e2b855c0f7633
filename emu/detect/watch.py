"""What detectors look at: redirected functions, as probes and as legal bytes.

For every function there are three addresses: its site (a fetch there is a call), the
instruction behind the site (the old body is entered) and the replacement. The event of a site
carries the bytes that were executed, so a detector sees what the core saw, not what memory held.
"""

from dataclasses import dataclass
from typing import Final

from emu.guest.guest import Guest
from emu.machine.events import PROBE
from emu.machine.probes import Probe

CALL: Final = PROBE + 1  # a core fetched a site; argument: number of the function
OLD: Final = PROBE + 2  # a core entered the old body
NEW: Final = PROBE + 3  # a core entered the replacement
UNHANDLED: Final = PROBE + 4  # the kernel gave up on a breakpoint


@dataclass(frozen=True, slots=True)
class Watched:
    """A redirected function. legal: the instructions that may stand at its site."""

    function: str
    site: int
    replacement: int
    legal: tuple[bytes, ...]

    @property
    def body(self) -> int:
        """Where the old body begins: behind the site."""
        return self.site + len(self.legal[0])


def probes(guest: Guest, watched: tuple[Watched, ...]) -> list[Probe]:
    """Return the probes that detectors need."""
    found = []
    for number, each in enumerate(watched):
        for address, kind in ((each.site, CALL), (each.body, OLD), (each.replacement, NEW)):
            found.append(Probe(guest.physical(address), kind, number))
    unhandled = guest.image.symbols["int3_unhandled"].address
    found.append(Probe(guest.physical(unhandled), UNHANDLED))
    return found
