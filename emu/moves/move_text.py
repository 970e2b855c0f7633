"""Moves as text, one line each, as a schedule has them and as people read them.

    run CORE COUNT                     1 to 4294967295 instructions
    fetch CORE AGE AGE ...             the age of each byte of one instruction, 0 to 255, at most 15
    patch
    request PLAN                       index of one of the schedule's plans
    tick CORE                          clock `chosen` only
    deliver CORE VECTOR                clock `chosen` only; 0 to 255
    input DEVICE BYTES                 `uart`; 1 to 15 bytes in lower-case hex
    fault drop-ipi CORE VECTOR
    fault delay-ipi CORE VECTOR COUNT  1 to 4294967295 instructions
    fault freeze-floor CORE

A move has exactly one text: single spaces, no signs, no leading zeros.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.errors import BadSchedule
from emu.moves import move
from emu.moves.fault import DelayIpi, DropIpi, Fault, FreezeFloor

MAX_COUNT = (1 << 32) - 1

_KNOWN = 1 << 16  # texts and rows remembered, since most moves of a run are alike

_NUMBER = "(0|[1-9][0-9]{0,9})"
_AGES = f"({_NUMBER}(?: {_NUMBER}){{0,{move.MAX_BYTES - 1}}})"
_BYTES = f"((?:[0-9a-f]{{2}}){{1,{move.MAX_BYTES}}})"
_USAGES: Final = (
    "run CORE COUNT",
    "fetch CORE AGES",
    "patch",
    "request PLAN",
    "tick CORE",
    "deliver CORE VECTOR",
    "input DEVICE BYTES",
    "fault drop-ipi CORE VECTOR",
    "fault delay-ipi CORE VECTOR COUNT",
    "fault freeze-floor CORE",
)
_WRITTEN = {"AGES": _AGES, "BYTES": _BYTES, "DEVICE": f"({'|'.join(move.DEVICES)})"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the moves of a schedule may name: so many cores and plans. clock: one of move.CLOCKS."""

    cores: int
    plans: int
    clock: str

    def core(self, digits: str) -> int:
        """Return the number of a core; ValueError if there is none."""
        core = int(digits)
        if core >= self.cores:
            raise ValueError(f"there are {self.cores} cores, counted from 0")
        return core

    def plan(self, digits: str) -> int:
        """Return the number of a plan; ValueError if there is none."""
        plan = int(digits)
        if plan >= self.plans:
            raise ValueError(f"there are {self.plans} plans")
        return plan

    def chosen(self, made: move.Move) -> move.Move:
        """Return a move that only the clock `chosen` has; ValueError if it is another one."""
        if self.clock != "chosen":
            raise ValueError(
                f"the clock is {self.clock}: timers expire and interrupts are delivered by "
                "themselves; it is a move only where the clock is chosen"
            )
        return made


def table(texts: Iterable[object], scope: Scope) -> NDArray[np.void]:
    """Return the moves with dtype ROW; `texts` are from a file, of any type.

    Raises:
        BadSchedule: "[7] is 'run 9 100', but must be ...", without the way to the list.
    """
    rows = bytearray()
    known: dict[str, bytes] = {}
    for index, text in enumerate(texts):
        row = known.get(text) if isinstance(text, str) else None
        if row is None:
            try:
                row = move.encode([_move(text, scope)]).tobytes()
            except ValueError as error:
                shown = f"{text[:60]!r}" if isinstance(text, str) else "not text"
                raise BadSchedule(f"[{index}] is {shown}, but {error}") from None
            if isinstance(text, str) and len(known) < _KNOWN:
                known[text] = row
        rows += row
    return np.frombuffer(bytes(rows), move.ROW)


def texts(rows: NDArray[np.void]) -> list[str]:
    """Return the text of each move in a table with dtype ROW."""
    known: dict[bytes, str] = {}
    found = []
    for row in rows:
        key = row.tobytes()
        text = known.get(key)
        if text is None:
            text = _text(move.decode(row))
            if len(known) < _KNOWN:
                known[key] = text
        found.append(text)
    return found


def _text(made: move.Move) -> str:  # noqa: PLR0911 -- one for each move
    match made:
        case move.Run(core, instructions):
            return f"run {core} {instructions}"
        case move.Fetch(core, ages):
            return f"fetch {core} {' '.join(map(str, ages))}"
        case move.Patch():
            return "patch"
        case move.Request(plan):
            return f"request {plan}"
        case move.Tick(core):
            return f"tick {core}"
        case move.Deliver(core, vector):
            return f"deliver {core} {vector}"
        case move.Input(device, data):
            return f"input {device} {data.hex()}"
        case DropIpi() | DelayIpi() | FreezeFloor():
            return f"fault {_fault_text(made)}"


def _fault_text(made: Fault) -> str:
    match made:
        case DropIpi(core, vector):
            return f"drop-ipi {core} {vector}"
        case DelayIpi(core, vector, instructions):
            return f"delay-ipi {core} {vector} {instructions}"
        case FreezeFloor(core):
            return f"freeze-floor {core}"


def _form(usage: str) -> re.Pattern[str]:
    """Return what a text with this usage looks like: each word in capitals is a group."""
    words = (_WRITTEN.get(word, _NUMBER) if word.isupper() else word for word in usage.split())
    return re.compile(" ".join(words))


def _word(text: str) -> str:
    """Return what a text begins with: the kind of move, for a fault with the kind of fault."""
    words = text[:60].split(" ", 2)
    return " ".join(words[:2]) if words[0] == "fault" else words[0]


_FORMS: Final = {_word(usage): (usage, _form(usage)) for usage in _USAGES}


def _move(text: object, scope: Scope) -> move.Move:  # noqa: C901, PLR0911 -- one for each move
    """Return the move with this text; ValueError says what it must be."""
    if not isinstance(text, str):
        raise ValueError("a move must be text")  # noqa: TRY004 -- one kind of error for the caller
    word = _word(text)
    if word not in _FORMS:
        raise ValueError(f"must begin with {', '.join(_FORMS)}")
    usage, form = _FORMS[word]
    found = form.fullmatch(text)
    if found is None:
        raise ValueError(f"must be {usage}")
    match word:
        case "run":
            return move.Run(scope.core(found[1]), _count(found[2]))
        case "fetch":
            return move.Fetch(scope.core(found[1]), _ages(found[2]))
        case "patch":
            return move.Patch()
        case "request":
            return move.Request(scope.plan(found[1]))
        case "tick":
            return scope.chosen(move.Tick(scope.core(found[1])))
        case "deliver":
            return scope.chosen(move.Deliver(scope.core(found[1]), _vector(found[2])))
        case "input":
            device = move.DEVICES[move.DEVICES.index(found[1])]
            return move.Input(device, bytes.fromhex(found[2]))
        case _:
            return _fault(word, found, scope)


def _fault(word: str, found: re.Match[str], scope: Scope) -> Fault:
    core = scope.core(found[1])
    match word:
        case "fault drop-ipi":
            return DropIpi(core, _vector(found[2]))
        case "fault delay-ipi":
            return DelayIpi(core, _vector(found[2]), _count(found[3]))
        case _:
            return FreezeFloor(core)


def _count(digits: str) -> int:
    count = int(digits)
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"there are 1 to {MAX_COUNT} instructions")
    return count


def _vector(digits: str) -> int:
    vector = int(digits)
    if vector > 255:
        raise ValueError("a vector is 0 to 255")
    return vector


def _ages(text: str) -> tuple[int, ...]:
    ages = tuple(map(int, text.split()))
    if max(ages) > 255:
        raise ValueError("an age is 0 to 255")
    return ages
