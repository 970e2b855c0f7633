"""What is told of any moment: what just happened, and why the patcher does not go on yet.

First a failure, then a core that has just trapped or passes the trampoline, then the phase. Every
sentence says how things are, as memory, stacks, floors and the interrupt controllers have them,
never what the protocol should have made of them; so it is true of broken protocols too. What a
core may fetch meanwhile is told from all that the fetch model allows (fetchable.py).
"""

from collections.abc import Sequence
from dataclasses import replace

from emu.errors import PokeError
from emu.guest.int3_handler import Act
from emu.moves.plan import Change, Check, Ipi, Rmw, Step, Store, Wait
from emu.patch.text_poke import NOP5, emulation
from emu.scene import kernel_telling
from emu.scene.look import Look, Place
from emu.scene.saying import (
    Told,
    cores_,
    may_fetch,
    memory_at,
    named,
    of_mask,
    say,
    was,
    whys,
)
from emu.scene.spots import Spot, target


def tell(look: Look) -> Told:
    """Return what is told of a moment at which nothing has gone wrong."""
    if not look.machine.alive:
        return _stopped(look)
    found = look.rewriting
    phase = _phase(look) if found is None else kernel_telling.phase(look, found)
    event = _event(look)
    if event is None:
        return phase
    return replace(event, reason=phase.reason if look.missing else phase.sentence)


def _stopped(look: Look) -> Told:
    dead = look.machine.dead_core()
    if dead is None:
        return Told(f"The machine has stopped: {look.machine.end}.")
    return Told(f"The machine has stopped: core {dead} cannot go on.", actor=dead)


# --- what a core has just done -----------------------------------------------------------------


def _event(look: Look) -> Told | None:
    """Return what is told of the core that trapped, or passes a trampoline; the last one first.

    Nearest to the int3 is who has just met it: it has not been acted out yet.
    """
    spots = sorted(look.spots.items())
    for core, spot in spots:
        if spot.role == "int3" and not _acted(look, spot):
            return Told(_trapped(look, core, spot), actor=core)
    for core, spot in spots:
        if spot.role == "int3":
            return Told(_after_int3(look, core, spot), actor=core)
    for core, spot in spots:
        inside = look.names.placed(look.standing[core].rip) is not None  # not interrupted in it
        if spot.role == "trampoline" and inside and look.begun:
            name = look.watched(spot.function)
            return Told(f"Core {core} is in the trampoline of {name}, on its way to the "
                        "replacement.", actor=core)  # fmt: skip
    return None


def _acted(look: Look, spot: Spot) -> bool:
    """Return whether the handler has changed where the core goes on."""
    site = look.site_of(spot.function)
    return spot.goes is None or site is None or spot.goes != site + 1


def _trapped(look: Look, core: int, spot: Spot) -> str:
    site = look.site_of(spot.function)
    text = f"Core {core} ran into the int3 at {look.watched(spot.function)} and trapped. "
    table = look.table
    if table.refs <= 0:
        return text + "At this moment the int3 handler knows of no site."
    act = None if site is None else table.find(site)
    if act is None:
        return text + "The int3 handler does not find this site in its list."
    told = f"The int3 handler's list tells it to act out the {act.words}"
    change = look.change_at(site)
    if change is None or not _known(change.new):
        return f"{text}{told}."
    if _is(act, change.new):
        return f"{text}{told}, the new instruction."
    if _is(act, change.old):
        return f"{text}{told}, the old instruction."
    return f"{text}{told}, which is neither the old instruction nor the new one."


def _after_int3(look: Look, core: int, spot: Spot) -> str:
    site = look.site_of(spot.function)
    if spot.goes is None or site is None:
        return f"Core {core} is in the int3 handler, which is just changing where it goes on."
    text = f"Core {core} ran into the int3 at {look.watched(spot.function)} and trapped. "
    if spot.goes == site:
        return f"{text}It begins the instruction anew, without the int3."
    change = look.change_at(site)
    if change is not None and spot.goes == target(site, change.new):
        new = _words(change.new)
        return (
            f"{text}The int3 handler has acted out the {new}, so core {core} already takes the "
            "new path."
        )
    if change is not None and spot.goes == target(site, change.old):
        return f"{text}The int3 handler has sent it on, and core {core} still takes the old path."
    return (
        f"{text}The int3 handler has sent it on, and core {core} takes a path that is neither the "
        "old one nor the new one."
    )


def _words(instruction: bytes) -> str:
    """Return an instruction as the handler acts it out, in words."""
    try:
        return Act(*emulation(instruction)).words
    except PokeError:
        return "new instruction"


def _known(instruction: bytes) -> bool:
    """Return whether it is known how the handler acts out an instruction."""
    try:
        emulation(instruction)
    except PokeError:
        return False
    return True


def _is(act: Act, instruction: bytes) -> bool:
    """Return whether the handler acts out an instruction."""
    try:
        return (act.opcode, act.disp) == emulation(instruction)
    except PokeError:
        return False


# --- the phase ---------------------------------------------------------------------------------


def _phase(look: Look) -> Told:  # noqa: PLR0911 -- one for each kind of step
    step, change = look.step, look.change
    if step is None or change is None:
        return _idle(look)
    steps, done = look.group
    match step:
        case Check():
            return Told("The patcher makes sure that every site still holds the old instruction.")
        case Wait(condition):
            return _drain(look) if condition == "drained" else _wait(look)
        case Rmw():
            return Told(
                "The patcher is about to give up its own reference to the list of sites.",
                may_fetch(look, look.started, "Meanwhile"),
            )
    if any(isinstance(each, Ipi) for each in steps):
        return Told(
            f"{memory_at(look, change)} Next the patcher asks "
            f"{named(look, of_mask(look.asked))} to fetch anew.",
            may_fetch(look, look.started, "Meanwhile"),
        )
    stored = [_on_text(look, each) for each in steps]
    if any(stored):
        return _storing(look, change, stored, done)
    total = sum(isinstance(each, Store) for each in steps)
    made = sum(isinstance(each, Store) for each in steps[:done])
    count = f": {made} of {total} stores are done." if made else "."
    if look.begun:
        text = "tells the int3 handler which sites change, and what to act out there"
        return Told(f"The patcher {text}{count}", f"{_given_back(look)}{_untouched(look, change)}")
    return Told(f"The patcher writes the new code, which nobody calls yet{count}")


def _idle(look: Look) -> Told:
    change = look.change
    if look.patcher.phase != "done" or change is None:
        if not look.sites:
            return Told("Nothing is being patched.")
        first = look.sites[0]
        if look.memory(first.address, len(first.old)) == first.old:
            return Told(f"{first.function} is as it was: nothing is being patched.", _danger(first))
        return Told("The patcher does nothing.")
    fetched = may_fetch(look, look.started, "But")
    if look.memory(change.address, len(change.new)) != change.new:
        return Told(
            f"The patcher is done, but at {look.name(change)} memory does not hold the new "
            "instruction.",
            fetched,
        )
    return Told(
        f"The patcher is done: at {look.name(change)} memory holds the new instruction.",
        f"{_given_back(look)}{fetched or 'No core can fetch anything older.'}",
    )


def _danger(site: Place) -> str:
    """Return why a site is not just overwritten; "" if it could be."""
    if sum(one != other for one, other in zip(site.old, site.new, strict=True)) < 2:
        return ""
    return (
        f"Its first {len(site.new)} bytes are to become another instruction. Were they just "
        "overwritten, a core could execute a mixture of the two."
    )


def _given_back(look: Look) -> str:
    """Return that a plan gives functions back, if it does."""
    changes = look.outline.changes if look.outline else {}
    if not changes or any(change.new != NOP5 for change in changes.values()):
        return ""
    return "The function is given back: its new instruction is the nop it had. "


def _wait(look: Look) -> Told:
    phase = look.patcher.phase
    base = look.handler.pending or 0
    missing = sorted((at - base) // 4 for at, _ in look.missing)
    if not missing:
        left_out = [core for core in look.started if not look.asked >> core & 1]
        reason = f"{cores_(left_out, capital=True)} {was(left_out)} not asked." if left_out else ""
        fetched = may_fetch(look, left_out, "So") if left_out else ""
        return Told(
            "Every core that was asked to fetch anew has done so.", f"{reason} {fetched}".strip()
        )
    return Told(
        f"The patcher waits until {named(look, missing)} {say(missing)} fetched anew.",
        f"Phase {phase} is not over: {whys(look, missing)}. "
        f"{may_fetch(look, missing, 'Meanwhile')}".strip(),
    )


def _drain(look: Look) -> Told:
    if not look.missing:
        return Told("No int3 handler reads the list of sites any more.")
    refs = look.missing[0][1]
    handlers = "one int3 handler" if refs == 1 else f"{refs} int3 handlers"
    return Told(f"The patcher waits for {handlers} still reading the list of sites.")


def _storing(look: Look, change: Change, stored: Sequence[bool], done: int) -> Told:
    """Return what is told while the patcher stores to text."""
    total, count = sum(stored), sum(stored[:done])
    phase = look.patcher.phase
    what = {
        "int3": "int3 over the first byte",
        "tail": "the new bytes behind the first",
        "head": "the new first byte",
    }.get(phase, "new bytes")
    if count:
        sites = f"{count} of {total} stores are done"
        return Told(
            f"The patcher stores {what}: {sites}.", may_fetch(look, look.started, "Meanwhile")
        )
    return Told(
        f"The patcher is about to store {what}. {memory_at(look, change)}",
        may_fetch(look, look.started, "Meanwhile")
        or "No core can fetch anything older than what memory holds.",
    )


def _on_text(look: Look, step: Step) -> bool:
    return (
        isinstance(step, Store) and look.outline is not None and step.address in look.outline.text
    )


def _untouched(look: Look, change: Change) -> str:
    if look.memory(change.address, len(change.old)) == change.old:
        return "The code itself is untouched."
    return "But the code has been changed before."
