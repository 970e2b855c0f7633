"""The toy kernel says the same on this machine as in QEMU."""

import shutil
import subprocess

import pytest

from emu.machine import loop
from emu.machine.boot import BootImage
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.conftest import TOY

QEMU = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")


def on_qemu(cores: int, words: str) -> tuple[str, int]:
    """Return what QEMU's serial port said, and its exit status."""
    assert QEMU
    command = [
        QEMU, "-accel", "tcg,thread=single", "-cpu", "max", "-smp", str(cores), "-m", "64",
        "-kernel", str(TOY), "-append", words, "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-nic", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return run.stdout.decode(), run.returncode


def on_machine(image: BootImage, cores: int, words: str, by: chooser.Chooser) -> tuple[str, int]:
    """Return what the machine's serial port said, and the exit status QEMU would make of it."""
    machine = Machine(image, cores=cores, command_line=words)
    assert machine.drive(by, instructions=400_000_000) == loop.EXIT
    assert machine.exit_value is not None
    return machine.output.decode(), machine.exit_value << 1 | 1


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_the_self_test_prints_what_it_prints_in_qemu(toy_boot: BootImage, cores: int) -> None:
    transcript, status = on_qemu(cores, "selftest")
    assert transcript.count("\n") > 30
    assert on_machine(toy_boot, cores, "selftest", chooser.round_robin(1000)) == (
        transcript,
        status,
    )


@pytest.mark.parametrize(
    "by", [chooser.round_robin(137), chooser.random(3, 1000)], ids=["turns", "random"]
)
def test_the_self_test_prints_the_same_under_every_chooser(
    toy_boot: BootImage, by: chooser.Chooser
) -> None:
    """Its transcript is made to be the same for every number of cores."""
    one = on_machine(toy_boot, 1, "selftest", chooser.round_robin(1000))
    assert one[1] == 1
    assert on_machine(toy_boot, 4, "selftest", by) == one
