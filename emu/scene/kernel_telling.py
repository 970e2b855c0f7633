"""What is told of a moment of a kernel that patches itself, by the phase that it is in.

As in `telling`, every sentence says how things are: what memory holds, who has serialised since
the phase began, what cores may fetch.
"""

from typing import Final

from emu.moves.plan import Change
from emu.scene.look import Look
from emu.scene.rewriting import Rewriting
from emu.scene.saying import Told, joined, may_fetch, memory_at, named, of_mask, say, whys

_NAMED: Final = 3  # tasks that are waited for

_STORES: Final = {
    "int3": "int3 over the first byte",
    "tail": "the new bytes behind the first",
    "head": "the new first byte",
}


def phase(look: Look, found: Rewriting) -> Told:
    """Return what is told of the batch that is under way, or was last."""
    batch, change = found.batch, look.change
    who = f"Core {batch.core}"
    if change is None:
        return Told(
            "The kernel has changed code that is no longer there."
            if batch.over
            else f"{who} changes code of the kernel: phase {batch.phase}."
        )
    match batch.phase:
        case "arm":
            return Told(
                f"{who} tells the int3 handler which sites change, and what to act out there: "
                f"{_sites(look, found, change)}.",
                _untouched(look, change),
            )
        case "int3" | "tail" | "head":
            return _storing(look, found, change)
        case "sync1" | "sync2" | "sync3":
            return _syncing(look, found)
        case "drain":
            return Told(
                f"{memory_at(look, change)} {who} takes the list of sites away from the int3 "
                "handler.",
                may_fetch(look, look.started, "Meanwhile"),
            )
    return _done(look, found, change)


def _storing(look: Look, found: Rewriting, change: Change) -> Told:
    batch, stored = found.batch, found.stored
    what, bytes_ = _STORES[batch.phase], "1 byte" if stored == 1 else f"{stored} bytes"
    of = f" of {batch.count} sites" if batch.count > 1 else ""
    if stored:
        text = f"Core {batch.core} stores {what}{of}: {bytes_} changed so far."
    else:
        text = f"Core {batch.core} is about to store {what}{of}."
    return Told(
        f"{text} {memory_at(look, change)}",
        may_fetch(look, look.started, "Meanwhile")
        or "No core can fetch anything older than what memory holds.",
    )


def _syncing(look: Look, found: Rewriting) -> Told:
    batch, online = found.batch, look.guest.online()
    missing = of_mask(online & ~batch.synced)
    if len(missing) > 1:  # the core that asks does it itself meanwhile
        missing = [core for core in missing if core != batch.core]
    if not missing:
        return Told(
            "Every core says that it has fetched anew.",
            may_fetch(look, look.started, "But"),
        )
    if missing == [batch.core]:
        return Told(
            f"Every other core says that it has fetched anew, and core {batch.core} is about to "
            "do the same.",
            may_fetch(look, look.started, "Meanwhile"),
        )
    return Told(
        f"Core {batch.core} waits until {named(look, missing)} {say(missing)} fetched anew.",
        f"Phase {batch.phase} is not over: {whys(look, missing)}. "
        f"{may_fetch(look, missing, 'Meanwhile')}".strip(),
    )


def _done(look: Look, found: Rewriting, change: Change) -> Told:
    if look.guest.transition() is not None:
        return going_over(look)
    fetched = may_fetch(look, look.started, "But") or "No core can fetch anything older."
    sites = _sites(look, found, change)
    if look.memory(change.address, len(change.new)) != change.new:
        return Told(f"The kernel has patched {sites}, and memory holds something else by now.")
    return Told(f"The kernel has patched {sites}: memory holds the new instruction.", fetched)


def going_over(look: Look) -> Told:
    """Return what is told of a live patch while tasks go over."""
    waits = look.blocking
    if not waits:
        return Told("A live patch: every task has gone over.")
    names = [str(task) for task in waits[:_NAMED]]
    more = len(waits) - len(names)
    if more:
        names.append(f"{more} more")
    gone = len(look.tasks) - len(waits)
    return Told(
        f"A live patch waits for {joined(names)} to go over; {gone} of {len(look.tasks)} tasks "
        "have.",
        "A task goes over when it stands in none of the functions that are patched, or returns to "
        "ring 3.",
    )


def _sites(look: Look, found: Rewriting, change: Change) -> str:
    """Return the sites of a batch, by name of the first."""
    first, more = look.name(change), found.batch.count - 1
    if more <= 0:
        return first
    return f"{first} and {more} more" if more > 1 else f"{first} and one more"


def _untouched(look: Look, change: Change) -> str:
    if look.memory(change.address, len(change.old)) == change.old:
        return "The code itself is untouched."
    return "But the code has been changed before."
