"""traced_vs_qemu_exec: a trace of every instruction, next to QEMU's log of every instruction.

Here: ten million fetches of the toy kernel's load on four cores, kept in memory as a value that
tells of each its time, core, address and bytes. There: the same kernel, a block of every
instruction, and a line in a file for each, which has the address and neither time nor bytes.
"""

import statistics
import tempfile
import time
from pathlib import Path

import emu.lab
from emu import resources
from tests.bench import qemu
from tests.bench.row import NO_QEMU, Row

GOAL = 30
_FETCHES = 10_000_000
_TIMES = 3
_LINE = "textpoke toy: "  # when it has come up


def _in_textpoke() -> float:
    """Return the instructions traced in a second."""
    lab = emu.lab.boot("toy", cores=4, append="load")
    lab.run_until_tasks()
    lab.run(instructions=_FETCHES // 10)
    begin = lab.machine.retired()
    lab.machine.trace()
    start = time.perf_counter()
    lab.run(instructions=_FETCHES)
    found = len(lab.machine.fetches)
    seconds = time.perf_counter() - start
    assert found == lab.machine.retired() - begin >= _FETCHES
    return found / seconds


def _in_qemu() -> float:
    """Return the instructions logged in a second, from QEMU's start until the kernel is up."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "exec.log"
        options = f"{qemu.one_instruction_a_block()} -d exec,nochain -D {log}"
        seen = qemu.lines(resources.toy(), "load", last=_LINE, options=options)
        with log.open("rb") as lines:
            logged = sum(line.startswith(b"Trace ") for line in lines)
    seconds = next((at for line, at in seen.items() if line.startswith(_LINE)), 0.0)
    return logged / seconds if seconds else 0.0


def measure() -> list[Row]:
    """Return instructions traced in a second, next to QEMU's."""
    _in_textpoke()  # compiles what there is to compile
    ours = [_in_textpoke() for _ in range(_TIMES)]
    peer = _in_qemu() if qemu.version() else 0.0
    ours += [_in_textpoke() for _ in range(_TIMES)]
    value = statistics.median(ours)
    if not peer:
        return [Row("traced_vs_qemu_exec", value, "1/s", NO_QEMU, None)]
    what = f"QEMU {qemu.version()} -d exec, one instruction a block: {peer:,.0f}; goal: {GOAL}"
    return [Row("traced_vs_qemu_exec", value, "1/s", what, value / peer)]
