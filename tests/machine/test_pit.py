"""The 8254: counts and output against the formulas of its data sheet, in exact fractions."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.machine import pit
from emu.machine.clock import ticks, time_of_tick
from emu.machine.state import FOREVER, M_DEVICE_DEADLINE
from tests.machine.bench import Bench

HERTZ = 1_193_182
TICK = Fraction(10**9, HERTZ)
SECOND = 10**9


def load(bench: Bench, channel: int, mode: int, count: int, *, bcd: int = 0) -> None:
    bench.outb(0x43, channel << 6 | 0x30 | mode << 1 | bcd)
    bench.outb(0x40 + channel, count & 0xFF, count >> 8)


def latched(bench: Bench, channel: int) -> int:
    bench.outb(0x43, channel << 6)
    return bench.inb(0x40 + channel) | bench.inb(0x40 + channel) << 8


def status(bench: Bench, channel: int) -> int:
    bench.outb(0x43, 0xE0 | 2 << channel)
    return bench.inb(0x40 + channel)


@given(duration=st.integers(0, FOREVER), hertz=st.sampled_from([HERTZ, 3_579_545, 32_768]))
def test_ticks_are_exact_however_late(duration: int, hertz: int) -> None:
    assert ticks(duration, hertz) == duration * hertz // SECOND
    tick = duration * hertz // SECOND
    assert time_of_tick(tick, hertz) == -(-tick * SECOND // hertz) <= duration


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from([0, 2, 3, 4]),
    count=st.integers(2, 0x10000),
    start=st.integers(0, 10**13),
    after=st.integers(0, 10**10),
)
def test_count_and_output_follow_the_formula(mode: int, count: int, start: int, after: int) -> None:
    bench = Bench()
    bench.outb(0x61, 1)
    bench.quiet_timer()
    bench.wait(start)
    load(bench, 2, mode, count & 0xFFFF)
    bench.wait(after)
    passed = floor(after / TICK)
    value = {
        0: count - passed, 4: count - passed,
        2: count - passed % count, 3: count - 2 * passed % count,
    }[mode]  # fmt: skip
    out = {
        0: passed >= count, 4: passed != count,
        2: passed % count != count - 1, 3: passed % count < (count + 1) // 2,
    }[mode]  # fmt: skip
    assert latched(bench, 2) == value & 0xFFFF
    assert bench.inb(0x61) >> 5 & 1 == out
    assert status(bench, 2) == out << 7 | 0x30 | mode << 1


@pytest.mark.parametrize(("mode", "rises"), [
    (0, [1000]), (2, [1000, 2000, 3000, 4000]), (3, [1000, 2000, 3000, 4000]), (4, [1001]),
])  # fmt: skip
def test_irq0_rises_at_the_exact_nanosecond(mode: int, rises: list[int]) -> None:
    bench = Bench()
    bench.wait(123_456_789)
    load(bench, 0, mode, 1000)
    start, seen = bench.now, []
    level = bool(pit.output(bench.state, 0, bench.now))
    while bench.state.m[M_DEVICE_DEADLINE] <= start + ceil(4500 * TICK):
        bench.wait(int(bench.state.m[M_DEVICE_DEADLINE]) - bench.now)
        was, level = level, bool(bench.state.pic[0, 0] & 1)
        assert level == bool(pit.output(bench.state, 0, bench.now))
        if level and not was:
            seen.append(bench.now - start)
    assert seen == [ceil(tick * TICK) for tick in rises]


def test_a_day_of_periods_does_not_drift() -> None:
    bench = Bench()
    load(bench, 0, 2, 0)
    start = bench.now
    bench.wait(86_400 * SECOND)
    assert 0x10000 - latched(bench, 0) == floor((bench.now - start) / TICK) % 0x10000


def test_at_power_on_it_runs_as_firmware_leaves_it() -> None:
    """18.2 Hz, and the first tick is still to come."""
    bench = Bench()
    assert status(bench, 0) == 0xB4
    assert status(bench, 2) & 0x3F == 0x36
    assert not bench.irq(0)
    bench.wait(ceil(0x10000 * TICK) - 1)
    assert (status(bench, 0), bench.intr) == (0x34, 0)
    bench.wait(1)
    assert (status(bench, 0), bench.intr) == (0xB4, 1)


@pytest.mark.parametrize("mode", [0, 4])
def test_the_gate_stops_and_continues(mode: int) -> None:
    bench = Bench()
    bench.outb(0x61, 1)
    load(bench, 2, mode, 1000)
    bench.wait(ceil(300 * TICK))
    bench.outb(0x61, 0)
    bench.wait(SECOND)
    assert latched(bench, 2) == 700
    bench.outb(0x61, 1)
    bench.wait(ceil(100 * TICK))
    assert latched(bench, 2) == 600


@pytest.mark.parametrize("mode", [2, 3])
def test_the_gate_restarts_the_periodic_modes(mode: int) -> None:
    bench = Bench()
    bench.outb(0x61, 1)
    load(bench, 2, mode, 1000)
    bench.wait(ceil(700 * TICK))
    bench.outb(0x61, 0)
    assert bench.inb(0x61) & 0x20
    bench.outb(0x61, 1)
    assert latched(bench, 2) == 1000


@pytest.mark.parametrize(("mode", "during"), [(1, 0), (5, 1)])
def test_the_gate_triggers_the_one_shots(mode: int, during: int) -> None:
    bench = Bench()
    load(bench, 2, mode, 1000)
    bench.wait(SECOND)
    assert bench.inb(0x61) & 0x20
    for _ in range(2):
        bench.outb(0x61, 1)
        bench.wait(ceil(400 * TICK))
        assert latched(bench, 2) == 600
        assert bench.inb(0x61) >> 5 & 1 == during
        bench.outb(0x61, 0)
    bench.wait(ceil(600 * TICK))
    assert bench.inb(0x61) >> 5 & 1 == 1 - during
    bench.wait(ceil(TICK))
    assert bench.inb(0x61) & 0x20


def test_digits_count_decimally() -> None:
    bench = Bench()
    bench.outb(0x61, 1)
    load(bench, 2, 0, 0x1234, bcd=1)
    bench.wait(ceil(235 * TICK))
    assert latched(bench, 2) == 0x0999
    bench.wait(ceil(1000 * TICK))
    assert latched(bench, 2) == 0x9999
    load(bench, 2, 2, 0, bcd=1)
    bench.wait(ceil(1 * TICK))
    assert latched(bench, 2) == 0x9999


def test_status_tells_whether_the_count_was_loaded() -> None:
    bench = Bench()
    bench.outb(0x43, 0xB4)
    assert status(bench, 2) == 0xF4
    bench.outb(0x42, 10)
    assert status(bench, 2) == 0xF4
    bench.outb(0x42, 0)
    assert status(bench, 2) == 0xB4


def test_the_first_byte_of_a_count_stops_mode_0() -> None:
    bench = Bench()
    load(bench, 0, 0, 10)
    bench.outb(0x40, 20)
    bench.wait(SECOND)
    assert status(bench, 0) == 0x70
    bench.outb(0x40, 0)
    assert bench.state.m[M_DEVICE_DEADLINE] == bench.now + ceil(20 * TICK)


def test_what_is_latched_is_read_first_and_once() -> None:
    bench = Bench()
    bench.outb(0x61, 1)
    load(bench, 2, 0, 5000)
    bench.outb(0x43, 0xC8)  # count and status
    bench.wait(ceil(100 * TICK))
    bench.outb(0x43, 0xC8)
    assert [bench.inb(0x42) for _ in range(3)] == [0x30, 5000 & 0xFF, 5000 >> 8]
    assert bench.inb(0x42) | bench.inb(0x42) << 8 == 4900
    bench.outb(0x43, 0xA4)  # the high byte alone
    bench.outb(0x42, 2)
    assert bench.inb(0x42) == 2
    bench.wait(ceil(TICK))
    assert bench.inb(0x42) == 1


def test_port_61_keeps_two_bits_and_shows_the_refresh() -> None:
    bench = Bench()
    bench.outb(0x61, 0xFF)
    assert bench.inb(0x61) & 0x0F == 3
    assert bench.inb(0x61) & 0x10 != bench.inb(0x61) & 0x10
