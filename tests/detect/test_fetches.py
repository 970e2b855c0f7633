"""Fetches at sites, counted from events."""

import numpy as np
import pytest

from emu.detect.fetches import Fetches
from emu.detect.finding import Finding
from emu.detect.watch import CALL, OLD, UNHANDLED, Watched, Way
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_SIZE, E_TIME
from emu.patch.text_poke import NOP5

HIGH, LOW = 0xFFFFFFFF80202640, 0x40_0000
CALLED = b"\xe8\x78\x56\x34\x12"


def fetches(site: int = HIGH) -> Fetches:
    ways = Way(NOP5, site + 5), Way(CALLED, site + 0x1000)
    return Fetches((Watched("f", site, ways),))


def row(kind: int, address: int = 0, a: int = 0, b: int = 0, core: int = 0) -> list[int]:
    made = [0] * E_SIZE
    made[E_KIND], made[E_ADDRESS], made[E_A], made[E_B], made[E_CORE] = kind, address, a, b, core
    return made


def call(code: bytes, core: int = 0) -> list[int]:
    return row(
        CALL, a=0, b=int.from_bytes(code.ljust(8, b"\xff"), "little", signed=True), core=core
    )


def take(found: Fetches, *rows: list[int]) -> Fetches:
    found.take(np.array(rows, np.int64))
    return found


@pytest.mark.parametrize("site", [HIGH, LOW])
def test_int3s_are_the_breakpoints_taken_at_the_site(site: int) -> None:
    behind = site + 1 if site == LOW else site + 1 - (1 << 64)
    found = take(
        fetches(site),
        row(events.TRAP, behind, 3),
        row(events.TRAP, behind, 14),
        row(events.TRAP, behind + 1, 3),
        row(events.DELIVERED, behind, 3),
    )
    assert found.int3 == 1


def test_what_may_stand_there_is_not_torn() -> None:
    whole = [call(NOP5), call(CALLED), call(b"\xcc\x1f\x44\x00\x00"), call(b"\xcc\x78\x44\x34\x00")]
    found = take(fetches(), *whole)
    assert (found.torn, found.harmful, found.tears) == (0, 0, [])


def test_torn_and_harmful_are_counted_each_time() -> None:
    found = fetches()
    harmless, bad = b"\x0f\x1f\x44\x34\x00", b"\x0f\x78\x56\x34\x12"
    take(found, call(harmless), call(NOP5), call(bad, core=2), call(bad), row(OLD, b=1))
    take(found, call(bad))
    assert (found.torn, found.harmful) == (4, 3)
    first = next(tear for tear in found.tears if tear.harmful)
    assert (first.core, first.function, first.address, first.code) == (2, "f", HIGH, bad)


@pytest.mark.parametrize("site", [HIGH, LOW])
def test_flags_of_unstable_fetches_and_kernels_that_give_up(site: int) -> None:
    stale, hazard = events.FETCH_STALE, events.FETCH_HAZARD
    length, here = 5 << 8, site if site == LOW else site - (1 << 64)
    found = take(
        fetches(site),
        row(events.STALE_FETCH, here, b=length),
        row(events.STALE_FETCH, here, b=stale | length),
        row(events.STALE_FETCH, here, b=stale | hazard | length),
        row(events.STALE_FETCH, here + 16, b=stale | hazard | length),  # of somebody else
        row(UNHANDLED),
        row(OLD, b=stale | hazard),
    )
    assert (found.stale, found.hazard, found.unhandled) == (2, 1, 1)


def test_nothing_happened() -> None:
    found = fetches()
    found.take(np.zeros((0, E_SIZE), np.int64))
    assert (found.int3, found.stale, found.torn) == (0, 0, 0)


def test_findings_say_who_and_when() -> None:
    found, bad = fetches(LOW), b"\x0f\x78\x56\x34\x12"
    rows = [
        row(events.STALE_FETCH, LOW, b=events.FETCH_HAZARD, core=1),
        call(bad, core=2),
        row(events.TRAP, LOW + 1, 3, core=3),
        row(events.TRAP, LOW + 16, 3, core=0),  # of somebody else
        row(UNHANDLED, core=3),
        row(UNHANDLED, core=0),
    ]
    for time, each in enumerate(rows):
        each[E_TIME] = time
    for each in rows:  # in one go or one by one
        take(found, each)
    together = take(fetches(LOW), *rows)
    assert sorted(together.findings, key=lambda each: each.time) == found.findings
    assert found.findings == [
        Finding("HAZARD", 1, 0, 0),
        Finding("harmful", 2, 1, 0, bad),
        Finding("unhandled int3", 3, 4, 0),
        Finding("unhandled int3", 0, 5, None),
    ]
