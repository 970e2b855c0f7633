"""Who can move: the cores, the patcher, and in clock mode `chosen` timers and interrupts.

An actor is a number: a core's own for Run and Fetch, the one above the cores for the patcher,
TICK_OF + core and DELIVER_OF + core for a core's Tick and Deliver.
"""

import numpy as np

from emu.machine import board, xapic_timer
from emu.machine.clock import CHOSEN
from emu.machine.native import jit
from emu.machine.run import can_move, deliverable, settle_machine
from emu.machine.state import (
    A_DEADLINE,
    C_STATE,
    CORE_HALTED,
    FOREVER,
    M_CLOCK,
    M_CLOCK_MODE,
    M_CORES,
    M_DELAYED_UNTIL,
    M_DEVICE_DEADLINE,
    M_PATCHER,
    M_WAIT_COUNT,
    State,
    Words,
)
from emu.machine.unicorn_cpu import interrupts_on

TICK_OF, DELIVER_OF = 16, 24
MAX_ACTORS = 32

PATCHER_ABSENT, PATCHER_READY, PATCHER_WAITS = range(3)  # of M_PATCHER


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
def enabled(s: State, actors: Words, ticks: bool) -> int:
    """Fill in the actors that can move, in ascending order; returns how many.

    ticks: with the Ticks among them; without, they are there if nobody else can move.
    While everybody sleeps, time passes at once, to the first timer that wakes somebody; if none
    does, nothing changes.
    """
    while True:
        count = _awake(s, actors, ticks)
        if count:
            return count
        if not pass_time(s):
            return 0


@jit
def pass_time(s: State) -> bool:
    """Let time pass to the next thing that may wake a core; returns whether there is one."""
    deadline = _next_wakeup(s)
    if deadline == FOREVER:
        return False
    s.m[M_CLOCK] = deadline
    settle_machine(s)
    return True


@jit
def nobody_can_move(s: State) -> bool:
    """Return whether nobody can move, and no timer or device will change that; has no effect."""
    actors = np.empty(MAX_ACTORS, np.int64)
    return _awake(s, actors, True) == 0 and _next_wakeup(s) == FOREVER


@jit
def _awake(s: State, actors: Words, ticks: bool) -> int:
    """Fill in the actors that can move as it is; returns how many."""
    count = 0
    for core in range(s.m[M_CORES]):
        if can_move(s, core):
            actors[count] = core
            count += 1
    if patcher_can_move(s):
        actors[count] = s.m[M_CORES]
        count += 1
    if s.m[M_CLOCK_MODE] == CHOSEN:
        count = _choices(s, actors, count, ticks)
    return count


@jit
def _choices(s: State, actors: Words, count: int, ticks: bool) -> int:
    """Append the enabled Ticks and Delivers of clock mode `chosen`; returns how many actors."""
    delivers = 0
    for core in range(s.m[M_CORES]):
        delivers += deliverable(s, core) != 0
    if ticks or count + delivers == 0:
        for core in range(s.m[M_CORES]):
            if xapic_timer.can_tick(s, core):
                actors[count] = TICK_OF + core
                count += 1
    for core in range(s.m[M_CORES]):
        if deliverable(s, core):
            actors[count] = DELIVER_OF + core
            count += 1
    return count


@jit
def _next_wakeup(s: State) -> int:
    """Return the virtual time of the first thing that may wake a core, or FOREVER.

    A device's next event need not be the one that does: then the caller asks again.
    """
    soonest = s.m[M_DELAYED_UNTIL]
    if s.m[M_CLOCK_MODE] == CHOSEN:
        return soonest
    if board.may_wake(s):
        soonest = min(soonest, s.m[M_DEVICE_DEADLINE])
    for core in range(s.m[M_CORES]):
        halted = s.core[core, C_STATE] == CORE_HALTED
        if halted and interrupts_on(s, core) and xapic_timer.timer_wakes(s, core):
            soonest = min(soonest, s.apic[core, A_DEADLINE])
    return soonest


@jit
def allowed(actors: Words, count: int, mask: int) -> int:
    """Keep the actors that a chooser may pick, by bit mask; returns how many.

    A core's bit holds for its Ticks and Delivers too.
    """
    kept = 0
    for index in range(count):
        actor = actors[index]
        if mask >> (actor if actor < TICK_OF else actor & 7) & 1:
            actors[kept] = actors[index]
            kept += 1
    return kept
