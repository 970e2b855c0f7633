"""The timer of a local APIC, one-shot and periodic: one tick of virtual time, divided as told."""

from emu.machine.clock import ARMED, deadline_in, now
from emu.machine.native import jit
from emu.machine.state import (
    A_DEADLINE,
    A_DIVIDE,
    A_INITIAL,
    A_LVT_TIMER,
    A_STARTED,
    FOREVER,
    State,
)
from emu.machine.xapic import MASKED, request, would_take

PERIODIC = 1 << 17


@jit
def _divider(s: State, core: int) -> int:
    code = s.apic[core, A_DIVIDE]
    power = ((code & 8) >> 1 | (code & 3)) + 1
    return 1 if power == 8 else 1 << power


@jit
def start_timer(s: State, core: int) -> None:
    """Let the timer count from its initial count, 0 for not at all."""
    initial = s.apic[core, A_INITIAL]
    duration = initial * _divider(s, core)
    s.apic[core, A_STARTED] = now(s)
    s.apic[core, A_DEADLINE] = deadline_in(s, duration) if initial else FOREVER


@jit
def current_count(s: State, core: int) -> int:
    """Return what the timer has still to count."""
    if s.apic[core, A_DEADLINE] == FOREVER:
        return 0
    if s.apic[core, A_DEADLINE] == ARMED:  # in clock mode `chosen` counters stand still
        return s.apic[core, A_INITIAL]
    return (s.apic[core, A_DEADLINE] - now(s)) // _divider(s, core)


@jit
def expire_timer(s: State, core: int, time: int) -> None:
    """Let the timer fire if its deadline has come."""
    deadline = s.apic[core, A_DEADLINE]
    if deadline > time:
        return
    entry = s.apic[core, A_LVT_TIMER]
    if entry & PERIODIC:
        period = s.apic[core, A_INITIAL] * _divider(s, core)
        s.apic[core, A_DEADLINE] = deadline + ((time - deadline) // period + 1) * period
    else:
        s.apic[core, A_DEADLINE] = FOREVER
    if not entry & MASKED:
        request(s, core, entry & 0xFF, 0)


@jit
def can_tick(s: State, core: int) -> bool:
    """Return whether the move Tick is enabled: the timer runs and would interrupt."""
    return s.apic[core, A_DEADLINE] == ARMED and not s.apic[core, A_LVT_TIMER] & MASKED


@jit
def tick(s: State, core: int) -> None:
    """Let the timer expire because a move says so."""
    entry = s.apic[core, A_LVT_TIMER]
    if not entry & PERIODIC:
        s.apic[core, A_DEADLINE] = FOREVER
    request(s, core, entry & 0xFF, 0)


@jit
def timer_wakes(s: State, core: int) -> bool:
    """Return whether the timer, when it fires, interrupts a core that has interrupts on."""
    entry = s.apic[core, A_LVT_TIMER]
    armed = s.apic[core, A_DEADLINE] != FOREVER and not entry & MASKED
    return bool(armed and would_take(s, core, entry & 0xFF))
