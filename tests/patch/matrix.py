"""The cells of the necessity matrix, and how one is measured.

Of single sites and pairs every cell is measured. Of batches of hundreds, where a trial takes a
good part of a second, those of one model for each outcome; of all models with
TEXTPOKE_WHOLE_MATRIX=1.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count

from emu.machine.text import MODELS
from emu.moves.plan import Change
from emu.patch.breaks import BREAKS
from tests.labs import FUNCTION, SECOND
from tests.necessity import UNBROKEN, Case, Outcome, Transition, expected, worst
from tests.patch.trials import Batch, Bench, plans

WHOLE = bool(os.environ.get("TEXTPOKE_WHOLE_MATRIX"))
LEAVES = tuple(f"leaf_{number:03}" for number in range(300))
BATCHES = (
    Batch("1", (FUNCTION,)),
    Batch("1 across a word", (SECOND,)),
    Batch("1 across a cache line", ("cross_line",)),
    Batch("1 across a page", ("cross_page",)),
    Batch("2", (FUNCTION, SECOND)),
    Batch("256", LEAVES[:256]),
    Batch("300", LEAVES),
)
SMALL = 2
MASKED = ("arm", "unsorted", "sync3", "missed-core")  # all that ends in an unhandled int3
HANDLERS = "6.12", "6.1"
_SAFE_TRIES = {True: 10, False: 3}  # by whether the batch is small
_TRIES = {True: 400, False: 60}  # until an unsafe cell has shown what it is


@dataclass(frozen=True)
class Cell:
    """A cell: what is patched, how, under which model and handler, and what is broken."""

    batch: Batch
    transition: Transition
    broken: str
    model: str
    int3: str

    @property
    def case(self) -> Case:
        """What the rule looks at."""
        in_two = straddles(self.batch, self.transition)
        sites = len(self.batch.functions)
        return Case(self.broken, self.model, self.transition, in_two, sites, self.int3)

    @property
    def small(self) -> bool:
        """Whether a trial is short."""
        return len(self.batch.functions) <= SMALL

    def __str__(self) -> str:
        return (
            f"{self.batch.name}, {self.transition.value}, {self.broken}, {self.model}, {self.int3}"
        )


@dataclass(frozen=True)
class Measured:
    """What trials of a cell came to, and how many it took."""

    seen: Outcome
    tries: int


@cache
def bench(model: str, int3: str) -> Bench:
    """Return the bench of a model and a handler."""
    return Bench(model, int3)


@cache
def straddles(batch: Batch, transition: Transition) -> bool:
    """Return whether the bytes that change at some site lie in more than one 8-byte word."""
    changes = [change for plan in plans(batch, transition) for change in plan.changes]
    return any(len(_words(change)) > 1 for change in changes)


def _words(change: Change) -> set[int]:
    both = zip(count(change.address), change.old, change.new, strict=False)
    return {at >> 3 for at, old, new in both if old != new}


def cells(batch: Batch, model: str, int3: str) -> Iterator[Cell]:
    """Return the cells that are measured under a model and a handler."""
    names = (UNBROKEN, *BREAKS) if int3 == HANDLERS[0] else (UNBROKEN, *MASKED)
    for turn, transition in enumerate(Transition):
        for number, broken in enumerate(names):
            row = {each: Cell(batch, transition, broken, each, int3) for each in MODELS}
            wanted = expected(row[model].case)
            equal = [each for each in MODELS if expected(row[each].case) == wanted]
            if wanted and (
                row[model].small or WHOLE or model == equal[(turn + number) % len(equal)]
            ):
                yield row[model]


def measure(cell: Cell) -> Measured:
    """Make trials until a cell has shown what the rule says, or something worse, or no more."""
    wanted = expected(cell.case)
    assert wanted
    tries = (_SAFE_TRIES if wanted is Outcome.SAFE else _TRIES)[cell.small]
    broken = None if cell.broken == UNBROKEN else cell.broken
    # The missed core fetches what it likes; the rule names what it can do under every model.
    anything = cell.broken == "missed-core" and wanted is Outcome.UNHANDLED
    seen = {Outcome.SAFE}
    for seed in range(tries):
        outcomes = bench(cell.model, cell.int3).trial(cell.batch, cell.transition, broken, seed)
        seen |= outcomes
        if worst(outcomes | {wanted}) is not wanted and not anything:
            return Measured(worst(outcomes), seed + 1)
        if wanted in outcomes and wanted is not Outcome.SAFE:
            return Measured(wanted, seed + 1)
    return Measured(worst(frozenset(seen)), tries)
