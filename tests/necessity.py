"""The necessity matrix as a rule: what a broken protocol comes to, and when it is safe.

Theory, after what a core may fetch (emu/machine/fetch_model.py) and H. P. Anvin's answer of 2010:
a core is unharmed as long as all bytes of one fetch belong to one instruction, and as long as
every int3 it meets is known to the handler. Each break is judged by the versions that a core can
then meet side by side. Tests hold it against what the emulator does: test_matrix.
"""

import enum
from dataclasses import dataclass

from emu.detect.verdict import Verdict

UNBROKEN = "(none)"


class Transition(enum.Enum):
    """What becomes of a site, in the words of docs/breaks.md."""

    IN = "NOP to call"
    ANEW = "call to call"
    OUT = "call to NOP"


class Outcome(enum.Enum):
    """What a break comes to, the worst last."""

    SAFE = "safe"
    HAZARD = "HAZARD"
    LATE = "late"
    UNHANDLED = "unhandled int3"
    TORN = "torn"


@dataclass(frozen=True)
class Case:
    """What the outcome depends on.

    straddles: the bytes that change lie in more than one aligned 8-byte word. sites: in the
    batch. int3: the handler, as Linux 6.1 had it or as 6.12 has it.
    """

    broken: str
    model: str
    transition: Transition = Transition.IN
    straddles: bool = False
    sites: int = 1
    int3: str = "6.12"


def expected(case: Case) -> Outcome | None:  # noqa: C901, PLR0911 -- a rule for each break
    """Return what a broken protocol comes to, None where there is nothing to break.

    Of call to call the first byte never changes, and more than one of the others does.
    """
    # A fetch may see one byte from before a store, and another from after it.
    splits = case.model in ("intel2010", "sdm") or (case.model == "observed" and case.straddles)
    torn_if_split = Outcome.TORN if splits else Outcome.SAFE
    match case.broken:
        case "(none)" | "drain":  # sync3 waits for the handlers, too: they run with IF clear
            return Outcome.SAFE
        case "arm":  # the handler knows of no site yet
            return Outcome.UNHANDLED
        case "unsorted":  # halving misses sites
            return Outcome.UNHANDLED if case.sites > 1 else None
        case "sync3":  # the handler no longer knows of the site; 6.1 looks again at the byte
            return Outcome.UNHANDLED if case.int3 == "6.12" else Outcome.SAFE
        case "missed-core":  # so for this core; and nothing makes it fetch anew
            if case.int3 == "6.12":
                return Outcome.UNHANDLED
            return Outcome.LATE if case.model == "observed" and not splits else torn_if_split
        case "emulate":  # to skip the site is to act out a NOP
            return Outcome.SAFE if case.transition is Transition.OUT else Outcome.LATE
        case "sync1":  # the old first byte meets the new tail
            return torn_if_split
        case "sync2":  # the new first byte meets the old tail; intel2010: no byte is older than
            # the one before it
            return Outcome.SAFE if case.model == "intel2010" else torn_if_split
    # int3, tail-first, head-first: first byte and tail change one after the other, with nothing
    # in the way. Of call to call only the tail changes, by one store.
    if splits or case.transition is not Transition.ANEW:
        return Outcome.TORN
    # The first byte is as it was, so before the tail has changed the old call is there again.
    return Outcome.LATE if case.broken == "head-first" else Outcome.SAFE


def found(verdict: Verdict) -> frozenset[Outcome]:
    """Return all that was found in a run; SAFE if nothing was."""
    counts = {
        Outcome.TORN: verdict.torn,
        Outcome.UNHANDLED: verdict.unhandled,
        Outcome.LATE: verdict.late + verdict.lost,
        Outcome.HAZARD: verdict.hazard,
    }
    return frozenset(outcome for outcome, count in counts.items() if count) or frozenset(
        {Outcome.SAFE}
    )


def worst(outcomes: frozenset[Outcome]) -> Outcome:
    """Return the worst of some outcomes."""
    return max(outcomes, key=list(Outcome).index)
