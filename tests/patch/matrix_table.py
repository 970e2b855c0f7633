"""The tables of docs/breaks.md, made of what was seen; equal rows and columns are put together."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from emu.machine.text import MODELS
from emu.patch.breaks import BREAKS, EXPLANATIONS
from tests.necessity import UNBROKEN, Outcome, Transition
from tests.patch.matrix import BATCHES, HANDLERS, MASKED, Cell
from tests.patch.trials import Batch

DOCUMENT = Path(__file__).parents[2] / "docs" / "breaks.md"
_BEGIN = "<!-- made by tests/patch/test_matrix.py, from here -->\n"
_END = "<!-- to here -->\n"
_IN_TWO = " ¹"
_NOTE = (
    "¹ where the bytes that change lie in two aligned 8-byte words; else what is named before "
    "it, or safe."
)
_BECOMES = {
    Transition.IN: "NOP → call",
    Transition.ANEW: "call → call",
    Transition.OUT: "call → NOP",
}

Seen = Mapping[Cell, Outcome]


def tables(seen: Seen) -> str:
    """Return the tables in Markdown."""
    now, before = (_rows(seen, int3) for int3 in HANDLERS)
    head = ["break", "what is wrong", "site", *MODELS]
    whole = [
        [f"`{name}`", EXPLANATIONS[name], *row]
        for name in BREAKS
        for row in _merged({each: now[each, name] for each in Transition})
    ]
    masked = [
        [f"`{name}`", *row]
        for name in MASKED
        if any(before[each, name] != now[each, name] for each in Transition)
        for row in _merged({each: before[each, name] for each in Transition})
    ]
    sites = _sites(seen)
    return "\n".join(
        [
            *_table(head, whole),
            "",
            _NOTE,
            "",
            "What is patched at once, and which of these columns and rows it shows:",
            "",
            *_table(["sites", "changes in two words", "`unsorted`"], sites),
            "",
            "With `int3=6.1` it is as above, but for:",
            "",
            *_table(["break", "site", *MODELS], masked),
        ]
    )


def document(text: str, made: str) -> str:
    """Return a document with other tables between its two marks."""
    begin, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    return f"{text[:begin]}\n{made}\n\n{text[end:]}"


def _rows(seen: Seen, int3: str) -> dict[tuple[Transition, str], tuple[str, ...]]:
    """Return what each break comes to under each model, over all that is patched at once."""
    return {
        (transition, name): tuple(
            _cell(
                {
                    (cell.case.straddles, outcome)
                    for cell, outcome in seen.items()
                    if (cell.int3, cell.transition, cell.broken, cell.model)
                    == (int3, transition, name, model)
                }
            )
            for model in MODELS
        )
        for transition in Transition
        for name in (UNBROKEN, *BREAKS)
    }


def _cell(found: Iterable[tuple[bool, Outcome]]) -> str:
    """Return the text for outcomes, by whether what changes lies in two words."""
    one, two = (
        {outcome.value for in_two, outcome in found if in_two is each} for each in (False, True)
    )
    if not one or one == two or not two:
        return ", ".join(sorted(one | two))
    return ", ".join(
        [*sorted(one - {Outcome.SAFE.value}), *(each + _IN_TWO for each in sorted(two))]
    )


def _merged(rows: Mapping[Transition, tuple[str, ...]]) -> list[list[str]]:
    """Return rows with their transitions in front, equal ones as one."""
    made = []
    for row in dict.fromkeys(rows.values()):
        equal = [_BECOMES[each] for each, other in rows.items() if other == row]
        made.append(["any" if len(equal) == len(rows) else ", ".join(equal), *row])
    return made


def _sites(seen: Seen) -> list[list[str]]:
    """Return what the batches show, those that show the same as one row."""

    def shows(batch: Batch) -> tuple[str, str]:
        cells = [cell for cell in seen if cell.batch is batch and cell.int3 == HANDLERS[0]]
        in_two = {cell.case.straddles for cell in cells}
        unsorted = {seen[cell].value for cell in cells if cell.broken == "unsorted"}
        words = "yes" if in_two == {True} else "no" if in_two == {False} else "in part"
        return words, ", ".join(sorted(unsorted)) or "nothing to sort"

    return _grouped(BATCHES, shows)


def _grouped(
    batches: Iterable[Batch], shows: Callable[[Batch], tuple[str, ...]]
) -> list[list[str]]:
    rows = {batch.name: shows(batch) for batch in batches}
    return [
        ["; ".join(name for name, other in rows.items() if other == row), *row]
        for row in dict.fromkeys(rows.values())
    ]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a table; what is as in the row above is left out in the first two columns."""
    lines = [head, ["---"] * len(head)]
    above = [""] * len(head)
    for row in rows:
        same = row[0] == above[0]
        lines.append(
            ["" if same and cell == above[at] and at < 2 else cell for at, cell in enumerate(row)]
        )
        above = row
    return [f"| {' | '.join(line)} |" for line in lines]
