"""Plans of redirects: functions that are redirected, given back, or led elsewhere.

Each plan is one batch of text_poke (of 256 sites); the first also writes the code that the
redirects need, while nobody can reach it.
"""

from collections.abc import Sequence

from emu.guest.guest import Guest
from emu.moves.plan import Plan
from emu.patch import breaks
from emu.patch.redirect import Redirect, stores
from emu.patch.text_poke import TextPoke, text_poke_bp_batch, text_poke_queue

_NAMED = 3  # functions that a plan's name tells, the others it counts


def inward(
    guest: Guest, redirects: Sequence[Redirect], broken: str | None = None
) -> tuple[Plan, ...]:
    """Return the plans that redirect functions. broken: the name of a break."""
    pokes = [redirect.poke_in() for redirect in redirects]
    return _plans(guest, f"patch {_names(redirects)} in", pokes, redirects, broken)


def outward(
    guest: Guest, redirects: Sequence[Redirect], broken: str | None = None
) -> tuple[Plan, ...]:
    """Return the plans that give functions back."""
    pokes = [redirect.poke_out() for redirect in redirects]
    return _plans(guest, f"patch {_names(redirects)} out", pokes, (), broken)


def anew(
    guest: Guest, pairs: Sequence[tuple[Redirect, Redirect]], broken: str | None = None
) -> tuple[Plan, ...]:
    """Return the plans that lead redirected functions elsewhere: from one to the other."""
    pokes = [before.poke_to(after) for before, after in pairs]
    there = [after for _, after in pairs]
    return _plans(guest, f"patch {_names(there)} anew", pokes, there, broken)


def _plans(
    guest: Guest,
    name: str,
    pokes: Sequence[TextPoke],
    placed: Sequence[Redirect],
    broken: str | None,
) -> tuple[Plan, ...]:
    """Return a plan for each batch of pokes; the first places the code of redirects."""
    code = stores(placed)
    plans = []
    for number, batch in enumerate(text_poke_queue(pokes)):
        cores = breaks.synced(guest.online(), broken)
        protocol = text_poke_bp_batch(guest, breaks.arrange(batch, broken), cores)
        if broken:
            protocol = breaks.BREAKS[broken](protocol)
        plans.append(protocol.plan(name, code if number == 0 else ()))
    return tuple(plans)


def _names(redirects: Sequence[Redirect]) -> str:
    """Return the names of functions as a plan's name tells them."""
    names = [redirect.function for redirect in redirects]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
