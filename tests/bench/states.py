"""restores_per_second and states_per_second: going back, as the explorer does all the time.

Four cores of the booted toy kernel. A restore is followed by four moves of one instruction, one
of each core. A state is: go back to one, make one move, take the digest of where that leads,
look whether it is known, and keep it if not.
"""

import statistics
import time

import numpy as np

import emu.lab
from emu.machine.machine import Machine
from emu.machine.native import jit
from emu.machine.pool import Pool
from emu.machine.pool_states import capture, restore
from emu.machine.run import run
from emu.machine.state import M_CORES, State, Words
from tests.bench.row import Row

RESTORES_GOAL, STATES_GOAL = 150_000, 50_000
_KEPT, _TIMES, _RESTORES, _STEPS = 64, 5, 40_000, 15_000


@jit
def _go_back(s: State, head: Words, segments: Words, kept: int, times: int) -> None:
    for number in range(times):
        restore(s, head, segments, number * 7 % kept)
        for core in range(s.m[M_CORES]):
            run(s, core, 1)


@jit
def _search(  # noqa: PLR0913, PLR0917 -- numbers and arrays, for native code
    s: State,
    head: Words,
    segments: Words,
    counted: Words,
    lower: Words,
    upper: Words,
    waiting: Words,
    first: int,
    steps: int,
) -> int:
    """Go on from the states in the order in which they were found, each core in turn."""
    cores, last = s.m[M_CORES], first
    for step in range(steps):
        number = first + step // cores
        if number > last:
            return step
        restore(s, head, segments, number)
        run(s, step % cores, 1)
        last = max(last, capture(s, head, segments, counted, lower, upper, waiting, 0))
    return steps


def _booted() -> Machine:
    lab = emu.lab.boot("toy", cores=4, append="load", seed=1)
    lab.run_until_tasks()
    return lab.machine


def _restores(machine: Machine) -> float:
    states = Pool(machine)
    for _ in range(_KEPT):
        states.capture()
        for core in range(4):
            machine.run(core, 5)
    start = time.perf_counter()
    _go_back(machine.state, *states.native[:2], _KEPT, _RESTORES)
    return _RESTORES / (time.perf_counter() - start)


def _states(machine: Machine) -> float:
    states = Pool(machine)
    first, _ = states.capture()
    start = time.perf_counter()
    done = _search(machine.state, *states.native, np.int64(first), np.int64(_STEPS))
    assert done == _STEPS
    return _STEPS / (time.perf_counter() - start)


def measure() -> list[Row]:
    """Return restores and states a second, next to the goals."""
    machine = _booted()
    restores, found = [], []
    for _ in range(_TIMES):
        restores.append(_restores(machine))
        found.append(_states(machine))
    rows = []
    for name, speeds, goal in (
        ("restores_per_second", restores, RESTORES_GOAL),
        ("states_per_second", found, STATES_GOAL),
    ):
        value = statistics.median(speeds)
        rows.append(Row(name, value, "1/s", f"goal: {goal:,}", value / goal))
    return rows
