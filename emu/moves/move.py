"""Moves: everything that can happen to a machine from outside. Nothing else reaches it.

A move is one row of a numpy table; the classes here are views of it. A run is its moves.

* Run(core, instructions): the core executes up to that many instructions. It ends early where
  it halts, stands before a fetch with several versions, or has sent output the caller watches.
* Fetch(core, ages): the core executes the one instruction it stands at, from chosen versions of
  its bytes: age 0 of a byte is its newest version, 1 the one before it.
* Patch: the patcher makes its next step.
* Request(plan): the patcher is given a plan; `plan` is an index into the schedule's plans.
* Tick(core): the timer of the core's APIC expires now.
* Deliver(core, vector): the core takes this pending interrupt now.
* Input(device, data): bytes arrive at a device from outside.
* Fault: an interrupt is lost or late, or does not synchronise; `fault` has the kinds.

Tick and Deliver are moves only where the clock is `chosen`: nothing expires or is delivered by
itself there. Where it is `counted`, timers expire by virtual time and cores take what is pending.

A row has the kind of a move and, in the other fields, this; what is not named is 0:

    RUN      actor core, count instructions
    FETCH    actor core, length 1 to 15, ages
    PATCH
    REQUEST  count plan
    TICK     actor core
    DELIVER  actor core, count vector
    INPUT    actor index into DEVICES, length 1 to 15, ages the bytes
    FAULT    actor core, length the kind of fault, vector (not FREEZE_FLOOR),
             count instructions (DELAY_IPI only)
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, assert_never

import numpy as np

from emu.moves.fault import (
    DELAY_IPI,
    DROP_IPI,
    FREEZE_FLOOR,
    DelayIpi,
    DropIpi,
    Fault,
    FreezeFloor,
)

ROW: Final = np.dtype(
    [
        ("kind", np.uint8),
        ("actor", np.uint8),
        ("length", np.uint8),
        ("vector", np.uint8),
        ("count", "<u4"),
        ("ages", np.uint8, (15,)),
        ("padding", np.uint8),
    ]
)

RUN: Final = 1
FETCH: Final = 2
PATCH: Final = 3
REQUEST: Final = 4
TICK: Final = 5
DELIVER: Final = 6
INPUT: Final = 7
FAULT: Final = 8

MAX_BYTES: Final = 15
"""Ages of a Fetch (the longest instruction, SDM volume 2, 2.3.11), and bytes of an Input."""

Device: TypeAlias = Literal["uart"]
DEVICES: Final[tuple[Device, ...]] = ("uart",)
"""Devices that something can arrive at; "uart" is the receiver of the serial line."""

CLOCKS: Final = ("counted", "chosen")
"""The modes of the machine's clock: time follows from what is executed, or timers are moves."""


@dataclass(frozen=True)
class Run:
    """A core executes up to `instructions` instructions."""

    core: int
    instructions: int


@dataclass(frozen=True)
class Fetch:
    """A core executes one instruction from bytes of these ages (one for each byte)."""

    core: int
    ages: tuple[int, ...]


@dataclass(frozen=True)
class Patch:
    """The patcher makes its next step."""


@dataclass(frozen=True)
class Request:
    """The patcher is given the schedule's plan of this number."""

    plan: int


@dataclass(frozen=True)
class Tick:
    """The timer of a core's APIC expires; with the clock `chosen` only."""

    core: int


@dataclass(frozen=True)
class Deliver:
    """A core takes the pending interrupt with this vector, 0 to 255; clock `chosen` only."""

    core: int
    vector: int


@dataclass(frozen=True)
class Input:
    """Bytes, 1 to 15, arrive at one of DEVICES."""

    device: Device
    data: bytes


Move: TypeAlias = Run | Fetch | Patch | Request | Tick | Deliver | Input | Fault


def encode(moves: "list[Move]") -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Return moves as a table with dtype ROW."""
    rows = np.zeros(len(moves), ROW)
    for row, move in zip(rows, moves, strict=True):
        match move:
            case Run(core, instructions):
                row["kind"], row["actor"], row["count"] = RUN, core, instructions
            case Fetch(core, ages):
                row["kind"], row["actor"], row["length"] = FETCH, core, len(ages)
                row["ages"][: len(ages)] = ages
            case Patch():
                row["kind"] = PATCH
            case Request(plan):
                row["kind"], row["count"] = REQUEST, plan
            case Tick(core):
                row["kind"], row["actor"] = TICK, core
            case Deliver(core, vector):
                row["kind"], row["actor"], row["count"] = DELIVER, core, vector
            case Input(device, data):
                row["kind"], row["actor"] = INPUT, DEVICES.index(device)
                row["length"], row["ages"][: len(data)] = len(data), list(data)
            case DropIpi() | DelayIpi() | FreezeFloor():
                row["kind"] = FAULT
                _encode_fault(row, move)
            case _:
                assert_never(move)
    return rows


def _encode_fault(row: np.void, fault: Fault) -> None:
    row["actor"] = fault.core
    match fault:
        case DropIpi(_, vector):
            row["length"], row["vector"] = DROP_IPI, vector
        case DelayIpi(_, vector, instructions):
            row["length"], row["vector"], row["count"] = DELAY_IPI, vector, instructions
        case FreezeFloor():
            row["length"] = FREEZE_FLOOR


def decode(row: np.void) -> Move:  # noqa: PLR0911 -- one for each kind
    """Return the move in a row of a table with dtype ROW; ValueError if there is none."""
    kind, actor, length = int(row["kind"]), int(row["actor"]), int(row["length"])
    if kind == RUN:
        return Run(actor, int(row["count"]))
    if kind == FETCH:
        return Fetch(actor, tuple(int(age) for age in row["ages"][:length]))
    if kind == PATCH:
        return Patch()
    if kind == REQUEST:
        return Request(int(row["count"]))
    if kind == TICK:
        return Tick(actor)
    if kind == DELIVER:
        return Deliver(actor, int(row["count"]))
    if kind == INPUT and actor < len(DEVICES):
        return Input(DEVICES[actor], row["ages"][:length].tobytes())
    if kind == FAULT:
        return _decode_fault(row)
    raise ValueError(f"kind {kind} of actor {actor} is not a move")


def _decode_fault(row: np.void) -> Fault:
    core, kind, vector = int(row["actor"]), int(row["length"]), int(row["vector"])
    if kind == DROP_IPI:
        return DropIpi(core, vector)
    if kind == DELAY_IPI:
        return DelayIpi(core, vector, int(row["count"]))
    if kind == FREEZE_FLOOR:
        return FreezeFloor(core)
    raise ValueError(f"kind {kind} is not a fault")
