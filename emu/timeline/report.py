"""The report on a machine that stands still: what happened, where each core is, the last moves.

For a core that shut down or cannot go on, for a machine in which nobody can move, and for one that
never ends. It says what the machine knows, in names of the image, and guesses nothing.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from emu.image.elf import ElfImage
from emu.image.placed import Placed
from emu.machine import events
from emu.machine.machine import Machine
from emu.machine.standing import Standing
from emu.moves import move, move_text
from emu.timeline import vectors
from emu.timeline.place import Place, Places

Why = Literal["died", "stuck", "bound", "interrupted", "exited"]

LONGEST: Final = 15
"""Bytes of the longest instruction (SDM 2, section 2.3.11)."""

TRAPS: Final = 6
"""Traps of a core that a report shows, equal ones in a row counted as one."""

_OF_A_CORE: Final = (move.RUN, move.FETCH, move.TICK, move.DELIVER, move.FAULT)


@dataclass(frozen=True, slots=True)
class Trap:
    """An exception or software interrupt that a core took, so many times in a row.

    stack: RSP before the last one. more: it may have been more often, earlier events are forgotten.
    """

    vector: int
    error: int
    place: Place
    stack: int
    times: int
    more: bool

    def __str__(self) -> str:
        said = vectors.error(self.vector, self.error)
        return f"{vectors.name(self.vector)}{', ' if said else ''}{said} at {self.place}"


@dataclass(frozen=True, slots=True)
class Core:
    """A core as it stands, where that is, and the last traps it took, oldest first.

    code: the bytes that memory holds at RIP, as many as an instruction may have; fewer where the
    core maps no more.
    """

    standing: Standing
    place: Place
    code: bytes
    traps: tuple[Trap, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A move that was made, as text, and where its core stood before; None if it has no core.

    times: so many equal ones in a row, from the same place.
    """

    text: str
    place: Place | None
    times: int


@dataclass(frozen=True, slots=True)
class Report:
    """A machine that stands still.

    Attributes:
        sentence: what happened.
        instructions: that all cores have executed. virtual_ns: the machine's time.
        cores: the guilty one first.
        moves: the last ones, oldest first.
    """

    sentence: str
    instructions: int
    virtual_ns: int
    cores: tuple[Core, ...]
    moves: tuple[Made, ...]


def report(machine: Machine, image: ElfImage, why: Why, placed: Sequence[Placed] = ()) -> Report:
    """Return the report on a machine. Looking at it has no effect.

    placed: what was put into its kernel, to name places in it by.
    """
    places = Places(machine, image, placed)
    cores = [_core(machine, places, core) for core in range(machine.cores)]
    moves = _moves(machine, places)
    last = _last_core(machine)
    order = _SILENT if why in ("died", "stuck") else _ENDLESS
    cores.sort(key=lambda core: (order.index(_kind(core.standing)), core.standing.core != last))
    tell = {
        "died": _death,
        "stuck": _stuck,
        "bound": _bound,
        "interrupted": _interrupted,
        "exited": _exit,
    }
    sentence = tell[why](machine, cores)
    return Report(sentence, machine.retired(), machine.now, tuple(cores), moves)


_SILENT = ("shut down", "cannot go on", "deaf", "runs", "halted", "waits")
_ENDLESS = ("runs", "deaf", "halted", "waits")
"""Whom to look at first where nothing moves any more, and where it does not end."""


def _kind(standing: Standing) -> str:
    deaf = standing.activity == "halted" and not standing.interrupts
    return "deaf" if deaf else standing.activity


def _last_core(machine: Machine) -> int | None:
    """Return the core that moved last."""
    rows = machine.recent_moves.rows()
    cores = [int(row["actor"]) for row in rows if row["kind"] in _OF_A_CORE]
    return cores[-1] if cores else None


def _moves(machine: Machine, places: Places) -> tuple[Made, ...]:
    rows, stood = machine.recent_moves.rows(), machine.recent_moves.places()
    made = (
        (text, places.at(address, int(row["actor"])) if row["kind"] in _OF_A_CORE else None)
        for row, text, address in zip(rows, move_text.texts(rows), stood, strict=True)
    )
    return tuple(Made(*one, len(list(equal))) for one, equal in itertools.groupby(made))


def _where(places: Places, standing: Standing) -> Place:
    """Return where a core stands; of one that sleeps, its hlt, which may end its function."""
    behind = standing.activity == "halted" and standing.rip > 0
    place = places.at(standing.rip - behind, standing.core)
    return replace(place, address=standing.rip)


def _core(machine: Machine, places: Places, core: int) -> Core:
    standing = machine.standing(core)
    where, code = _where(places, standing), _code(machine, core, standing.rip)
    return Core(standing, where, code, _traps(machine, places, core))


def _code(machine: Machine, core: int, address: int) -> bytes:
    """Return the bytes at an address as far as a core maps RAM there."""
    code = bytearray()
    for at in range(address, address + LONGEST):
        physical = machine.translate(at & (1 << 64) - 1, core)
        if physical is None or physical >= machine.ram_mib << 20:
            break
        code += machine.read(physical, 1)
    return bytes(code)


def _traps(machine: Machine, places: Places, core: int) -> tuple[Trap, ...]:
    rows = machine.events.since(machine.events.first)
    forgotten = machine.events.first > 0
    rows = rows[(rows[:, 2] == events.TRAP) & (rows[:, 1] == core)]
    if not len(rows):
        return ()
    what = rows[:, [3, 4, 5]]  # address, vector, error code
    starts = np.flatnonzero(np.any(what[1:] != what[:-1], axis=1)) + 1
    first = [0, *starts.tolist()][-TRAPS:]
    ends = [*first[1:], len(rows)]
    return tuple(
        Trap(
            int(rows[start, 4]),
            int(rows[start, 5]),
            places.at(int(rows[start, 3]) & (1 << 64) - 1, core),
            int(rows[end - 1, 7]) & (1 << 64) - 1,
            end - start,
            forgotten and start == 0,
        )
        for start, end in zip(first, ends, strict=True)
    )


# --- the sentence ------------------------------------------------------------------------------


def _death(machine: Machine, cores: list[Core]) -> str:
    guilty = cores[0]
    number = guilty.standing.core
    if guilty.standing.activity == "shut down":
        return f"core {number} shut down (triple fault): {_chain(guilty)}"
    said = vectors.ENGINE_ERRORS.get(machine.engine_error, f"engine error {machine.engine_error}")
    return f"core {number} cannot go on: {said}, at {guilty.place}"


def _chain(core: Core) -> str:
    """Return how a core came to its triple fault: the exceptions whose delivery met another."""
    traps = list(core.traps)
    if traps and traps[-1].vector == vectors.DOUBLE_FAULT:
        double = traps.pop()
        traps = [t for t in traps if (t.place, t.stack) == (double.place, double.stack)][-2:]
    else:
        traps = traps[-1:]
    if not traps:
        return f"an exception that cannot be delivered, at {core.place}"
    told = [vectors.name(trap.vector) for trap in traps]
    if traps[-1].vector == vectors.PAGE_FAULT:
        told[-1] += f" at {core.standing.cr2:#x}"
    how = f"while delivering {told[0]}," if len(told) > 1 else "that could not be delivered,"
    return f"{told[-1]} {how} in {traps[-1].place}"


def _stuck(_machine: Machine, cores: list[Core]) -> str:
    first = cores[0]
    started = [core for core in cores if core.standing.activity != "waits"]
    deaf = [core for core in started if not core.standing.interrupts]
    how = "halted with interrupts off" if deaf else "halted, and no interrupt can come"
    number = first.standing.core
    who = f"core {number} is {how} in"
    if len(started) > 1 and len(deaf) in (0, len(started)):
        who = f"every core is {how}; core {number} in"
    return f"nobody can move: {who} {first.place}{_before(first)}"


def _before(core: Core) -> str:
    """Return the exceptions by which a core came where it is, if they were its last traps."""
    count = 2 if core.traps and core.traps[-1].vector == vectors.DOUBLE_FAULT else 1
    told = [str(trap) for trap in core.traps[-count:] if trap.vector < 32]
    return f"; before that: {', then '.join(told)}" if told else ""


def _bound(machine: Machine, cores: list[Core]) -> str:
    return f"the bound was reached {_so_far(machine, cores)}"


def _interrupted(machine: Machine, cores: list[Core]) -> str:
    return f"interrupted {_so_far(machine, cores)}"


def _so_far(machine: Machine, cores: list[Core]) -> str:
    first = cores[0]
    return f"after {machine.retired():,} instructions; core {first.standing.core} in {first.place}"


def _exit(machine: Machine, cores: list[Core]) -> str:
    value = "" if machine.exit_value is None else f" with exit value {machine.exit_value}"
    so_far = _so_far(machine, cores)
    return f"the guest ended the machine{value} {so_far}{_before(cores[0])}"
