"""Every cell of the necessity matrix: what theory says of a break is what the emulator does.

docs/breaks.md holds the tables. TEXTPOKE_REWRITE_GOLDEN=1 measures all and writes them anew;
TEXTPOKE_WHOLE_MATRIX=1 leaves no cell out.
"""

import os
from functools import cache

import pytest

from emu.machine.text import MODELS
from emu.patch.breaks import BREAKS
from tests.necessity import Outcome, Transition, expected
from tests.patch import matrix_table
from tests.patch.matrix import BATCHES, HANDLERS, SMALL, Cell, cells, measure
from tests.patch.trials import Batch
from tests.summary import Figures

REWRITE = "TEXTPOKE_REWRITE_GOLDEN"
measured = cache(measure)
ALL = [
    pytest.param(batch, model, int3, id=f"{batch.name.replace(' ', '-')}-{model}-{int3}")
    for int3 in HANDLERS
    for model in MODELS
    for batch in BATCHES
    if int3 == HANDLERS[0] or len(batch.functions) <= SMALL
]


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "model", "int3"), ALL)
def test_breaks_come_to_what_the_rule_says(
    batch: Batch, model: str, int3: str, figures: Figures
) -> None:
    found = {cell: measured(cell) for cell in cells(batch, model, int3)}
    assert found
    wrong = {
        str(cell): one.seen.value for cell, one in found.items() if one.seen != expected(cell.case)
    }
    assert not wrong
    safe = [one.tries for one in found.values() if one.seen is Outcome.SAFE]
    shown = [one.tries for one in found.values() if one.seen is not Outcome.SAFE]
    figures(
        "necessity matrix", batch.name,
        cells=len(found), safe_tries=sum(safe), unsafe_tries=sum(shown), unsafe_shown=len(shown),
    )  # fmt: skip


@pytest.mark.slow
def test_the_tables_in_the_documents_are_these() -> None:
    """Of the rule; where they are made anew, of what is seen, which has to be the same."""
    every = [cell for one in ALL for cell in cells(*one.values)]  # type: ignore[arg-type]
    seen = {cell: _outcome(cell) for cell in every}
    text = matrix_table.DOCUMENT.read_text()
    made = matrix_table.document(text, matrix_table.tables(seen))
    if os.environ.get(REWRITE):
        matrix_table.DOCUMENT.write_text(made)
    assert made == matrix_table.DOCUMENT.read_text()


def _outcome(cell: Cell) -> Outcome:
    if os.environ.get(REWRITE):
        return measured(cell).seen
    found = expected(cell.case)
    assert found
    return found


def test_every_break_is_in_every_column() -> None:
    """What is left out under one model has the same outcome under another that is measured."""
    for batch in BATCHES:
        for transition in Transition:
            for broken in BREAKS:
                whole = {expected(Cell(batch, transition, broken, m, "6.12").case) for m in MODELS}
                shown = {
                    expected(cell.case)
                    for model in MODELS
                    for cell in cells(batch, model, "6.12")
                    if (cell.transition, cell.broken) == (transition, broken)
                }
                assert shown == whole - {None}, (batch.name, transition, broken)
