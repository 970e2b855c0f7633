"""Calls pair with bodies, whatever happens in between: against a simple oracle."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emu.detect.calls import Calls
from emu.detect.watch import CALL, NEW, OLD, UNHANDLED
from emu.machine import events
from emu.machine.state import E_A, E_B, E_KIND, E_SIZE, E_STACK
from emu.moves.plan import PHASES

PLANS = {1: (True, {0, 1}), 2: (False, {0}), 3: (False, {0, 1}), 4: (True, {1})}


@dataclass(frozen=True)
class Row:
    kind: int
    a: int = 0  # the function, or the phase
    b: int = 0  # the plan
    stack: int = 0


def table(rows: list[Row]) -> NDArray[np.int64]:
    made = np.zeros((len(rows), E_SIZE), np.int64)
    for line, row in zip(made, rows, strict=True):
        line[E_KIND], line[E_A], line[E_B], line[E_STACK] = row.kind, row.a, row.b, row.stack
    return made


def counter() -> Calls:
    return Calls(
        inward={number: frozenset(f) for number, (inward, f) in PLANS.items() if inward},
        outward={number: frozenset(f) for number, (inward, f) in PLANS.items() if not inward},
    )


def phase(name: str, plan: int) -> Row:
    return Row(events.PHASE, PHASES.index(name), plan)


def late_at(rows: list[Row], index: int, function: int) -> bool:
    """Say whether a site of a function, fetched at an index, must not lead to the old body.

    The last thing before it that concerns the function was the end of sync1 of a plan that patches
    it in: not a phase of one that patches it out.
    """
    phases = [at for at in range(index) if rows[at].kind == events.PHASE]
    for position in range(len(phases) - 1, -1, -1):
        row = rows[phases[position]]
        inward, functions = PLANS.get(row.b, (None, set()))
        if function in functions and inward is False:
            return False
        before = rows[phases[position - 1]] if position else None
        synced = before and PHASES[before.a] == "sync1" and before.b in (1, 4)
        if before and synced and function in PLANS[before.b][1]:
            return True
    return False


def oracle(rows: list[Row]) -> dict[str, int]:
    """Count by looking forward from every call for what happens next with its stack pointer."""
    found = dict.fromkeys(("calls", "old", "new", "late", "lost", "pending"), 0)
    for index, row in enumerate(rows):
        if row.kind != CALL:
            continue
        found["calls"] += 1
        ahead = (r.kind for r in rows[index + 1 :] if r.stack == row.stack)
        outcome = next((kind for kind in ahead if kind in (CALL, OLD, NEW)), None)
        found["pending"] += outcome is None
        found["lost"] += outcome == CALL
        found["new"] += outcome == NEW
        found["old"] += outcome == OLD
        found["late"] += outcome == OLD and late_at(rows, index, row.a)
    return found


STACKS = st.sampled_from([0x1000, 0x2000, 0x2008, -0x1000])
ROWS = st.one_of(
    st.builds(Row, st.just(CALL), st.integers(0, 1), st.just(0), STACKS),
    st.builds(Row, st.sampled_from([OLD, NEW]), st.integers(0, 1), st.just(0), STACKS),
    st.builds(Row, st.just(OLD), st.integers(0, 1), st.just(0), STACKS),
    st.builds(Row, st.just(events.TRAP), st.just(3), st.just(0), STACKS),
    st.builds(Row, st.just(UNHANDLED), st.just(0), st.just(0), STACKS),
    st.builds(phase, st.sampled_from(PHASES), st.sampled_from([1, 2, 3, 4, 5])),
    st.builds(phase, st.just("sync1"), st.sampled_from([1, 4])),
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
        Row(OLD, 0, 0, 0x2000),
        Row(OLD, 0, 0, 0x1000),
        Row(OLD, 0, 0, 0x1000),  # back to the start of the body
        Row(CALL, 0, 0, 0x0F80),  # deeper on the same stack
        Row(NEW, 0, 0, 0x0F80),
        Row(CALL, 0, 0, 0x0F80),
        Row(CALL, 0, 0, 0x0F80),  # the one before came to nothing
    ]
    calls.take(table(rows), 0)
    assert (calls.calls, calls.old, calls.new, calls.lost) == (5, 2, 1, 1)
    assert calls.pending() == (8,)


def test_late_is_only_between_the_end_of_sync1_and_patching_out() -> None:
    def late(*before: Row, function: int = 0) -> int:
        calls = counter()
        rows = [*before, Row(CALL, function, 0, 0x10), Row(OLD, function, 0, 0x10)]
        calls.take(table(rows), 0)
        return calls.late

    arm, sync, tail = phase("arm", 1), phase("sync1", 1), phase("tail", 1)
    assert late(arm) == late(arm, sync) == 0
    assert late(arm, sync, tail) == 1
    assert late(arm, sync, tail, phase("done", 1)) == 1
    assert late(arm, sync, tail, phase("arm", 2)) == 0
    assert late(arm, sync, tail, phase("arm", 2), function=1) == 1  # plan 2 leaves it as it is
    assert late(phase("arm", 4), phase("sync1", 4), phase("tail", 4)) == 0  # not of this function
    assert late(arm, tail, phase("sync2", 1)) == 0  # sync1 was left out


def test_a_call_from_before_is_not_late_and_one_from_within_is_however_slow() -> None:
    def run(*rows: Row) -> int:
        calls = counter()
        calls.take(table(list(rows)), 0)
        return calls.late

    call, old = Row(CALL, 0, 0, 0x10), Row(OLD, 0, 0, 0x10)
    sync, tail, out = phase("sync1", 1), phase("tail", 1), phase("arm", 2)
    assert run(call, sync, tail, old) == 0
    assert run(sync, call, tail, old) == 0
    assert run(sync, tail, call, out, old) == 1
