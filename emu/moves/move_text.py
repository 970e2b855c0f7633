"""Moves as text, one line each, as a schedule has them and as people read them.

    run CORE INSTRUCTIONS       1 to 4294967295 instructions
    fetch CORE AGE AGE ...      the age of each byte of one instruction, 0 to 255, at most 15
    patch
    request PLAN                index of one of the schedule's plans

A move has exactly one text: single spaces, no signs, no leading zeros.
"""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emu.errors import BadSchedule
from emu.moves import move

MAX_AGES = 15
"""Bytes of the longest instruction (SDM volume 2, 2.3.11)."""

MAX_COUNT = (1 << 32) - 1

_NUMBER = "(0|[1-9][0-9]{0,9})"
_RUN = re.compile(f"run {_NUMBER} {_NUMBER}")
_FETCH = re.compile(f"fetch {_NUMBER}((?: {_NUMBER}){{1,{MAX_AGES}}})")
_REQUEST = re.compile(f"request {_NUMBER}")


def table(texts: Iterable[object], cores: int, plans: int) -> NDArray[np.void]:
    """Return the moves with dtype ROW.

    Args:
        texts: from a file, of any type.
        cores: how many cores there are to move.
        plans: how many plans there are to request.

    Raises:
        BadSchedule: "[7] is 'run 9 100', but must be ...", without the way to the list.
    """
    rows = bytearray()
    known: dict[str, bytes] = {}
    for index, text in enumerate(texts):
        row = known.get(text) if isinstance(text, str) else None
        if row is None:
            try:
                row = _row(text, cores, plans)
            except ValueError as error:
                shown = f"{text[:60]!r}" if isinstance(text, str) else "not text"
                raise BadSchedule(f"[{index}] is {shown}, but {error}") from None
            if isinstance(text, str) and len(known) < 1 << 16:
                known[text] = row
        rows += row
    return np.frombuffer(bytes(rows), move.ROW)


def canonical(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return a copy in which only what a move means is set, whatever a recorder left there.

    Raises:
        ValueError: a row is not a move.
    """
    kept = np.zeros(len(rows), move.ROW)
    kind = rows["kind"]
    kept["kind"] = kind
    of_core = (kind == move.RUN) | (kind == move.FETCH)
    kept["actor"] = np.where(of_core, rows["actor"], 0)
    kept["length"] = np.where(kind == move.FETCH, rows["length"], 0)
    kept["count"] = np.where((kind == move.RUN) | (kind == move.REQUEST), rows["count"], 0)
    used = np.arange(MAX_AGES) < kept["length"][:, None]
    kept["ages"] = np.where(used, rows["ages"], 0)
    fetches = kept["length"][kind == move.FETCH]
    if np.any((kind < move.RUN) | (kind > move.REQUEST)):
        raise ValueError("a row is not a move")
    if np.any((fetches < 1) | (fetches > MAX_AGES)) or np.any(kept["count"][kind == move.RUN] < 1):
        raise ValueError("a move without bytes or instructions")
    kept.flags.writeable = False
    return kept


def texts(rows: NDArray[np.void]) -> list[str]:
    """Return the text of each move in a table with dtype ROW."""
    known: dict[bytes, str] = {}
    found = []
    for row in rows:
        key = row.tobytes()
        text = known.get(key)
        if text is None:
            text = _text(move.decode(row))
            if len(known) < 1 << 16:
                known[key] = text
        found.append(text)
    return found


def _text(decoded: move.Move) -> str:
    match decoded:
        case move.Run(core, instructions):
            return f"run {core} {instructions}"
        case move.Fetch(core, ages):
            return f"fetch {core} {' '.join(map(str, ages))}"
        case move.Patch():
            return "patch"
        case move.Request(plan):
            return f"request {plan}"


def _row(text: object, cores: int, plans: int) -> bytes:
    """Return the row of one move; ValueError says what it must be."""
    made: move.Move
    if not isinstance(text, str):
        raise ValueError("a move must be text")  # noqa: TRY004 -- one kind of error for the caller
    if text == "patch":
        made = move.Patch()
    elif found := _RUN.fullmatch(text):
        made = move.Run(_core(found[1], cores), int(found[2]))
        if not 1 <= made.instructions <= MAX_COUNT:
            raise ValueError(f"a run has 1 to {MAX_COUNT} instructions")
    elif found := _FETCH.fullmatch(text):
        ages = tuple(map(int, found[2].split()))
        if max(ages) > 255:
            raise ValueError("an age is 0 to 255")
        made = move.Fetch(_core(found[1], cores), ages)
    elif found := _REQUEST.fullmatch(text):
        made = move.Request(int(found[1]))
        if made.plan >= plans:
            raise ValueError(f"there are {plans} plans")
    else:
        raise ValueError("must be run CORE COUNT, fetch CORE AGES, patch or request PLAN")
    return move.encode([made]).tobytes()


def _core(digits: str, cores: int) -> int:
    core = int(digits)
    if core >= cores:
        raise ValueError(f"there are {cores} cores, counted from 0")
    return core
