"""Virtual time. Only this file knows how it passes.

There is one counter for the machine, and no wall clock reaches the guest. While a slice runs, the
counter stands at its start and the budget tells how far it got. There are two modes:

* `counted`, for boot, demos and Linux: one retired instruction of any core is one virtual
  nanosecond, and idle time is skipped to the next timer. Timers expire by themselves.
* `chosen`, for the explorer: nothing expires by itself; ticks and deliveries are moves. What the
  guest can read is no time at all: RDTSC returns how often the core has read it, and counters of
  devices stand still, so that the same state goes on alike whenever it is reached. The counter of
  the machine still says how many instructions were executed.
"""

from emu.machine.native import jit
from emu.machine.state import (
    C_TIME_READS,
    FOREVER,
    M_BUDGET,
    M_CLOCK,
    M_CLOCK_MODE,
    M_SLICE,
    State,
)

_SECOND = 1_000_000_000  # in ns

COUNTED, CHOSEN = range(2)  # the order of emu.moves.move.CLOCKS

HERTZ = _SECOND
"""How often the TSC and, undivided, the timers of the APICs count in a virtual second."""

ARMED = FOREVER - 1
"""The deadline of a timer that expires when a move says so."""


@jit
def now(s: State) -> int:
    """Return the virtual time in ns, the instruction that runs included."""
    return s.m[M_CLOCK] + s.m[M_SLICE] - s.m[M_BUDGET]


@jit
def device_time(s: State) -> int:
    """Return the virtual time in ns that devices count by."""
    return now(s) if s.m[M_CLOCK_MODE] == COUNTED else 0


@jit
def time_stamp(s: State, core: int) -> int:
    """Return what RDTSC reads on a core."""
    if s.m[M_CLOCK_MODE] == COUNTED:
        return now(s)
    s.core[core, C_TIME_READS] += 1
    return s.core[core, C_TIME_READS]


@jit
def deadline_in(s: State, duration: int) -> int:
    """Return the deadline of a timer that is started now for this many virtual ns."""
    return now(s) + duration if s.m[M_CLOCK_MODE] == COUNTED else ARMED


@jit
def end_slice(s: State) -> int:
    """Move the clock to where the slice stopped; returns the instructions it executed."""
    executed = s.m[M_SLICE] - s.m[M_BUDGET]
    s.m[M_CLOCK] += executed
    s.m[M_SLICE] = s.m[M_BUDGET] = 0
    return executed


@jit
def ticks(duration: int, hertz: int) -> int:
    """Return how many whole periods of a frequency lie in a duration in ns.

    Exact for every duration and frequencies to 1 GHz: nothing drifts, nothing overflows.
    """
    return duration // _SECOND * hertz + duration % _SECOND * hertz // _SECOND


@jit
def time_of_tick(tick: int, hertz: int) -> int:
    """Return the least duration in ns that has this many whole periods of a frequency."""
    return tick // hertz * _SECOND + (tick % hertz * _SECOND + hertz - 1) // hertz
