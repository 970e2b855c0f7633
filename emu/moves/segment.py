"""Segments: the moves of a schedule, one by one or as the picks of a chooser.

    {"moves": ["run 0 100", "fetch 1 2 1 1 1 1", "patch", "request 0"]}
    {"chooser": "random", "seed": 7, "quantum": 100, "count": 5321}

A chooser's segment may also have "start" (where it goes on), "actors" (a bit mask of who may
move), "drain" (true: the run waits for calls made before), "hash" (of the state at its end) and,
a random one, "faults" (about one move in so many is a Fault), and "waits" (true: time passes while
all those sleep who may move, though others are held). Moves are described in `move_text`.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emu.errors import BadSchedule
from emu.moves import move, move_text
from emu.moves.canonical import canonical
from emu.moves.chooser import EVERYBODY, Chooser
from emu.moves.json_value import Value
from emu.moves.move_text import Scope

CHOOSERS: Final = ("round-robin", "random")

MAX_MOVES: Final = 10_000_000
MAX_SEGMENTS: Final = 65_536
"""Bounds of a schedule: moves that it lists, all segments together, and segments."""

_U64 = (1 << 64) - 1
_LARGE = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """A segment that lists its moves. rows: with dtype move.ROW, read-only, 24 bytes each."""

    rows: NDArray[np.void]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", canonical(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moves) and self.rows.tobytes() == other.rows.tobytes()

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())

    @classmethod
    def of(cls, moves: list[move.Move]) -> "Moves":
        """Return the segment that makes these moves."""
        return cls(move.encode(moves))


@dataclass(frozen=True, slots=True)
class Start:
    """A native chooser in the middle of its work: the last actor, or -1, and its generator."""

    last: int
    state: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A segment whose moves a chooser picks.

    Attributes:
        chooser: one of CHOOSERS.
        seed, quantum: how it was made.
        count: the moves it makes here.
        start: where it goes on; None where it begins.
        actors: bit mask of the actors it may pick, None for all: who is left out is held.
        drain: the run waits here for the calls made before it; what does not come is lost.
        hash: the state hash at the end of the segment, or None if nobody asked for it.
        faults: about one move in this many is a Fault, where one is possible; 0: none.
        waits: time passes while all the actors that it may pick sleep, though others are awake.
    """

    chooser: str
    seed: int
    quantum: int
    count: int
    start: Start | None = None
    actors: int | None = None
    drain: bool = False
    hash: str | None = None
    faults: int = 0
    waits: bool = False

    def make(self) -> Chooser:
        """Return the chooser as it is when the segment begins."""
        actors = EVERYBODY if self.actors is None else self.actors
        chooser = Chooser(
            self.chooser, self.seed, self.quantum, actors, faults=self.faults, waits=self.waits
        )
        if self.start is not None:
            chooser.native[2], chooser.random[0] = self.start.last, self.start.state
        return chooser

    @staticmethod
    def start_of(chooser: Chooser) -> Start:
        """Return where a chooser stands, before it picks the moves of a segment."""
        return Start(int(chooser.native[2]), int(chooser.random[0]))


Segment: TypeAlias = Moves | Chosen


def to_json(segment: Segment) -> dict[str, object]:
    """Return a segment as objects, lists, text and numbers."""
    if isinstance(segment, Moves):
        return {"moves": move_text.texts(segment.rows)}
    document: dict[str, object] = {
        "chooser": segment.chooser,
        "seed": segment.seed,
        "quantum": segment.quantum,
        "count": segment.count,
    }
    if segment.start is not None:
        document["start"] = {"last": segment.start.last, "state": f"{segment.start.state:016x}"}
    if segment.actors is not None:
        document["actors"] = segment.actors
    if segment.drain:
        document["drain"] = True
    if segment.hash is not None:
        document["hash"] = segment.hash
    if segment.faults:
        document["faults"] = segment.faults
    if segment.waits:
        document["waits"] = True
    return document


def from_json(values: list[Value], scope: Scope) -> tuple[Segment, ...]:
    """Return the segments in a file, whose moves are in `scope`; BadSchedule if they are none."""
    left = MAX_MOVES
    segments: list[Segment] = []
    for value in values:
        if isinstance(value.data, dict) and "moves" in value.data:
            moves = value.fields(("moves",))["moves"]
            listed = moves.elements(0, left)
            left -= len(listed)
            segments.append(_moves(moves, listed, scope))
        else:
            segments.append(_chosen(value, scope.cores))
    return tuple(segments)


def _moves(value: Value, listed: list[object], scope: Scope) -> Moves:
    try:
        return Moves(move_text.table(listed, scope))
    except BadSchedule as error:
        raise BadSchedule(f"{value.way()}{error}") from None


def _chosen(value: Value, cores: int) -> Chosen:
    fields = value.fields(
        ("chooser", "seed", "quantum", "count"),
        ("start", "actors", "drain", "hash", "faults", "waits"),
    )
    chooser = fields["chooser"].word(CHOOSERS)
    if "faults" in fields and chooser != "random":
        raise fields["faults"].bad("is there, but only a random chooser makes faults")
    start = None
    if "start" in fields:
        members = fields["start"].fields(("last", "state"))
        state = int.from_bytes(members["state"].hexadecimal(8, 8))
        start = Start(members["last"].number(-1, cores), state)
    return Chosen(
        chooser=chooser,
        seed=fields["seed"].number(0, _U64),
        quantum=fields["quantum"].number(1, move_text.MAX_COUNT),
        count=fields["count"].number(0, _LARGE),
        start=start,
        actors=fields["actors"].number(1, EVERYBODY) if "actors" in fields else None,
        drain="drain" in fields and fields["drain"].flag(),
        hash=state_hash(fields.get("hash")),
        faults=fields["faults"].number(1, move_text.MAX_COUNT) if "faults" in fields else 0,
        waits="waits" in fields and fields["waits"].flag(),
    )


def state_hash(value: Value | None) -> str | None:
    """Return a state hash, 16 bytes in hex, or None where there is none."""
    return None if value is None or value.data is None else value.hexadecimal(16, 16).hex()
