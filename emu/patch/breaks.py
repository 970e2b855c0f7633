"""Ways to break text_poke_bp_batch on purpose: each is one line of the protocol, gone wrong.

Names are those of the phases they hurt. What each shows, and under which fetch models, is in
docs/breaks.md; docs and tests agree with the necessity matrix of the protocol.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from emu.errors import TextpokeError
from emu.moves.plan import Step, Wait
from emu.patch.text_poke import NOP5, Protocol, TextPoke


def _order(*names: str) -> Callable[[Protocol], Protocol]:
    """Return what puts the phases into this order and leaves out those not named."""

    def reorder(protocol: Protocol) -> Protocol:
        groups = dict(protocol.phases)
        return replace(
            protocol, phases=tuple((name, groups[name]) for name in names if name in groups)
        )

    return reorder


def _without(phase: str) -> Callable[[Protocol], Protocol]:
    """Return what leaves out one phase."""

    def leave_out(protocol: Protocol) -> Protocol:
        kept = tuple(group for group in protocol.phases if group[0] != phase)
        return replace(protocol, phases=kept)

    return leave_out


def _without_wait(protocol: Protocol) -> Protocol:
    """Do not wait for the references of handlers."""

    def thin(name: str, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if name != "drain":
            return steps
        return tuple(step for step in steps if not isinstance(step, Wait))

    return replace(protocol, phases=tuple((name, thin(name, s)) for name, s in protocol.phases))


def _as_is(protocol: Protocol) -> Protocol:
    """The order of phases is right; `arrange` or `synced` breaks something else."""
    return protocol


BREAKS: Final[dict[str, Callable[[Protocol], Protocol]]] = {
    "arm": _order("int3", "arm", "sync1", "tail", "sync2", "head", "sync3", "drain", "done"),
    "int3": _without("int3"),
    "sync1": _without("sync1"),
    "tail-first": _order("arm", "tail", "int3", "sync1", "sync2", "head", "sync3", "drain", "done"),
    "head-first": _order("arm", "int3", "sync1", "head", "sync2", "tail", "sync3", "drain", "done"),
    "sync2": _without("sync2"),
    "sync3": _without("sync3"),
    "unsorted": _as_is,
    "emulate": _as_is,
    "missed-core": _as_is,
    "drain": _without_wait,
}

EXPLANATIONS: Final[dict[str, str]] = {
    "arm": "int3 is stored before the descriptor that its handler looks at",
    "int3": "the bytes are replaced without int3 in the way",
    "sync1": "no core is made to see the int3 before the tail changes",
    "tail-first": "the tail changes before int3 is in the way",
    "head-first": "the first byte changes before the tail",
    "sync2": "no core is made to see the new tail before the first byte changes",
    "sync3": "the patcher is done while a core can still meet an int3",
    "unsorted": "two sites, the higher one first: the handler searches by halving",
    "emulate": "the int3 handler only skips the site",
    "missed-core": "one core is left out of all three syncs",
    "drain": "the patcher does not wait for the handlers' references",
}


def synced(cores: int, broken: str | None) -> int:
    """Return the cores that syncs interrupt: all, or all but the one of the highest number."""
    return cores & ~(1 << cores.bit_length() - 1) if broken == "missed-core" else cores


def check(name: str) -> None:
    """Raise TextpokeError if there is no such break."""
    if name not in BREAKS:
        raise TextpokeError(f"no break {name!r}: there are {', '.join(BREAKS)}")


def arrange(pokes: tuple[TextPoke, ...], broken: str | None) -> tuple[TextPoke, ...]:
    """Return the pokes of a batch in address order, or as a break wants them."""
    ordered = tuple(sorted(pokes, key=lambda poke: poke.address))
    if broken == "unsorted":
        return ordered[::-1]
    if broken == "emulate":
        return tuple(replace(poke, emulate=NOP5) for poke in ordered)
    return ordered
