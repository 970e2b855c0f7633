"""Saved at two hundred random instants and put back in a fresh process: the same end each time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emu.machine import snapshot_file
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.conftest import ROOT
from tests.machine.slicing import numbers

INSTANTS, PROCESSES, MOVES, FAULTS = 200, 4, 40_000, 2_000

PROCESS = """
import json, sys
from pathlib import Path
from tests.machine.test_two_hundred_instants import end_of
folder, process = Path(sys.argv[1]), int(sys.argv[2])
for path in sorted(folder.glob(f"{process}-*.snapshot")):
    print(json.dumps([path.stem, *end_of(path)]))
"""


def end_of(path: Path) -> tuple[str, int]:
    """Return the state hash at the end of the run of which this is an instant, and its moves."""
    machine = Machine.from_snapshot(snapshot_file.read(path))
    made, last, state = json.loads(path.with_suffix(".json").read_text())
    by = random()
    by.native[2], by.random[0] = last, state
    machine.drive(by, moves=MOVES - made)
    return state_hash(machine), by.made


def random() -> chooser.Chooser:
    """Return the chooser of the run, which also makes faults, before its first move."""
    return chooser.random(7, 60, faults=FAULTS)


@pytest.mark.slow
def test_the_run_ends_in_the_same_state(toy_boot: BootImage, tmp_path: Path) -> None:
    machine = Machine(toy_boot, cores=4, ram_mib=16, command_line="load", model="sdm")
    by = random()
    source = numbers(11)
    instants = sorted(source.sample(range(MOVES), INSTANTS))
    for number, instant in enumerate(instants):
        machine.drive(by, moves=instant - by.made)
        path = tmp_path / f"{number % PROCESSES}-{number}.snapshot"
        snapshot_file.write(machine.save(), path)
        kept = [by.made, int(by.native[2]), int(by.random[0])]
        path.with_suffix(".json").write_text(json.dumps(kept))
    machine.drive(by, moves=MOVES - by.made)
    assert by.made == MOVES
    ends = {}
    for process in range(PROCESSES):
        done = subprocess.run(
            [sys.executable, "-c", PROCESS, str(tmp_path), str(process)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            name, state, made = json.loads(line)
            ends[name] = (state, made)
    assert len(ends) == INSTANTS
    expected = {
        f"{number % PROCESSES}-{number}": (state_hash(machine), MOVES - instant)
        for number, instant in enumerate(instants)
    }
    assert ends == expected
