"""Calls pair with bodies, whatever happens in between: against a simple oracle."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emu.detect.calls import Calls
from emu.detect.service import Service
from emu.detect.watch import CALL, NEW, OLD, UNHANDLED
from emu.machine import events
from emu.machine.state import E_A, E_ADDRESS, E_B, E_KIND, E_SIZE, E_STACK
from emu.moves.plan import PHASES

INT3 = 0xCC
OWN, ONE, OTHER = 0x100, 0x200, -0x300  # bodies; every function has the same three
PLANS = {  # by number: the functions, and their body before and after
    1: ({0, 1}, OWN, ONE),
    2: ({0}, ONE, OWN),
    3: ({0, 1}, ONE, OTHER),
    4: ({1}, OWN, ONE),
    5: ({1}, None, None),  # leads to a place that nobody watches
}
BODIES = {OLD: (OWN,), NEW: (ONE, OTHER)}
SYNC1 = PHASES.index("sync1")


@dataclass(frozen=True)
class Row:
    kind: int
    a: int = 0  # the function, or the phase
    b: int = 0  # the bytes at the site, or the plan
    stack: int = 0
    address: int = 0  # of the body


def table(rows: list[Row]) -> NDArray[np.int64]:
    made = np.zeros((len(rows), E_SIZE), np.int64)
    for line, row in zip(made, rows, strict=True):
        line[E_KIND], line[E_A], line[E_B], line[E_STACK] = row.kind, row.a, row.b, row.stack
        line[E_ADDRESS] = row.address
    return made


def service(functions: set[int], before: int | None, after: int | None) -> Service:
    if before is None or after is None:
        return Service(SYNC1, dict.fromkeys(functions), dict.fromkeys(functions))
    during = dict.fromkeys(functions, frozenset({before, after}))
    return Service(SYNC1, during, dict.fromkeys(functions, frozenset({after})))


def counter() -> Calls:
    return Calls(plans={number: service(*plan) for number, plan in PLANS.items()})


def phase(name: str, plan: int) -> Row:
    return Row(events.PHASE, PHASES.index(name), plan)


def late_at(rows: list[Row], index: int, function: int, body: int) -> bool:
    """Say whether a site of a function, fetched at an index, must not lead to a body.

    The last thing before it that concerns the function was a phase in which a plan began, or the
    end of a sync1: then both of the plan's bodies may be entered, or only the second.
    """
    phases = [at for at in range(index) if rows[at].kind == events.PHASE]
    plans = [rows[at].b for at in phases]
    for position in range(len(phases) - 1, -1, -1):
        row = rows[phases[position]]
        known = [plan for plan in plans[:position] if plan in PLANS]
        functions, old, new = PLANS.get(row.b, (set(), None, None))
        if function in functions and row.b not in known[-1:]:
            return None not in (old, new) and body not in (old, new)
        before = rows[phases[position - 1]] if position else None
        if before is not None and before.a == SYNC1:
            functions, _, new = PLANS.get(before.b, (set(), None, None))
            if function in functions:
                return new is not None and body != new
    return False


def oracle(rows: list[Row]) -> dict[str, int]:
    """Count by looking forward from every call for what happens next with its stack pointer."""
    found = dict.fromkeys(("calls", "old", "new", "late", "lost", "pending"), 0)
    for index, row in enumerate(rows):
        if row.kind != CALL:
            continue
        ahead = (r for r in rows[index + 1 :] if r.stack == row.stack)
        outcome = next((r for r in ahead if r.kind in (CALL, OLD, NEW)), None)
        kind = outcome.kind if outcome else None
        if outcome and kind == CALL and row.b == INT3 and outcome.a == row.a:
            continue  # begun anew: what comes of it is said of the other
        found["calls"] += 1
        found["pending"] += outcome is None
        found["lost"] += kind == CALL
        found["new"] += kind == NEW
        found["old"] += kind == OLD
        if outcome and kind != CALL:
            found["late"] += late_at(rows, index, row.a, outcome.address)
    return found


def entry(kind: int, body: int = 0, stack: int = 0) -> Row:
    places = BODIES[kind]
    return Row(kind, stack=stack, address=places[body % len(places)])


STACKS = st.sampled_from([0x1000, 0x2000, 0x2008, -0x1000])
ROWS = st.one_of(
    st.builds(Row, st.just(CALL), st.integers(0, 1), st.sampled_from([0, INT3]), STACKS),
    st.builds(entry, st.sampled_from([OLD, NEW]), st.integers(0, 1), STACKS),
    st.builds(entry, st.just(OLD), st.just(0), STACKS),
    st.builds(Row, st.just(events.TRAP), st.just(3), st.just(0), STACKS),
    st.builds(Row, st.just(UNHANDLED), st.just(0), st.just(0), STACKS),
    st.builds(phase, st.sampled_from(PHASES), st.sampled_from([1, 2, 3, 4, 5, 6])),
    st.builds(phase, st.just("sync1"), st.sampled_from([1, 2, 3, 4])),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ROWS, max_size=40), st.lists(st.integers(0, 40), max_size=4), st.integers(0, 45))
def test_counts_are_those_of_the_oracle_however_they_are_taken(
    rows: list[Row], cuts: list[int], before: int
) -> None:
    calls = counter()
    start = 0
    for end in [*sorted(min(cut, len(rows)) for cut in cuts), len(rows)]:
        calls.take(table(rows[start:end]), start)
        start = end
    found = oracle(rows)
    pending = calls.pending()
    assert len(pending) == found.pop("pending")
    assert {name: getattr(calls, name) for name in found} == found
    assert calls.calls == calls.old + calls.new + calls.lost + len(pending)

    calls.close(before)
    assert calls.lost == found["lost"] + sum(number < before for number in pending)
    assert calls.pending() == tuple(number for number in pending if number >= before)


def test_loops_preemption_and_frames_within_frames() -> None:
    calls = counter()
    rows = [
        Row(CALL, 0, 0, 0x1000),
        Row(CALL, 0, 0, 0x2000),  # another task, before the first has reached a body
        entry(OLD, stack=0x2000),
        entry(OLD, stack=0x1000),
        entry(OLD, stack=0x1000),  # back to the start of the body
        Row(CALL, 0, 0, 0x0F80),  # deeper on the same stack
        entry(NEW, stack=0x0F80),
        Row(CALL, 0, 0, 0x0F80),
        Row(CALL, 0, 0, 0x0F80),  # the one before came to nothing
    ]
    calls.take(table(rows), 0)
    assert (calls.calls, calls.old, calls.new, calls.lost) == (5, 2, 1, 1)
    assert calls.pending() == (8,)


def test_an_int3_begun_anew_is_the_same_call() -> None:
    def run(*rows: Row) -> tuple[int, int, int, int]:
        calls = counter()
        calls.take(table(list(rows)), 0)
        assert calls.calls == calls.old + calls.new + calls.lost + len(calls.pending())
        return calls.calls, calls.lost, calls.late, sum(calls.pending())

    int3, nop, new = Row(CALL, 0, INT3, 0x10), Row(CALL, 0, 0, 0x10), entry(NEW, stack=0x10)
    synced = phase("arm", 1), phase("sync1", 1), phase("tail", 1)
    assert run(nop, int3, int3, nop, new) == (2, 1, 0, 0)
    assert run(nop, new, int3, nop) == (2, 0, 0, 2)  # known by the first of its fetches
    assert run(int3, Row(CALL, 1, 0, 0x10), new) == (2, 1, 0, 0)  # another function's site
    assert run(int3, *synced, nop, entry(OLD, stack=0x10)) == (1, 0, 1, 0)  # the last fetch counts


def test_late_is_what_the_last_end_of_a_sync1_took_out_of_service() -> None:
    def late(*before: Row, function: int = 0) -> list[int]:
        found = []
        for arrival in (entry(OLD, 0, 0x10), entry(NEW, 0, 0x10), entry(NEW, 1, 0x10)):
            calls = counter()
            calls.take(table([*before, Row(CALL, function, 0, 0x10), arrival]), 0)
            found.append(calls.late)
        return found

    arm, sync, tail = phase("arm", 1), phase("sync1", 1), phase("tail", 1)
    assert late() == [0, 0, 0]  # nobody knows what stands there
    assert late(arm) == late(arm, sync) == [0, 0, 1]  # the other was never in service
    assert late(arm, sync, tail) == late(arm, sync, tail, phase("done", 1)) == [1, 0, 1]
    assert late(arm, sync, tail, phase("arm", 2)) == [0, 0, 1]
    assert late(arm, sync, tail, phase("arm", 2), function=1) == [1, 0, 1]  # not of plan 2
    assert late(arm, sync, tail, phase("sync1", 2), phase("tail", 2)) == [0, 1, 1]
    assert late(arm, sync, tail, phase("sync1", 3)) == [1, 0, 0]
    assert late(arm, sync, tail, phase("sync1", 3), phase("tail", 3)) == [1, 1, 0]
    assert late(phase("arm", 4), phase("sync1", 4), phase("tail", 4)) == [0, 0, 0]  # of another
    assert late(arm, tail, phase("sync2", 1)) == [0, 0, 1]  # sync1 was left out
    assert late(arm, sync, tail, phase("arm", 5), function=1) == [0, 0, 0]


def test_a_call_from_before_is_not_late_and_one_from_within_is_however_slow() -> None:
    def run(*rows: Row) -> int:
        calls = counter()
        calls.take(table(list(rows)), 0)
        return calls.late

    call, old = Row(CALL, 0, 0, 0x10), entry(OLD, stack=0x10)
    sync, tail, out = phase("sync1", 1), phase("tail", 1), phase("arm", 2)
    assert run(call, sync, tail, old) == 0
    assert run(sync, call, tail, old) == 0
    assert run(sync, tail, call, out, old) == 1
