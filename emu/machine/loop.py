"""The loop that makes moves: a chooser picks, an actor moves, the machine settles.

Native, for the two choosers that need nobody to ask (round robin and random) and for scripts.
Whatever they cannot do natively they return to Python for: a step of the patcher, output to
look at, tables to drain, a page to guard, the end. Coming back, they go on where they were, so
a run does not depend on how often it returned.
"""

import numpy as np

from emu.machine import xapic
from emu.machine.native import jit
from emu.machine.run import (
    can_move,
    choose_fetch,
    fetch,
    run,
    settle_machine,
    stands_at_unstable,
)
from emu.machine.state import (
    A_DEADLINE,
    C_STATE,
    CORE_DEAD,
    CORE_HALTED,
    FOREVER,
    M_CLOCK,
    M_CORES,
    M_EXIT,
    M_MOVES,
    M_PATCHER,
    M_PICK,
    M_PICK_LEFT,
    M_REASON,
    M_STOP_AFTER,
    M_WAIT_COUNT,
    M_WATCHED,
    MAX_MOVES,
    STOP_FOR_DRAIN,
    STOP_UNDRAINED,
    STOP_UNGUARDED,
    Bytes,
    Seeds,
    State,
    Words,
)
from emu.machine.text import below
from emu.machine.unicorn_cpu import (
    interrupts_on,
)
from emu.moves.move import FETCH, PATCH, RUN

# Why the loop returns.
DONE = 0  # the moves asked for are made, or the script is at its end
BOUND = 1  # the instructions asked for are executed
PATCHER = 2  # it is the patcher's turn; the move is recorded, the caller makes the step
OUTPUT = 3  # the byte waited for was sent
EXIT = 4  # the guest wrote to the debug-exit port
DEAD = 5  # a core cannot go on
DRAIN = 6  # a table is nearly full
GUARD = 7  # a page was executed for the first time
STUCK = 8  # nobody can move, and no timer will change that
FOREIGN = 9  # the script's next move is not one of a core
REFUSED = 10  # the next move, a script's or a chooser's, is not possible here

PATCHER_ABSENT, PATCHER_READY, PATCHER_WAITS = range(3)

# A chooser for the loop: kind, SplitMix64 state, most instructions of a Run, last actor.
ROUND_ROBIN, RANDOM = 0, 1


@jit
def patcher_can_move(s: State) -> bool:
    """Return whether the patcher's next step can be made: what it waits for has come."""
    if s.m[M_PATCHER] != PATCHER_WAITS:
        return s.m[M_PATCHER] == PATCHER_READY
    for row in range(s.m[M_WAIT_COUNT]):
        at = s.wait[row, 0]
        word = s.ram[at] | s.ram[at + 1] << 8
        word |= s.ram[at + 2] << 16 | s.ram[at + 3] << 24
        if word != s.wait[row, 1]:
            return False
    return True


@jit
def _enabled(s: State, actors: Words) -> int:
    """Fill in the actors that can move, cores in order and then the patcher; returns how many.

    While everybody sleeps, time passes at once, to the first timer that wakes somebody; if none
    does, nothing changes.
    """
    while True:
        count = 0
        for core in range(s.m[M_CORES]):
            if can_move(s, core):
                actors[count] = core
                count += 1
        if patcher_can_move(s):
            actors[count] = s.m[M_CORES]
            count += 1
        if count:
            return count
        deadline = _next_wakeup(s)
        if deadline == FOREVER:
            return 0
        s.m[M_CLOCK] = deadline
        settle_machine(s)


@jit
def _next_wakeup(s: State) -> int:
    """Return the virtual time of the first timer that wakes its core, or FOREVER."""
    soonest = FOREVER
    for core in range(s.m[M_CORES]):
        halted = s.core[core, C_STATE] == CORE_HALTED
        if halted and interrupts_on(s, core) and xapic.timer_wakes(s, core):
            soonest = min(soonest, s.apic[core, A_DEADLINE])
    return soonest


@jit
def _allowed(actors: Words, count: int, mask: int) -> int:
    """Keep the actors that a chooser may pick; returns how many."""
    kept = 0
    for index in range(count):
        if mask >> actors[index] & 1:
            actors[kept] = actors[index]
            kept += 1
    return kept


@jit
def _record(s: State, kind: int, actor: int, count: int, ages: Words, length: int) -> None:
    row = s.m[M_MOVES]
    s.moves[row, 0], s.moves[row, 1], s.moves[row, 2], s.moves[row, 3] = kind, actor, length, 0
    for byte in range(4):
        s.moves[row, 4 + byte] = count >> (8 * byte) & 0xFF
    for index in range(15):
        s.moves[row, 8 + index] = ages[index]
    s.moves[row, 23] = 0
    s.m[M_MOVES] = row + 1


@jit
def _must_return(s: State) -> int:
    """Return why the loop should return between two moves, or -1."""
    for core in range(s.m[M_CORES]):
        if s.core[core, C_STATE] == CORE_DEAD:
            return DEAD
    if s.m[M_EXIT] >= 0:
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
    """Make a Run; returns GUARD or DRAIN if it is paused for that, else -1."""
    executed = run(s, core, instructions)
    limits[1] -= executed
    if s.m[M_REASON] == STOP_UNGUARDED or s.m[M_REASON] == STOP_UNDRAINED:
        s.m[M_PICK], s.m[M_PICK_LEFT] = core, instructions - executed
        return GUARD if s.m[M_REASON] == STOP_UNGUARDED else DRAIN
    s.m[M_PICK] = -1
    limits[0] -= 1
    return -1


@jit
def drive(s: State, chooser: Words, random: Seeds, limits: Words) -> int:
    """Let a chooser make moves; returns why it stopped.

    chooser: int64 [kind, longest Run, last actor, bit mask of the actors it may pick].
    random: uint64 [SplitMix64 state].
    limits: int64 [moves, instructions of all cores], counted down. A move is never cut to fit:
    the instructions are a bound that the last move may pass.
    """
    actors = np.empty(16, np.int64)
    ages = np.zeros(15, np.int64)
    newest = np.empty(0, np.uint64)
    if s.m[M_PICK] >= 0:
        why = _run(s, s.m[M_PICK], s.m[M_PICK_LEFT], limits)
        if why >= 0:
            return why
    while True:
        why = _must_return(s)
        if why >= 0:
            return why
        if limits[0] <= 0:
            return DONE
        if limits[1] <= 0:
            return BOUND
        count = _allowed(actors, _enabled(s, actors), chooser[3])
        if count == 0:
            return STUCK
        if chooser[0] == RANDOM:
            actor = actors[below(random, count)]
        else:
            actor = actors[0]
            for index in range(count - 1, -1, -1):
                if actors[index] > chooser[2]:
                    actor = actors[index]
        chooser[2] = actor
        if actor == s.m[M_CORES]:
            _record(s, PATCH, actor, 0, ages, 0)
            limits[0] -= 1
            return PATCHER
        if stands_at_unstable(s, actor):
            length = choose_fetch(s, actor, ages, random if chooser[0] == RANDOM else newest)
            if not fetch(s, actor, ages, length):
                return REFUSED
            _record(s, FETCH, actor, 0, ages, length)
            ages[:] = 0
            limits[0] -= 1
            limits[1] -= 1
            continue
        instructions = chooser[1]
        if chooser[0] == RANDOM:
            instructions = 1 + below(random, chooser[1])
        _record(s, RUN, actor, instructions, ages, 0)
        why = _run(s, actor, instructions, limits)
        if why >= 0:
            return why


@jit
def play(s: State, script: Bytes, at: Words, limits: Words) -> int:
    """Make the moves of a script, rows of `emu.moves.move.ROW` as bytes, from at[0] on.

    Stops before a move that is not one of a core. Moves are recorded like any others.
    """
    actors = np.empty(16, np.int64)
    ages = np.zeros(15, np.int64)
    if s.m[M_PICK] >= 0:
        why = _run(s, s.m[M_PICK], s.m[M_PICK_LEFT], limits)
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
        kind, core, length = script[at[0], 0], np.int64(script[at[0], 1]), script[at[0], 2]
        if kind != RUN and kind != FETCH:
            return FOREIGN
        if _enabled(s, actors) == 0:
            return STUCK
        if core >= s.m[M_CORES] or not can_move(s, core):
            return REFUSED
        unstable = stands_at_unstable(s, core)
        if unstable != (kind == FETCH):
            return REFUSED
        count = np.int64(0)
        for byte in range(4):
            count |= np.int64(script[at[0], 4 + byte]) << (8 * byte)
        for index in range(15):
            ages[index] = script[at[0], 8 + index]
        if kind == FETCH and not fetch(s, core, ages, np.int64(length)):
            return REFUSED
        at[0] += 1
        _record(s, kind, core, count, ages, length)
        if kind == FETCH:
            limits[0] -= 1
            limits[1] -= 1
        else:
            why = _run(s, core, count, limits)
            if why >= 0:
                return why
