"""What sentences about text have in common: cores, what they may fetch, why they do not answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emu.moves.plan import Change
from emu.scene.cores import request
from emu.scene.look import Look

_INT3 = 0xCC


@dataclass(frozen=True, slots=True)
class Told:
    """What is told. actor: the core it is about, if there is one."""

    sentence: str
    reason: str = ""
    actor: int | None = None


# --- why cores have not answered ---------------------------------------------------------------


def whys(look: Look, missing: Sequence[int]) -> str:
    """Return why cores have not answered the interrupt yet, those of one reason together."""
    groups: dict[str, list[int]] = {}
    for core in missing:
        groups.setdefault(_why(look, core), []).append(core)
    return joined([_because(why, cores) for why, cores in groups.items()], "; ")


def _why(look: Look, core: int) -> str:
    asked, spot = request(look, core), look.spots.get(core)
    if asked.serving:
        return "serving"
    if asked.held:
        return "held"
    if not asked.pending:
        return ""
    if spot is not None and spot.role == "int3":
        return "int3"
    return "coming" if look.standing[core].interrupts else "off"


def _because(why: str, cores: Sequence[int]) -> str:
    one, who = len(cores) == 1, cores_(cores)
    match why:
        case "serving":
            return f"{who} {'is' if one else 'are'} just doing it"
        case "held":
            return f"the interrupt for {who} is held back"
        case "int3":
            return f"{who} {'is' if one else 'are'} in the int3 handler, where interrupts wait"
        case "off":
            return f"{who} {have(cores)} interrupts off"
        case "coming":
            return f"the interrupt is on its way to {who}"
    return f"{who} {have(cores)} not answered"


# --- what memory holds, and cores may fetch ----------------------------------------------------


def memory_at(look: Look, change: Change) -> str:
    """Return what memory holds at the first site."""
    memory, where = look.memory(change.address, len(change.new)), look.name(change)
    if memory == change.new:
        return f"At {where} memory holds the whole new instruction."
    if memory == change.old:
        return f"At {where} memory holds the old instruction."
    if memory[0] == _INT3 and memory[1:] == change.new[1:]:
        return f"At {where} an int3 stands in front of the new bytes."
    if memory[0] == _INT3:
        return f"At {where} an int3 stands over the first byte."
    return f"At {where} memory holds new bytes and old ones, and no int3 in front of them."


def may_fetch(look: Look, cores: Sequence[int], how: str) -> str:
    """Return what cores may fetch at the first site; "" if it is only what memory holds.

    how: the first word.
    """
    change = look.change
    if change is None or not cores:
        return ""
    size = len(change.new)
    memory = frozenset({look.memory(change.address, size)})
    found = {core: look.fetchable(core, change.address, size) for core in cores}
    if all(each == memory for each in found.values()):
        return ""
    torn = {core: _torn(each, change) for core, each in found.items()}
    in_danger = [core for core in cores if torn[core]]
    if in_danger:
        code = min(torn[in_danger[0]])
        return f"{how} {cores_(in_danger[:1])} may fetch {code.hex(' ')}, which nobody wrote."
    behind = [core for core in cores if found[core] != memory]
    every = frozenset[bytes]().union(*(found[core] for core in behind))
    if all(code[0] == _INT3 for code in every) and not {change.old, change.new} & every:
        return (
            f"{how} {named(look, behind)} may hold older bytes behind the int3; the int3 in front "
            "keeps them from running a mixture."
        )
    kinds = []
    if change.old in every:
        kinds.append("the old instruction")
    if any(code[0] == _INT3 and code not in (change.old, change.new) for code in every):
        kinds.append("the int3")
    if change.new in every:
        kinds.append("the new instruction")
    return f"{how} {named(look, behind)} may fetch {_either(kinds)}, never a mixture."


def _torn(fetched: Iterable[bytes], change: Change) -> frozenset[bytes]:
    """Return those of some bytes that are neither instruction and do not begin with int3."""
    whole = (change.old, change.new)
    return frozenset(code for code in fetched if code not in whole and code[0] != _INT3)


# --- words -------------------------------------------------------------------------------------


def of_mask(mask: int) -> list[int]:
    """Return the cores of a bit mask."""
    return [core for core in range(mask.bit_length()) if mask >> core & 1]


def cores_(cores: Sequence[int], *, capital: bool = False) -> str:
    """Return `core 1`, or `cores 1, 2 and 3`."""
    word = "Core" if capital else "core"
    names = joined([str(core) for core in cores])
    return f"{word} {names}" if len(cores) == 1 else f"{word}s {names}"


def named(look: Look, cores: Sequence[int]) -> str:
    """Return some cores, or all of them in two words."""
    return "all cores" if len(cores) > 1 and tuple(cores) == look.started else cores_(cores)


def have(cores: Sequence[int]) -> str:
    """Return the verb that cores have."""
    return "has" if len(cores) == 1 else "have"


def say(cores: Sequence[int]) -> str:
    """Return how cores say that they have done something."""
    return "says that it has" if len(cores) == 1 else "say that they have"


def was(cores: Sequence[int]) -> str:
    """Return the verb of what cores were."""
    return "was" if len(cores) == 1 else "were"


def joined(parts: Sequence[str], between: str = ", ") -> str:
    """Return parts as a list in a sentence."""
    last = " and " if between == ", " else between
    return parts[0] if len(parts) == 1 else f"{between.join(parts[:-1])}{last}{parts[-1]}"


def _either(kinds: Sequence[str]) -> str:
    return kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} or {kinds[-1]}"
