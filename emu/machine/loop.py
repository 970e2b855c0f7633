"""The loop that makes moves: a chooser picks, an actor moves, the machine settles.

Native, for the two choosers that need nobody to ask (round robin and random) and for scripts.
Whatever they cannot do natively they return to Python for: a step of the patcher, output to
look at, tables to drain, the end. Coming back, they go on where they were, so
a run does not depend on how often it returned.
"""

import numpy as np

from emu.machine import xapic, xapic_timer
from emu.machine.actors import DELIVER_OF, MAX_ACTORS, TICK_OF, allowed, enabled, pass_time
from emu.machine.clock import CHOSEN
from emu.machine.faults import fault
from emu.machine.fetch import choose_fetch, fetch, stands_at_unstable
from emu.machine.native import jit, unlocked
from emu.machine.poke import send_input
from emu.machine.run import can_move, deliver, deliverable, run
from emu.machine.splitmix import below
from emu.machine.state import (
    C_STATE,
    CORE_DEAD,
    M_CLOCK,
    M_CLOCK_MODE,
    M_CORES,
    M_END,
    M_EVENTS,
    M_MOVES,
    M_PICK,
    M_PICK_LEFT,
    M_REASON,
    M_STOP_AFTER,
    M_WATCHED,
    MAX_MOVES,
    STOP_FOR_DRAIN,
    STOP_UNDRAINED,
    Bytes,
    Seeds,
    State,
    Words,
)
from emu.machine.unicorn_cpu import linear_rip_of
from emu.moves.chooser import RANDOM
from emu.moves.fault import DELAY_IPI, FREEZE_FLOOR
from emu.moves.move import DELIVER, DEVICES, FAULT, FETCH, INPUT, PATCH, RUN, TICK

_DEVICES = len(DEVICES)

# Why the loop returns.
DONE = 0  # the moves asked for are made, or the script is at its end
BOUND = 1  # the instructions asked for are executed
PATCHER = 2  # it is the patcher's turn; the move is recorded, the caller makes the step
OUTPUT = 3  # the byte waited for was sent
EXIT = 4  # the guest ended the machine: M_END says how
DEAD = 5  # a core cannot go on
DRAIN = 6  # a table is nearly full
STUCK = 7  # nobody can move, and no timer will change that
FOREIGN = 8  # the script's next move is the patcher's or the guest's
REFUSED = 9  # the next move, a script's or a chooser's, is not possible here
EVENTS = 10  # something has happened that the caller asked to be told of

WHY = {
    DEAD: "a core cannot go on",
    EXIT: "the guest ended the machine",
    STUCK: "nobody can move",
    FOREIGN: "it is not a move of a core",
    REFUSED: "it is not enabled",
}
"""Reasons why no move was made, for people."""

_PATIENCE = 10_000  # timers that pass while those sleep who may be picked; others are held
_TICK_RARITY = 64  # one move in so many, or one turn, may be a Tick
_LONGEST_DELAY = 20_000  # instructions for which Random holds an IPI back


@jit
def _record(
    s: State, kind: int, actor: int, count: int, ages: Words, length: int, vector: int
) -> None:
    row = s.m[M_MOVES]
    s.moves[row, 0], s.moves[row, 1], s.moves[row, 2] = kind, actor, length
    s.moves[row, 3] = vector
    for byte in range(4):
        s.moves[row, 4 + byte] = count >> (8 * byte) & 0xFF
    for index in range(15):
        s.moves[row, 8 + index] = ages[index]
    s.moves[row, 23] = 0
    s.m[M_MOVES] = row + 1


@jit
def _note_place(s: State, core: int) -> None:
    """Note where a core stands before the move that is recorded next: for reports."""
    s.places[s.m[M_MOVES]] = linear_rip_of(s, core)


@jit
def _must_return(s: State) -> int:
    """Return why the loop should return between two moves, or -1."""
    for core in range(s.m[M_CORES]):
        if s.core[core, C_STATE] == CORE_DEAD:
            return DEAD
    if s.m[M_END]:
        return EXIT
    if s.m[M_WATCHED]:
        s.m[M_WATCHED] = 0
        return OUTPUT
    if s.m[M_MOVES] == MAX_MOVES or s.m[M_STOP_AFTER] & STOP_FOR_DRAIN:
        s.m[M_STOP_AFTER] = 0
        return DRAIN
    return -1


@jit
def _run(s: State, core: int, instructions: int, limits: Words) -> int:
    """Make a Run; returns DRAIN if it is paused for that, else -1."""
    executed = run(s, core, instructions)
    limits[1] -= executed
    if s.m[M_REASON] == STOP_UNDRAINED:
        s.m[M_PICK], s.m[M_PICK_LEFT] = core, instructions - executed
        return DRAIN
    s.m[M_PICK] = -1
    limits[0] -= 1
    return -1


@jit
def _go_on(s: State, limits: Words) -> int:
    """Go on with a Run that was paused, if there is one; returns as `_run`."""
    if s.m[M_PICK] < 0:
        return -1
    return _run(s, s.m[M_PICK], s.m[M_PICK_LEFT], limits)


@jit
def _pick(s: State, chooser: Words, random: Seeds, actors: Words) -> int:
    """Return the actor that moves next, or -1 if nobody can.

    Timers tick once in a while only: a guest that did nothing but take timer interrupts would get
    nowhere, and never to interrupts of a lower priority.
    """
    ticks = True
    if s.m[M_CLOCK_MODE] == CHOSEN:
        if chooser[0] == RANDOM:
            ticks = below(random, _TICK_RARITY) == 0
        else:
            ticks = s.m[M_CLOCK] // chooser[1] % _TICK_RARITY == 0
    count = allowed(actors, enabled(s, actors, ticks), chooser[3])
    for _ in range(_PATIENCE if chooser[5] else 0):
        if count or not pass_time(s):
            break
        count = allowed(actors, enabled(s, actors, ticks), chooser[3])
    if count == 0:
        return -1
    if chooser[0] == RANDOM:
        return actors[below(random, count)]
    actor = actors[0]
    for index in range(count - 1, -1, -1):
        if actors[index] > chooser[2]:
            actor = actors[index]
    return actor


@jit
def _fault_at_random(s: State, random: Seeds, ages: Words) -> bool:
    """Let something go wrong with the IPI pending at some core; returns whether there was one."""
    core = below(random, s.m[M_CORES])
    vector = xapic.highest_ipi(s, core)
    if vector == 0:
        return False
    kind = 1 + below(random, FREEZE_FLOOR)
    instructions = 1 + below(random, _LONGEST_DELAY) if kind == DELAY_IPI else 0
    if kind == FREEZE_FLOOR:
        vector = 0
    _note_place(s, core)
    if not fault(s, kind, core, vector, instructions):
        return False
    _record(s, FAULT, core, instructions, ages, kind, vector)
    return True


@unlocked
def drive(s: State, chooser: Words, random: Seeds, limits: Words) -> int:
    """Let a chooser make moves; returns why it stopped.

    chooser: int64 [kind, longest Run, last actor, bit mask of the actors it may pick, faults,
    whether time passes while all of those sleep].
    random: uint64 [SplitMix64 state].
    limits: int64 [moves, instructions of all cores, whether to return with the first move that
    makes an event]; the first two are counted down. A move is never cut to fit: the instructions
    are a bound that the last move may pass.
    """
    actors = np.empty(MAX_ACTORS, np.int64)
    ages = np.zeros(15, np.int64)
    newest = np.empty(0, np.uint64)
    why = _go_on(s, limits)
    if why >= 0:
        return why
    while True:
        why = _must_return(s)
        if why >= 0:
            return why
        if limits[2] and s.m[M_EVENTS]:
            return EVENTS
        if limits[0] <= 0:
            return DONE
        if limits[1] <= 0:
            return BOUND
        if chooser[4] and below(random, chooser[4]) == 0 and _fault_at_random(s, random, ages):
            limits[0] -= 1
            continue
        actor = _pick(s, chooser, random, actors)
        if actor < 0:
            return STUCK
        chooser[2] = actor
        if actor == s.m[M_CORES]:
            _record(s, PATCH, actor, 0, ages, 0, 0)
            limits[0] -= 1
            return PATCHER
        _note_place(s, actor & 7)
        if actor >= TICK_OF:
            _tick_or_deliver(s, actor, ages)
            limits[0] -= 1
            continue
        if stands_at_unstable(s, actor):
            length = choose_fetch(s, actor, ages, random if chooser[0] == RANDOM else newest)
            if not fetch(s, actor, ages, length):
                return REFUSED
            _record(s, FETCH, actor, 0, ages, length, 0)
            ages[:] = 0
            limits[0] -= 1
            limits[1] -= 1
            continue
        instructions = chooser[1]
        if chooser[0] == RANDOM:
            instructions = 1 + below(random, chooser[1])
        _record(s, RUN, actor, instructions, ages, 0, 0)
        why = _run(s, actor, instructions, limits)
        if why >= 0:
            return why


@jit
def _tick_or_deliver(s: State, actor: int, ages: Words) -> None:
    core = actor & 7
    if actor < DELIVER_OF:
        _record(s, TICK, core, 0, ages, 0, 0)
        xapic_timer.tick(s, core)
    else:
        _record(s, DELIVER, core, deliverable(s, core), ages, 0, 0)
        deliver(s, core)


@unlocked
def play(s: State, script: Bytes, at: Words, limits: Words) -> int:
    """Make the moves of a script, rows of `emu.moves.move.ROW` as bytes, from at[0] on.

    Stops before a move of the patcher or the guest. Moves are recorded like any others.
    """
    actors = np.empty(MAX_ACTORS, np.int64)
    ages = np.empty(15, np.int64)
    why = _go_on(s, limits)
    if why >= 0:
        return why
    while True:
        why = _must_return(s)
        if why >= 0:
            return why
        if at[0] == script.shape[0]:
            return DONE
        if limits[1] <= 0:
            return BOUND
        why = _play_move(s, script[at[0]], actors, ages, limits)
        if why == FOREIGN or why == STUCK or why == REFUSED:
            return why
        at[0] += 1
        if why >= 0:
            return why


@jit
def _play_move(s: State, row: Bytes, actors: Words, ages: Words, limits: Words) -> int:
    """Make one move; returns why the loop has to return, before the move or after, or -1."""
    kind, core, length, vector = row[0], np.int64(row[1]), np.int64(row[2]), np.int64(row[3])
    count = np.int64(0)
    for byte in range(4):
        count |= np.int64(row[4 + byte]) << (8 * byte)
    for index in range(15):
        ages[index] = row[8 + index]
    if kind not in (RUN, FETCH, TICK, DELIVER, INPUT, FAULT):
        return FOREIGN
    if kind != FAULT and kind != INPUT and enabled(s, actors, True) == 0:
        return STUCK
    if core >= (_DEVICES if kind == INPUT else s.m[M_CORES]):
        return REFUSED
    _note_place(s, core)
    if kind == INPUT:
        done = send_input(s, ages, length)
    elif kind == FAULT:
        done = fault(s, length, core, vector, count)
    elif kind == TICK or kind == DELIVER:
        done = _play_choice(s, kind, core, count)
    else:
        done = can_move(s, core) and stands_at_unstable(s, core) == (kind == FETCH)
        if kind == FETCH:
            done = done and fetch(s, core, ages, length)
    if not done:
        return REFUSED
    _record(s, kind, core, count, ages, length, vector)
    if kind == RUN:
        return _run(s, core, count, limits)
    limits[0] -= 1
    limits[1] -= np.int64(kind == FETCH)
    return -1


@jit
def _play_choice(s: State, kind: int, core: int, vector: int) -> bool:
    """Make the move Tick or Deliver of clock mode `chosen`; returns whether it was possible."""
    if s.m[M_CLOCK_MODE] != CHOSEN:
        return False
    if kind == TICK:
        if not xapic_timer.can_tick(s, core):
            return False
        xapic_timer.tick(s, core)
        return True
    if vector == 0 or deliverable(s, core) != vector:
        return False
    deliver(s, core)
    return True
