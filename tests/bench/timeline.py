"""step_back_ms: one point back, anywhere in ten million instructions, as nobody had looked there.

Four cores of the loaded toy kernel, moved at random, a function patched in and out meanwhile. The
places are taken in another order than they came. step_forward_ms is the step after that back to
the place; look_at_time_ms is what a slider asks for, at other places.
"""

import statistics
import time

import emu.lab
from emu.timeline.mark import Mark
from tests.bench.row import Row
from tests.labs import plans, redirected

GOAL = 100  # ms
_INSTRUCTIONS, _PIECE = 10_000_000, 50_000
_SHUFFLE = 77  # no divisor of the number of places


def _lived() -> tuple[emu.lab.Lab, list[Mark]]:
    """Return a lab with its timeline, and places in it."""
    lab = emu.lab.boot("toy", cores=4, append="load", seed=1, quantum=100)
    timeline = lab.keep_timeline()
    lab.run_until_tasks()
    both = plans(lab, redirected(lab))
    places = []
    while lab.machine.retired() < _INSTRUCTIONS:
        if lab.patcher.done:
            lab.request(both[lab.patcher.requests % 2])
        lab.run(instructions=_PIECE)
        places.append(timeline.edge)
    return lab, [places[at * _SHUFFLE % len(places)] for at in range(len(places) - 1)]


def measure() -> list[Row]:
    """Return the medians of a step back, a step forward and a look, next to the goal."""
    lab, places = _lived()
    timeline = lab.keep_timeline()
    found: dict[str, list[float]] = {"step_back": [], "step_forward": [], "look_at_time": []}
    for place in places:
        start = time.perf_counter()
        back = timeline.before(place).mark
        behind = time.perf_counter()
        forward = timeline.after(back).mark
        end = time.perf_counter()
        assert forward == place
        found["step_back"].append(behind - start)
        found["step_forward"].append(end - behind)
    for place in places[::2]:
        start = time.perf_counter()
        timeline.at_time(place.instructions - _PIECE // 2)
        found["look_at_time"].append(time.perf_counter() - start)
    rows = []
    for name, seconds in found.items():
        value = statistics.median(seconds) * 1000
        what = f"goal: {GOAL}; the slowest: {max(seconds) * 1000:.0f}"
        rows.append(Row(f"{name}_ms", value, "ms", what, GOAL / value))
    return rows
