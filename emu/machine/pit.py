"""The 8254 interval timer: three channels at 1.193182 MHz, and port 0x61 beside it.

A channel is its count and the instant at which it was loaded; what it counts and puts out now
follows from the virtual time, exactly and without drift. Channel 0 drives IRQ0, channel 2 has
its gate and its output at port 0x61, channel 1 goes nowhere.

Modelled: the six modes, gates, reading on the fly, latched counts, the read-back command with
status, the null count flag, BCD. Sources: Intel 8254 data sheet (231164), "Operational
Description"; port 0x61 as in the PS/2's technical reference and QEMU 7.2 (hw/audio/pcspk.c):
the refresh bit toggles at every read.
Limits, all as in QEMU (hw/timer/i8254.c): a count takes effect when its last byte is written,
not at the next tick, nor at the end of the period in modes 2 and 3; the count of mode 3 falls
by two without correction for odd counts.
"""

from emu.machine import irq
from emu.machine.clock import device_time, ticks, time_of_tick
from emu.machine.native import jit
from emu.machine.state import FOREVER, State

HERTZ = 1_193_182
SPEAKER = 2  # the channel with a gate

(
    PIT_COUNT, PIT_LOADED, PIT_MODE, PIT_BCD, PIT_ACCESS, PIT_READ_HIGH, PIT_WRITE_HIGH, PIT_LOW,
    PIT_LATCH, PIT_LATCHED, PIT_STATUS, PIT_NULL, PIT_GATE, PIT_STOPPED, PIT_DEADLINE,
) = range(15)  # fmt: skip
# PIT_LOADED: virtual time, FOREVER while modes 1 and 5 wait for the gate. PIT_LATCHED: bytes of
# PIT_LATCH to be read, as an access mode, or 0. PIT_STATUS: a latched status, or -1. PIT_NULL: no
# count since the control word. PIT_STOPPED: ticks counted when the gate fell, or -1.
TIMES = (PIT_LOADED, PIT_DEADLINE)  # columns that hold virtual times

_LOW, _HIGH, _BOTH = 1, 2, 3  # access modes


@jit
def power_on(s: State) -> None:
    """Start all channels with the longest period, as SeaBIOS on QEMU 7.2 leaves them.

    Channel 0 is a rate generator of 18.2 Hz (SeaBIOS, src/hw/timer.c: pit_setup), the others are
    square waves from QEMU's reset.
    """
    for channel in range(3):
        s.pit[channel, PIT_COUNT], s.pit[channel, PIT_MODE] = 0x10000, 3 if channel else 2
        s.pit[channel, PIT_ACCESS] = _BOTH
        s.pit[channel, PIT_GATE] = channel != SPEAKER
        s.pit[channel, PIT_STATUS] = -1
        s.pit[channel, PIT_STOPPED] = 0 if channel == SPEAKER else -1
        s.pit[channel, PIT_DEADLINE] = FOREVER
        _follow(s, channel, 0)


@jit
def _elapsed(s: State, channel: int, time: int) -> int:
    """Return the ticks counted since the count was loaded, or -1 while it waits for its gate."""
    if s.pit[channel, PIT_STOPPED] >= 0:
        return s.pit[channel, PIT_STOPPED]
    if s.pit[channel, PIT_LOADED] == FOREVER:
        return -1
    return ticks(time - s.pit[channel, PIT_LOADED], HERTZ)


@jit
def _value(s: State, channel: int, time: int) -> int:
    """Return the counting element as it is read: 16 bits, or four digits."""
    count, mode = s.pit[channel, PIT_COUNT], s.pit[channel, PIT_MODE]
    passed = max(0, _elapsed(s, channel, time))
    if mode == 2:
        value = count - passed % count
    elif mode == 3:
        value = count - 2 * passed % count
    else:
        value = count - passed
    if not s.pit[channel, PIT_BCD]:
        return value & 0xFFFF
    value %= 10000
    return value % 10 | value // 10 % 10 << 4 | value // 100 % 10 << 8 | value // 1000 << 12


@jit
def output(s: State, channel: int, time: int) -> int:
    """Return the level of OUT."""
    count, mode = s.pit[channel, PIT_COUNT], s.pit[channel, PIT_MODE]
    passed = _elapsed(s, channel, time)
    if s.pit[channel, PIT_NULL]:
        return int(mode != 0)
    if mode == 0:
        return int(passed >= count)
    if mode == 1:
        return int(passed < 0 or passed >= count)
    if mode == 4 or mode == 5:
        return int(passed != count)
    if s.pit[channel, PIT_STOPPED] >= 0:
        return 1
    if mode == 2:
        return int(passed % count != count - 1)
    return int(passed % count < count + 1 >> 1)


@jit
def _next_change(s: State, channel: int, time: int) -> int:
    """Return the virtual time at which OUT changes next, or FOREVER."""
    count, mode = s.pit[channel, PIT_COUNT], s.pit[channel, PIT_MODE]
    passed = _elapsed(s, channel, time)
    if s.pit[channel, PIT_NULL] or s.pit[channel, PIT_STOPPED] >= 0 or passed < 0:
        return FOREVER
    if mode == 2 or mode == 3:
        first = count - 1 if mode == 2 else count + 1 >> 1
        position = passed % count
        tick = passed - position + (first if position < first else count)
    elif passed < count:
        tick = count
    elif passed == count and mode >= 4:
        tick = count + 1
    else:
        return FOREVER
    return s.pit[channel, PIT_LOADED] + time_of_tick(tick, HERTZ)


@jit
def _follow(s: State, channel: int, time: int) -> None:
    """Let what hangs on OUT follow it: IRQ0 on channel 0."""
    if channel == 0:
        irq.set_irq(s, irq.TIMER, output(s, 0, time))
        s.pit[0, PIT_DEADLINE] = _next_change(s, 0, time)


@jit
def expire(s: State, time: int) -> None:
    """Change IRQ0 if that is due."""
    if s.pit[0, PIT_DEADLINE] <= time:
        _follow(s, 0, time)


@jit
def may_wake(s: State) -> bool:
    """Return whether channel 0 will interrupt a halted core."""
    return s.pit[0, PIT_DEADLINE] != FOREVER and irq.would_wake(s, irq.TIMER)


@jit
def _load(s: State, channel: int, value: int) -> None:
    """Take a new count."""
    mode = s.pit[channel, PIT_MODE]
    if s.pit[channel, PIT_BCD]:
        value = value % 16 + value // 16 % 16 * 10 + value // 256 % 16 * 100 + value // 4096 * 1000
    most = 10000 if s.pit[channel, PIT_BCD] else 0x10000
    s.pit[channel, PIT_COUNT], s.pit[channel, PIT_NULL] = value or most, 0
    triggered = mode == 1 or mode == 5
    s.pit[channel, PIT_LOADED] = FOREVER if triggered else device_time(s)
    s.pit[channel, PIT_STOPPED] = -1 if triggered or s.pit[channel, PIT_GATE] else 0
    _follow(s, channel, device_time(s))


@jit
def set_gate(s: State, level: int) -> None:
    """Bring the gate of channel 2 to a level, 0 or 1."""
    channel, mode, time = SPEAKER, s.pit[SPEAKER, PIT_MODE], device_time(s)
    before = s.pit[channel, PIT_GATE]
    s.pit[channel, PIT_GATE] = level
    if level == before:
        return
    triggered = mode == 1 or mode == 5
    if level and (triggered or mode == 2 or mode == 3):
        s.pit[channel, PIT_LOADED], s.pit[channel, PIT_STOPPED] = time, -1
    elif level:
        counted = s.pit[channel, PIT_STOPPED]
        s.pit[channel, PIT_LOADED] = time - time_of_tick(counted, HERTZ)
        s.pit[channel, PIT_STOPPED] = -1
    elif not triggered:
        s.pit[channel, PIT_STOPPED] = _elapsed(s, channel, time)


@jit
def _latch_count(s: State, channel: int) -> None:
    if not s.pit[channel, PIT_LATCHED]:
        s.pit[channel, PIT_LATCH] = _value(s, channel, device_time(s))
        s.pit[channel, PIT_LATCHED] = s.pit[channel, PIT_ACCESS]


@jit
def _latch_status(s: State, channel: int) -> None:
    if s.pit[channel, PIT_STATUS] < 0:
        status = output(s, channel, device_time(s)) << 7 | s.pit[channel, PIT_NULL] << 6
        status |= s.pit[channel, PIT_ACCESS] << 4 | s.pit[channel, PIT_MODE] << 1
        s.pit[channel, PIT_STATUS] = status | s.pit[channel, PIT_BCD]


@jit
def _control(s: State, word: int) -> None:
    """The control word: read-back command, counter latch command, or a mode."""
    channel, access = word >> 6, word >> 4 & 3
    if channel == 3:
        for chosen in range(3):
            if word >> chosen + 1 & 1:
                if not word & 0x20:
                    _latch_count(s, chosen)
                if not word & 0x10:
                    _latch_status(s, chosen)
        return
    if access == 0:
        _latch_count(s, channel)
        return
    mode = word >> 1 & 7
    s.pit[channel, PIT_MODE] = mode if mode < 6 else mode - 4
    s.pit[channel, PIT_BCD], s.pit[channel, PIT_ACCESS] = word & 1, access
    s.pit[channel, PIT_READ_HIGH] = s.pit[channel, PIT_WRITE_HIGH] = int(access == _HIGH)
    s.pit[channel, PIT_LATCHED], s.pit[channel, PIT_NULL] = 0, 1
    s.pit[channel, PIT_STATUS] = -1
    _follow(s, channel, device_time(s))


@jit
def write(s: State, register: int, value: int) -> None:
    """Store a byte at port 0x40 + register."""
    if register == 3:
        _control(s, value)
        return
    channel, access = register, s.pit[register, PIT_ACCESS]
    if access == _LOW:
        _load(s, channel, value)
    elif access == _HIGH:
        _load(s, channel, value << 8)
    elif s.pit[channel, PIT_WRITE_HIGH]:
        s.pit[channel, PIT_WRITE_HIGH] = 0
        _load(s, channel, s.pit[channel, PIT_LOW] | value << 8)
    else:
        s.pit[channel, PIT_WRITE_HIGH], s.pit[channel, PIT_LOW] = 1, value
        if s.pit[channel, PIT_MODE] == 0:  # the first byte stops mode 0
            s.pit[channel, PIT_NULL] = 1
            _follow(s, channel, device_time(s))


@jit
def read(s: State, register: int) -> int:
    """Load a byte from port 0x40 + register."""
    if register == 3:
        return 0  # write-only; QEMU's value
    channel = register
    status = s.pit[channel, PIT_STATUS]
    if status >= 0:
        s.pit[channel, PIT_STATUS] = -1
        return status
    latched = s.pit[channel, PIT_LATCHED]
    if latched:
        s.pit[channel, PIT_LATCHED] = _HIGH if latched == _BOTH else 0
        return s.pit[channel, PIT_LATCH] >> (8 if latched == _HIGH else 0) & 0xFF
    high = s.pit[channel, PIT_READ_HIGH]
    if s.pit[channel, PIT_ACCESS] == _BOTH:
        s.pit[channel, PIT_READ_HIGH] = 1 - high
    return _value(s, channel, device_time(s)) >> 8 * high & 0xFF
