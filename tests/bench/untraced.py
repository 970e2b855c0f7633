"""untraced_vs_qemu: a fixed amount of work on four cores that take turns, nothing watched.

kernels/mix.elf works between two lines on the serial port; the seconds between the lines count.
QEMU does the same on one thread, with its own turns. Both must print the same checksum.
"""

import functools
import statistics
import sys
import time
from pathlib import Path

from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin
from tests.bench import qemu
from tests.bench.row import NO_QEMU, Row

KERNEL = Path(__file__).parent / "kernels" / "mix.elf"
_ROUNDS = 30_000  # of about 2,300 instructions, on each core
_TIMES = 5
_TURNS = {"untraced_vs_qemu": 100_000, "untraced_vs_qemu_turns_of_1000": 1_000}


def in_textpoke(rounds: int, turn: int) -> tuple[str, float, int]:
    """Return the last line, the seconds to it from the first, and the instructions of that."""
    machine = Machine(_image().boot_image, cores=4, command_line=f"rounds={rounds}")
    chooser = round_robin(turn)
    machine.watch(ord("\n"))
    while not machine.output.endswith(b"start\n"):
        assert machine.drive(chooser) == loop.OUTPUT, "the kernel did not start"
    before, start = machine.retired(), time.perf_counter()
    while machine.output.count(b"\n") < 2:
        assert machine.drive(chooser) in (loop.OUTPUT, loop.EXIT), "the kernel did not end"
    seconds = time.perf_counter() - start
    return machine.output.decode().splitlines()[-1], seconds, machine.retired() - before


def in_qemu(rounds: int, options: str = qemu.THREAD) -> tuple[str, float]:
    """Return the last line, and the seconds to it from the first."""
    seen = qemu.lines(KERNEL, f"rounds={rounds}", last="end ", options=options)
    last = next((line for line in seen if line.startswith("end ")), "nothing")
    first = next((line for line in seen if line.endswith("start")), last)
    return last, seen.get(last, 0.0) - seen.get(first, 0.0)


@functools.cache
def _image() -> ElfImage:
    return ElfImage.read(KERNEL)


def measure() -> list[Row]:
    """Return millions of instructions a second, next to QEMU's."""
    ours: dict[str, list[float]] = {name: [] for name in _TURNS}
    theirs: list[float] = []
    answers: set[str] = set()
    instructions = 0
    in_textpoke(100, 1000)  # compiles what there is to compile
    for _ in range(_TIMES):
        if qemu.version():
            answer, seconds = in_qemu(_ROUNDS)
            answers.add(answer)
            theirs.append(seconds)
        for name, turn in _TURNS.items():
            answer, seconds, instructions = in_textpoke(_ROUNDS, turn)
            answers.add(answer)
            ours[name].append(seconds)
    if len(answers) != 1:
        print(f"bench: the checksums differ: {sorted(answers)}", file=sys.stderr)
    rows = []
    for name, times in ours.items():
        seconds = statistics.median(times)
        speed = instructions / seconds / 1e6
        if theirs and len(answers) == 1:
            peer = statistics.median(theirs)
            what = f"QEMU {qemu.version()} tcg, one thread: {instructions / peer / 1e6:,.0f}"
            rows.append(Row(name, speed, "MIPS", what, peer / seconds))
        else:
            rows.append(Row(name, speed, "MIPS", "checksums differ" if theirs else NO_QEMU, None))
    return rows
