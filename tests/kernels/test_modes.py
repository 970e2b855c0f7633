"""A kernel of our own that goes through every exception and way between rings: as in QEMU.

Each case of tests/kernels/modes prints one line. `KNOWN` lists the cases in which this machine
still differs, with the reason: strict, so that one that starts to agree has to be taken out.
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.boot import BootImage
from emu.machine.machine import Machine
from emu.moves import chooser

HERE = Path(__file__).parent
QEMU = shutil.which("qemu-system-x86_64")
FLAGS = [
    "-std=gnu11", "-O2", "-Wall", "-Werror", "-Wno-comment", "-ffreestanding", "-nostdlib",
    "-static", "-no-pie", "-fno-pic", "-mno-red-zone", "-mgeneral-regs-only",
    "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
    "-Wl,-z,max-page-size=4096", "-Wl,-z,noexecstack", "-Wl,--build-id=none",
    "-Wl,--no-warn-rwx-segments",
]  # fmt: skip
Lines = dict[str, str]
"""What was printed, by case; `name@2` for the case on core 2."""

_STARTED = re.compile(r"^([0-9a-f]+) (\S+):(.*)$")

# QEMU 7.2's error, and what the manual has instead (SDM volume 3A, 6.13 and 4.7).
CORRECTED = {
    "read_reserved": ("err=8", "err=9"),
}
KNOWN: dict[str, str] = {}


@pytest.fixture(scope="module")
def modes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: apt-get install gcc")
    path = tmp_path_factory.mktemp("kernels") / "modes.elf"
    folder = HERE / "modes"
    sources = [*sorted(folder.glob("*.c")), folder / "entry.S"]
    command = [gcc, *FLAGS, "-T", folder / "modes.ld", "-o", path, *sources]
    made = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return path


def read(text: str) -> Lines:
    """Return the lines of the cases that came to their end, and of the cores that started."""
    lines = {}
    for line in text.splitlines(keepends=True):
        match = _STARTED.match(line)
        if line.startswith("started core"):
            lines[line.split(" cs")[0]] = line
        elif match and line.endswith("|\n") or match and " |" in line and line.endswith("\n"):
            lines[match[2]] = match[3].strip()
    return lines


@cache
def on_qemu(kernel: Path, cores: int, words: str = "") -> str:
    """Return what QEMU's serial port said."""
    assert QEMU
    command = [
        QEMU, "-accel", "tcg,thread=single", "-cpu", "Haswell", "-smp", str(cores), "-m", "64",
        "-kernel", str(kernel), "-append", words, "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-nic", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return run.stdout.decode()


def on_machine(image: BootImage, cores: int) -> Lines:
    """Return what the machine's serial port said; a case that ends it is left out."""
    lines: Lines = {}
    first = 0
    while True:
        machine = Machine(
            image, cores=cores, ram_mib=64, command_line=str(first), model="coherent"
        )
        said = ""
        more = True
        while more:
            machine.drive(chooser.round_robin(1000), instructions=20_000_000 * cores)
            text = machine.output.decode(errors="replace")
            more = machine.alive and len(text) > len(said)
            said = text
        lines |= read(said)
        if said.endswith("done\n"):
            return lines
        last = _STARTED.match(said.splitlines()[-1]) if said else None
        assert last, f"said nothing of a case: {said[-200:]}"
        first = int(last[1], 16) + 1
