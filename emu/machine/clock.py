"""Virtual time. Only this file knows how it passes.

There is one counter for the machine. One retired instruction of any core is one virtual
nanosecond, and idle time is skipped to the next timer. So time is a function of what was
executed, and no wall clock reaches the guest.

While a slice runs, the clock stands at its start and the budget tells how far it got.
"""

from emu.machine.native import jit
from emu.machine.state import (
    M_BUDGET,
    M_CLOCK,
    M_SLICE,
    State,
)


@jit
def now(s: State) -> int:
    """Return the virtual time in ns, the instruction that runs included."""
    return s.m[M_CLOCK] + s.m[M_SLICE] - s.m[M_BUDGET]


@jit
def end_slice(s: State) -> int:
    """Move the clock to where the slice stopped; returns the instructions it executed."""
    executed = s.m[M_SLICE] - s.m[M_BUDGET]
    s.m[M_CLOCK] += executed
    s.m[M_SLICE] = s.m[M_BUDGET] = 0
    return executed
