"""The MC146818 real-time clock: time of day, alarm, three interrupts, and 128 bytes of CMOS.

The clock is in its registers, as on the chip: once a second it counts on in the format that
register B tells. It starts at 2000-01-01 00:00:00, a Saturday, for no clock of the host reaches
the guest. The CMOS bytes say what firmware says on QEMU's `pc`: the sizes of memory, the number
of cores, that there is an FPU.

Sources: Motorola MC146818A data sheet; QEMU 7.2 (hw/rtc/mc146818rtc.c, hw/i386/pc.c) for the
CMOS bytes, the century in byte 0x32 (and 0x37), a period that begins when its interrupt is
enabled, and UIP in the last 244 us of a second.
Limits: no square wave, no daylight saving; the periodic flag only with its interrupt enabled
(as in QEMU); the NMI mask of port 0x70 is ignored.
"""

from emu.machine import irq
from emu.machine.clock import device_time, ticks, time_of_tick
from emu.machine.native import jit
from emu.machine.state import FOREVER, M_CORES, M_RAM_SIZE, State

HERTZ = 32_768
BYTES = 128  # columns 0 to 127 are the registers and the CMOS memory
RTC_INDEX, RTC_PERIODIC, RTC_UPDATE = 128, 129, 130  # register selected; next events
TIMES = (RTC_PERIODIC, RTC_UPDATE)  # columns that hold virtual times

_SECONDS, _MINUTES, _HOURS, _WEEKDAY, _DAY, _MONTH, _YEAR = 0, 2, 4, 6, 7, 8, 9
_A, _B, _C, _D, _CENTURY, _CENTURY_ALIAS = 10, 11, 12, 13, 0x32, 0x37
_UPDATING = 0x80  # of A
_SET, _PERIODIC, _ALARM, _UPDATE, _BINARY, _HOURS_24 = 0x80, 0x40, 0x20, 0x10, 0x04, 0x02  # of B
_REQUEST = 0x80  # of C
_AFTERNOON = 0x80  # of the hours, when they are counted to 12
_ANY = 0xC0  # an alarm byte with these bits matches always
_SECOND, _UPDATE_HELD = 1_000_000_000, 244_140  # ns
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@jit
def power_on(s: State) -> None:
    """Set the clock, and fill in what firmware tells about the machine."""
    s.rtc[_DAY] = s.rtc[_MONTH] = 0x01
    s.rtc[_WEEKDAY], s.rtc[_CENTURY] = 0x07, 0x20
    s.rtc[_A], s.rtc[_B], s.rtc[_D] = 0x26, _HOURS_24, 0x80
    s.rtc[RTC_PERIODIC], s.rtc[RTC_UPDATE] = FOREVER, _SECOND
    _word(s, 0x15, 640)  # KiB of base memory
    extended = min((s.m[M_RAM_SIZE] >> 10) - 1024, 0xFFFF)  # KiB above 1 MiB
    _word(s, 0x17, extended)
    _word(s, 0x30, extended)
    _word(s, 0x34, min(max((s.m[M_RAM_SIZE] >> 16) - 256, 0), 0xFFFF))  # 64 KiB above 16 MiB
    s.rtc[0x14] = 0x02  # equipment: an FPU
    s.rtc[0x5F] = s.m[M_CORES] - 1


@jit
def _word(s: State, at: int, value: int) -> None:
    s.rtc[at], s.rtc[at + 1] = value & 0xFF, value >> 8


# --- counting --------------------------------------------------------------------------------


@jit
def _decoded(s: State, value: int) -> int:
    """Return the number that a byte of the clock stands for."""
    return value if s.rtc[_B] & _BINARY else (value >> 4) * 10 + (value & 0xF)


@jit
def _encoded(s: State, number: int) -> int:
    return number if s.rtc[_B] & _BINARY else number // 10 << 4 | number % 10


@jit
def _hour(s: State, value: int) -> int:
    """Return the hour, 0 to 23, that a byte stands for."""
    if s.rtc[_B] & _HOURS_24:
        return _decoded(s, value)
    return _decoded(s, value & 0x7F) % 12 + (12 if value & _AFTERNOON else 0)


@jit
def _set_hour(s: State, hour: int) -> None:
    if s.rtc[_B] & _HOURS_24:
        s.rtc[_HOURS] = _encoded(s, hour)
    else:
        s.rtc[_HOURS] = _encoded(s, (hour + 11) % 12 + 1) | (_AFTERNOON if hour >= 12 else 0)


@jit
def _days_in_month(s: State) -> int:
    month = _decoded(s, s.rtc[_MONTH])
    year = 100 * _decoded(s, s.rtc[_CENTURY]) + _decoded(s, s.rtc[_YEAR])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and leap:
        return 29
    return _DAYS[month - 1] if 1 <= month <= 12 else 31


@jit
def _step(s: State, register: int, first: int, end: int) -> bool:
    """Count a register on; returns whether it went past its end and began again."""
    number = _decoded(s, s.rtc[register]) + 1
    s.rtc[register] = _encoded(s, first if number >= end else number)
    return number >= end


@jit
def _count_second(s: State) -> None:
    """Let the clock count one second."""
    if not _step(s, _SECONDS, 0, 60) or not _step(s, _MINUTES, 0, 60):
        return
    hour = _hour(s, s.rtc[_HOURS]) + 1
    _set_hour(s, hour % 24)
    if hour < 24:
        return
    _step(s, _WEEKDAY, 1, 8)
    if not _step(s, _DAY, 1, _days_in_month(s) + 1) or not _step(s, _MONTH, 1, 13):
        return
    if _step(s, _YEAR, 0, 100):
        _step(s, _CENTURY, 0, 100)


@jit
def _alarm_matches(s: State) -> bool:
    for register in (_SECONDS, _MINUTES, _HOURS):
        alarm = s.rtc[register + 1]
        if alarm & _ANY != _ANY and alarm != s.rtc[register]:
            return False
    return True


@jit
def _alarm_can_match(s: State) -> bool:
    """Return whether the alarm names a time of day that comes."""
    possible = True
    for register, end in ((_SECONDS, 60), (_MINUTES, 60), (_HOURS, 24)):
        alarm = s.rtc[register + 1]
        number = _hour(s, alarm) if register == _HOURS else _decoded(s, alarm)
        canonical = _encoded(s, _decoded(s, alarm & 0x7F)) == alarm & 0x7F
        possible = possible and (alarm & _ANY == _ANY or (number < end and canonical))
    return possible


# --- interrupts ------------------------------------------------------------------------------


@jit
def _flag(s: State, flags: int) -> None:
    """Set flags of register C, and the interrupt line as they and register B have it."""
    s.rtc[_C] = s.rtc[_C] & ~_REQUEST | flags
    requested = s.rtc[_C] & s.rtc[_B] & (_PERIODIC | _ALARM | _UPDATE)
    if requested:
        s.rtc[_C] |= _REQUEST
    irq.set_irq(s, irq.RTC, int(requested != 0))


@jit
def _period(s: State) -> int:
    """Return the period of the periodic interrupt in ticks of 32768 Hz, or 0."""
    rate = s.rtc[_A] & 0xF
    if rate == 0 or not s.rtc[_B] & _PERIODIC:
        return 0
    return 1 << (rate + 7 if rate < 3 else rate) - 1


@jit
def _start_period(s: State) -> None:
    period, time = _period(s), device_time(s)
    s.rtc[RTC_PERIODIC] = FOREVER
    if period:
        s.rtc[RTC_PERIODIC] = time_of_tick(ticks(time, HERTZ) + period, HERTZ)


@jit
def _stopped(s: State) -> bool:
    """Return whether the divider is held in reset."""
    return s.rtc[_A] & 0x60 == 0x60


@jit
def expire(s: State, time: int) -> None:
    """Do what is due: a periodic interrupt, the end of a second."""
    if s.rtc[RTC_PERIODIC] <= time:
        tick = ticks(s.rtc[RTC_PERIODIC], HERTZ) + _period(s)
        s.rtc[RTC_PERIODIC] = time_of_tick(tick, HERTZ)
        _flag(s, _PERIODIC)
    if s.rtc[RTC_UPDATE] <= time:
        s.rtc[RTC_UPDATE] += _SECOND
        if not s.rtc[_B] & _SET:
            _count_second(s)
            _flag(s, _UPDATE | (_ALARM if _alarm_matches(s) else 0))


@jit
def may_wake(s: State) -> bool:
    """Return whether the clock will interrupt a halted core."""
    running = not s.rtc[_B] & _SET and s.rtc[RTC_UPDATE] != FOREVER
    due = s.rtc[RTC_PERIODIC] != FOREVER
    due = due or (running and s.rtc[_B] & _UPDATE != 0)
    due = due or (running and s.rtc[_B] & _ALARM != 0 and _alarm_can_match(s))
    return due and not s.rtc[_C] & _REQUEST and irq.would_wake(s, irq.RTC)


# --- ports 0x70 and 0x71 ---------------------------------------------------------------------


@jit
def select(s: State, index: int) -> None:
    """Select the register that port 0x71 stands for."""
    index &= BYTES - 1
    s.rtc[RTC_INDEX] = _CENTURY if index == _CENTURY_ALIAS else index


@jit
def _write_a(s: State, value: int) -> None:
    stopped, rate = _stopped(s), s.rtc[_A] & 0xF
    s.rtc[_A] = value & ~_UPDATING
    if _stopped(s):
        s.rtc[RTC_UPDATE] = FOREVER
    elif stopped:
        s.rtc[RTC_UPDATE] = device_time(s) + _SECOND // 2  # data sheet, "Divider Control"
    if value & 0xF != rate:
        _start_period(s)


@jit
def _write_b(s: State, value: int) -> None:
    before = s.rtc[_B]
    s.rtc[_B] = value & ~_UPDATE if value & _SET else value
    if (value ^ before) & _PERIODIC:
        _start_period(s)
    _flag(s, 0)


@jit
def write(s: State, value: int) -> None:
    """Store a byte at port 0x71."""
    register = s.rtc[RTC_INDEX]
    if register == _A:
        _write_a(s, value)
    elif register == _B:
        _write_b(s, value)
    elif register != _C and register != _D:
        s.rtc[register] = value


@jit
def read(s: State) -> int:
    """Load a byte from port 0x71."""
    register = s.rtc[RTC_INDEX]
    value = s.rtc[register]
    if register == _A:
        soon = s.rtc[RTC_UPDATE] != FOREVER and s.rtc[RTC_UPDATE] - device_time(s) <= _UPDATE_HELD
        return value | (_UPDATING if soon and not s.rtc[_B] & _SET else 0)
    if register == _C:
        s.rtc[_C] = 0
        irq.set_irq(s, irq.RTC, 0)
    return value
