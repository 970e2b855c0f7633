"""Redirects as detectors look at them: for each site the ways that a call of it may go."""

from collections.abc import Sequence

from emu.detect.watch import Watched, Way
from emu.patch.redirect import Redirect
from emu.patch.text_poke import NOP5


def watched(redirects: Sequence[Redirect]) -> tuple[Watched, ...]:
    """Return the functions of redirects, of one of which there may be several."""
    ways: dict[int, list[Way]] = {}
    names = {redirect.site: redirect.function for redirect in redirects}
    for redirect in redirects:
        found = ways.setdefault(redirect.site, [Way(NOP5, redirect.site + len(NOP5))])
        found.append(Way(redirect.call, redirect.replacement))
    return tuple(Watched(names[site], site, tuple(each)) for site, each in ways.items())
