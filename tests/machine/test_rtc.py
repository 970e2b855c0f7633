"""The MC146818: its calendar against Python's, alarms, flags and the periodic interrupt."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machine.bench import RAM, Bench

SECOND = 10**9
A, B, C, D, CENTURY = 10, 11, 12, 13, 0x32
SET, PIE, AIE, UIE, BINARY, H24 = 0x80, 0x40, 0x20, 0x10, 4, 2


def get(bench: Bench, register: int) -> int:
    bench.outb(0x70, register)
    return bench.inb(0x71)


def put(bench: Bench, register: int, value: int) -> None:
    bench.outb(0x70, register)
    bench.outb(0x71, value)


def encoded(number: int, form: int) -> int:
    return number if form & BINARY else number // 10 << 4 | number % 10


def registers(when: datetime, form: int) -> dict[int, int]:
    hour = when.hour if form & H24 else (when.hour + 11) % 12 + 1
    values = {
        0: when.second, 2: when.minute, 4: hour, 6: when.isoweekday() % 7 + 1, 7: when.day,
        8: when.month, 9: when.year % 100, CENTURY: when.year // 100,
    }  # fmt: skip
    bytes_ = {register: encoded(value, form) for register, value in values.items()}
    if not form & H24 and when.hour >= 12:
        bytes_[4] |= 0x80
    return bytes_


def set_clock(bench: Bench, when: datetime, form: int) -> None:
    put(bench, B, SET | form)
    for register, value in registers(when, form).items():
        put(bench, register, value)
    put(bench, B, form)


def test_it_starts_in_2000() -> None:
    bench = Bench(cores=3)
    assert {
        r: get(bench, r) for r in registers(datetime(2000, 1, 1, tzinfo=UTC), H24)
    } == registers(datetime(2000, 1, 1, tzinfo=UTC), H24)
    assert [get(bench, r) for r in (A, B, C, D)] == [0x26, 0x02, 0, 0x80]


def test_the_cmos_tells_of_memory_and_cores() -> None:
    bench = Bench(cores=3)
    assert get(bench, 0x15) | get(bench, 0x16) << 8 == 640
    assert get(bench, 0x30) | get(bench, 0x31) << 8 == (RAM >> 10) - 1024
    assert get(bench, 0x34) | get(bench, 0x35) << 8 == (RAM - (16 << 20)) >> 16
    assert get(bench, 0x5F) == 2
    put(bench, 0x7F, 0x5A)
    assert get(bench, 0xFF) == 0x5A
    assert get(bench, 0x37) == get(bench, CENTURY) == 0x20


@settings(max_examples=60, deadline=None)
@given(
    when=st.integers(0, 430 * 365 * 86_400).map(
        lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
    seconds=st.sampled_from([1, 59, 60, 3599, 3600, 86_400, 100_000, 7 * 86_400]),
    form=st.sampled_from([0, BINARY, H24, BINARY | H24]),
)
def test_it_counts_as_the_calendar_does(when: datetime, seconds: int, form: int) -> None:
    bench = Bench()
    bench.quiet_timer()
    set_clock(bench, when, form)
    bench.wait(seconds * SECOND)
    expected = registers(when + timedelta(seconds=seconds), form)
    assert {register: get(bench, register) for register in expected} == expected


def test_setting_it_holds_it_and_keeps_the_phase() -> None:
    bench = Bench()
    bench.wait(300_000_000)
    put(bench, B, SET | H24)
    bench.wait(5 * SECOND)
    assert get(bench, 0) == 0
    put(bench, B, H24)
    bench.wait(SECOND * 7 // 10 - 1)
    assert get(bench, 0) == 0
    bench.wait(1)
    assert get(bench, 0) == 1


def test_uip_is_set_in_the_last_244_us() -> None:
    bench = Bench()
    bench.wait(SECOND - 244_141)
    assert not get(bench, A) & 0x80
    bench.wait(1)
    assert get(bench, A) & 0x80
    bench.wait(244_140)
    assert not get(bench, A) & 0x80


def test_a_stopped_divider_goes_on_half_a_second_later() -> None:
    bench = Bench()
    put(bench, A, 0x76)
    bench.wait(10 * SECOND)
    assert get(bench, 0) == 0
    put(bench, A, 0x26)
    bench.wait(SECOND // 2 - 1)
    assert get(bench, 0) == 0
    bench.wait(1)
    assert get(bench, 0) == 1


@pytest.mark.parametrize("rate", range(1, 16))
def test_the_periodic_interrupt_keeps_its_rate(rate: int) -> None:
    ticks = 1 << (rate + 7 if rate < 3 else rate) - 1
    bench = Bench()
    bench.start_pics()
    bench.wait(777_777)
    put(bench, A, 0x20 | rate)
    put(bench, B, H24 | PIE)
    first = bench.now * 32_768 // SECOND
    for number in range(1, 5):
        due = -(-(first + number * ticks) * SECOND // 32_768)
        bench.wait(due - 1 - bench.now)
        assert not get(bench, C) & 0x40
        bench.wait(1)
        assert get(bench, C) & 0xC0 == 0xC0
    put(bench, B, H24)
    bench.wait(5 * SECOND)
    assert not get(bench, C) & 0x40


def test_flags_raise_the_line_until_c_is_read() -> None:
    bench = Bench()
    bench.start_pics()
    put(bench, B, H24 | UIE)
    bench.wait(SECOND)
    assert bench.irq(8)
    assert bench.state.pic[1, 0] & 1
    assert get(bench, C) == 0x90
    assert not bench.state.pic[1, 0] & 1
    put(bench, B, H24)
    bench.wait(SECOND)
    assert get(bench, C) == 0x10
    bench.wait(SECOND)
    put(bench, B, H24 | UIE)  # enabled late: at once
    assert get(bench, C) == 0x90


@pytest.mark.parametrize(("alarm", "times"), [
    ((0x05, 0x00, 0x12), [5]), ((0xFF, 0xC0, 0xFF), [*range(1, 101)]),
    ((0x10, 0xFF, 0x12), [10, 70]), ((0x00, 0x01, 0xFF), [60]), ((0x7A, 0xFF, 0xFF), []),
])  # fmt: skip
def test_the_alarm_comes_when_it_should(alarm: tuple[int, ...], times: list[int]) -> None:
    bench = Bench()
    set_clock(bench, datetime(2020, 2, 2, 12, tzinfo=UTC), H24)
    for register, value in zip((1, 3, 5), alarm, strict=True):
        put(bench, register, value)
    seen = []
    for second in range(1, 101):
        bench.wait(SECOND)
        if get(bench, C) & 0x20:
            seen.append(second)
    assert seen == times


def test_c_and_d_cannot_be_written_and_set_clears_uie() -> None:
    bench = Bench()
    put(bench, C, 0xFF)
    put(bench, D, 0)
    assert (get(bench, C), get(bench, D)) == (0, 0x80)
    put(bench, B, SET | UIE | H24)
    assert get(bench, B) == SET | H24
