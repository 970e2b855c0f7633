"""The story's sentences: what just happened in a phase, and what the patcher waits for.

Each is true of the moment it is made for, of a broken protocol too: it is put together from what
memory holds, not from what the protocol should have done.
"""

from collections.abc import Sequence

from emu.guest.guest import Guest
from emu.image.objects import Object
from emu.moves.plan import Change, Plan, Wait
from emu.patch.patcher import Patcher
from emu.patch.text_poke import NOP5, emulation

_INT3 = 0xCC


def tell(  # noqa: PLR0911 -- one for each phase
    guest: Guest, patcher: Patcher, plan: Plan, phase: str
) -> str:
    """Return the sentence for the moment when the patcher has done a phase's stores."""
    step = patcher.plan.steps[patcher.index] if patcher.plan else None
    if isinstance(step, Wait):
        return _waiting(guest, step)
    change = plan.changes[0]
    memory = guest.read(change.address, len(change.new))
    match phase:
        case "arm":
            return _armed(memory, change)
        case "int3":
            return "Memory now begins with int3 at the site. " + _what_int3_does(
                guest, plan.changes
            )
        case "tail":
            return _tail(memory)
        case "head":
            return _head(memory, change)
        case "drain":
            return "The patcher has dropped its reference to the descriptor and waits for nobody."
        case "done":
            return _done(memory, change)
    return ""


def _armed(memory: bytes, change: Change) -> str:
    text = "The descriptor says where the sites are and what the int3 handler acts out there"
    if memory == change.old:
        return f"{text}; the code itself is untouched."
    return f"{text}; but the code has been changed before."


def _what_int3_does(guest: Guest, changes: Sequence[Change]) -> str:
    descriptor, vector = guest.objects["bp_desc"], guest.objects["tp_vec"]
    assert isinstance(descriptor, Object)
    assert isinstance(vector, Object)
    if int(descriptor.member_("refs")) == 0:
        return "The handler knows of no site: a core that fetches it has nowhere to go."
    entries = [vector[index] for index in range(int(descriptor.member_("nr_entries")))]
    stext = guest.image.symbols["_stext"].address
    for change in changes:
        entry = _search(entries, change.address - stext)
        if entry is None:
            where = guest.image.symbols.describe(change.address)
            return f"The handler does not find {where}: a core that fetches it has nowhere to go."
        if (int(entry.member_("opcode")), int(entry.member_("disp"))) != emulation(change.new):
            if change.old == NOP5:
                return (
                    "The handler skips the site, so a core that fetches it still runs the old body."
                )
            return (
                "The handler skips the site, so a core that fetches it runs the function's own "
                "body, which is neither the old one nor the new one."
            )
    return (
        "A core that fetches it already behaves as the new code will; one that holds the old "
        "byte goes on as before."
    )


def _search(entries: Sequence[object], rel_addr: int) -> Object | None:
    """Return the entry of a site as the handler finds it, by halving (poke.h)."""
    while entries:
        middle = len(entries) >> 1
        entry = entries[middle]
        assert isinstance(entry, Object)
        found = int(entry.member_("rel_addr"))
        if found == rel_addr:
            return entry
        begin = middle + 1 if rel_addr > found else 0
        entries = entries[begin : begin + (len(entries) - (begin > 0) >> 1)]
    return None


def _tail(memory: bytes) -> str:
    if memory[0] == _INT3:
        return "The bytes behind the int3 are the new ones; the int3 stands in front of them."
    return "The bytes behind the first are the new ones, and no int3 stands in front of them."


def _head(memory: bytes, change: Change) -> str:
    if memory == change.new:
        return "The first byte is the new one: memory holds the whole new instruction."
    return "The first byte is the new one, in front of a tail that is still the old one."


def _done(memory: bytes, change: Change) -> str:
    if memory != change.new:
        return "The patcher is done, but memory does not hold the new instruction."
    return "The patcher is done; memory holds the new instruction."


def _waiting(guest: Guest, step: Wait) -> str:
    missing = [
        address
        for address, value in step.words
        if int.from_bytes(guest.read(address, 4), "little") != value
    ]
    if step.condition == "drained":
        if not missing:
            return "The patcher has dropped its reference to the descriptor; no handler holds one."
        refs = int.from_bytes(guest.read(missing[0], 4), "little")
        return f"The patcher has dropped its reference; it waits for {refs} that handlers hold."
    base = guest.image.symbols["sync_core_pending"].address
    if not missing:
        return "Every core that was told to serialise has done so."
    cores = [(address - base) // 4 for address in missing]
    return (
        "An interrupt that tells the cores to serialise, and so to fetch anew, has just been sent. "
        f"This is before they do: the patcher waits until {_list(cores)} done it and said so."
    )


def _list(cores: Sequence[int]) -> str:
    """Return the cores as the subject of a sentence, with its verb."""
    names = [str(core) for core in cores]
    if len(names) == 1:
        return f"core {names[0]} has"
    return f"cores {', '.join(names[:-1])} and {names[-1]} have"
