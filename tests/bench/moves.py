"""moves_per_second: one instruction a move, on four cores of the loaded toy kernel.

With everything on: timer interrupts, a function that has been patched while the cores ran, its
floors, and probes that become events.
"""

import statistics
import time

import emu.lab
from emu.moves.chooser import Chooser, random, round_robin
from tests.bench import qemu, untraced
from tests.bench.row import NO_QEMU, Row

GOAL = 500_000
_INSTRUCTIONS = 500_000
_TIMES = 5
_SINGLE_ROUNDS = 1_500
_SAME = "\tmov edi, 1\n\txor eax, eax\n\tret\n"


def _loaded() -> emu.lab.Lab:
    lab = emu.lab.boot("toy", cores=4, append="load", seed=1)
    lab.run_until_tasks()
    redirect = lab.arena.redirect("counter_add", _SAME)
    lab.watch([redirect])
    lab.carry_out(lab.plan([redirect], inward=True)[0])
    return lab


def _speed(lab: emu.lab.Lab, chooser: Chooser) -> float:
    lab.choose(chooser)
    before, start = lab.machine.moves, time.perf_counter()
    lab.run(instructions=_INSTRUCTIONS)
    return (lab.machine.moves - before) / (time.perf_counter() - start)


def measure() -> list[Row]:
    """Return moves a second by two choosers, and QEMU's blocks of one instruction."""
    lab = _loaded()
    choosers = {"round_robin": round_robin(1), "random": random(1, 1)}
    speeds: dict[str, list[float]] = {name: [] for name in choosers}
    for _ in range(_TIMES):
        for name, chooser in choosers.items():
            speeds[name].append(_speed(lab, chooser))
    rows = []
    for name, found in speeds.items():
        value = statistics.median(found)
        title = "moves_per_second" + ("" if name == "round_robin" else f"_{name}")
        rows.append(Row(title, value, "1/s", f"goal: {GOAL:,}", value / GOAL))
    ours = statistics.median(speeds["round_robin"])
    if not qemu.version():
        return [*rows, Row("moves_vs_single_stepping", ours, "1/s", NO_QEMU, None)]
    _, _, instructions = untraced.in_textpoke(_SINGLE_ROUNDS, 100_000)
    _, seconds = untraced.in_qemu(_SINGLE_ROUNDS, qemu.one_instruction_a_block())
    peer = instructions / seconds if seconds else 0.0
    what = f"QEMU {qemu.version()}, one instruction a block, turns of many: {peer:,.0f}"
    return [
        *rows,
        Row("moves_vs_single_stepping", ours, "1/s", what, ours / peer if peer else None),
    ]
