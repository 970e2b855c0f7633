"""The devices of a PC together: switched on, and what they do by themselves as time passes.

`M_DEVICE_DEADLINE` is the earliest virtual time at which one of them has something to do: a
timer's output changes, a second ends, a timeout comes. A Run is cut there, so it happens at its
exact instant however the run is sliced.
"""

from emu.machine import chipset, i8042, ioapic, msr, pic, pit, pm, rtc, uart, xapic
from emu.machine.clock import CHOSEN
from emu.machine.native import jit
from emu.machine.state import (
    FOREVER,
    M_CLOCK,
    M_CLOCK_MODE,
    M_CORES,
    M_DEVICE_DEADLINE,
    M_SLICE,
    M_STOP_AFTER,
    STOP_FOR_TIMER,
    State,
)


@jit
def power_on(s: State) -> None:
    """Bring all devices to where a PC's firmware leaves them."""
    for core in range(s.m[M_CORES]):
        xapic.reset(s, core)
        msr.reset(s, core)
    xapic.firmware(s)
    ioapic.power_on(s)
    pit.power_on(s)
    rtc.power_on(s)
    uart.power_on(s)
    i8042.power_on(s)
    chipset.power_on(s)
    pm.power_on(s)
    pic.firmware(s)  # behind the devices: firmware has served what they asked for
    schedule(s)


@jit
def schedule(s: State) -> None:
    """Recompute the deadline, after anything that may have moved it.

    In clock mode `chosen` devices do nothing by themselves.
    """
    if s.m[M_CLOCK_MODE] == CHOSEN:
        s.m[M_DEVICE_DEADLINE] = FOREVER
        return
    deadline = min(s.pit[0, pit.PIT_DEADLINE], s.rtc[rtc.RTC_PERIODIC], s.rtc[rtc.RTC_UPDATE])
    deadline = min(deadline, s.uart[uart.UART_TIMEOUT], s.board[pm.BOARD_PM_OVERFLOW])
    s.m[M_DEVICE_DEADLINE] = deadline
    if deadline < s.m[M_CLOCK] + s.m[M_SLICE]:
        s.m[M_STOP_AFTER] |= STOP_FOR_TIMER


@jit
def expire(s: State) -> None:
    """Do all that is due by now, in the order of its times."""
    while s.m[M_DEVICE_DEADLINE] <= s.m[M_CLOCK]:
        time = s.m[M_DEVICE_DEADLINE]
        pit.expire(s, time)
        rtc.expire(s, time)
        uart.expire(s, time)
        pm.expire(s, time)
        schedule(s)


@jit
def may_wake(s: State) -> bool:
    """Return whether a device will, by and by, interrupt a halted core without being asked to."""
    return pit.may_wake(s) or rtc.may_wake(s) or uart.may_wake(s) or pm.may_wake(s)
