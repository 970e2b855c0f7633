"""Kernels of our own that use every device of a small PC print here what they print in QEMU.

tests/kernels/devices is one kernel; its command line names the groups of cases to run. It prints
nothing that depends on speed. QEMU counts instructions (`-icount`: one is one virtual ns) and
skips idle time, as this machine does, so its answers are the same every time.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import chooser
from emu.moves.move import Input, encode

HERE = Path(__file__).parent / "devices"
QEMU = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")
FLAGS = [
    "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static",
    "-no-pie", "-fno-pic", "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector",
    "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
]  # fmt: skip
GROUPS = (
    "pic", "priority", "pit", "rtc", "uart", "ioapic", "lapic", "smp", "storm", "fw_cfg", "port",
)  # fmt: skip
ENDS = {"8042": "0x64", "cf9": "0xcf9", "port92": "0x92", "s5": "S5"}
MOST = 200_000_000
"""Instructions that no group needs."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: apt-get install gcc")
    path = tmp_path_factory.mktemp("kernels") / "devices.elf"
    sources = [*sorted(HERE.glob("*.c")), HERE / "entry.S"]
    command = [gcc, *FLAGS, "-T", HERE / "devices.ld", "-o", path, *sources]
    made = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return path


def qemu(kernel: Path, cores: int, words: str) -> list[str]:
    """Return the command that boots the kernel in QEMU, its serial line on the standard files."""
    assert QEMU
    return [
        QEMU, "-machine", "pc", "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
        "-rtc", "base=2000-01-01T00:00:00,clock=vm", "-cpu", "max", "-smp", str(cores),
        "-m", "64", "-kernel", str(kernel), "-append", words, "-nodefaults", "-display", "none",
        "-serial", "stdio", "-monitor", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ]  # fmt: skip


@cache
def on_qemu(kernel: Path, cores: int, words: str) -> tuple[str, int]:
    """Return what QEMU's serial line said, and its exit status."""
    command = qemu(kernel, cores, words)
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return run.stdout.decode(), run.returncode


def on_machine(kernel: Path, cores: int, words: str) -> tuple[str, Machine]:
    """Return what the machine's serial line said, and the machine at its end."""
    machine = Machine(ElfImage.read(kernel).boot_image, cores=cores, command_line=words)
    machine.drive(chooser.round_robin(1000), instructions=MOST)
    return machine.output.decode(), machine


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
@pytest.mark.parametrize("group", GROUPS)
def test_every_device_answers_as_in_qemu(kernel: Path, group: str, cores: int) -> None:
    text, status = on_qemu(kernel, cores, group)
    assert status == 1
    said, machine = on_machine(kernel, cores, group)
    assert said.splitlines() == text.splitlines()
    assert machine.exit_value == 0


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_it_prints_the_same_however_cores_take_turns(kernel: Path, group: str) -> None:
    said, _ = on_machine(kernel, 2, group)
    machine = Machine(ElfImage.read(kernel).boot_image, cores=2, command_line=group)
    machine.drive(chooser.random(5, 3000), instructions=MOST)
    assert said.endswith("end\n")
    assert machine.output.decode() == said


LINES = (b"hello\n", b"with the queue\n", b"and by the other\n")


def input_on_qemu(kernel: Path, cores: int) -> str:
    """Answer every prompt with a line; return all that was said."""
    command = qemu(kernel, cores, "input")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        answers, said = list(LINES), b""
        for line in process.stdout:
            said += line
            if line.endswith(b"?\n"):
                process.stdin.write(answers.pop(0))
                process.stdin.flush()
    return said.decode()


def input_on_machine(kernel: Path, cores: int) -> str:
    """Answer every prompt with a line; return all that was said."""
    machine = Machine(ElfImage.read(kernel).boot_image, cores=cores, command_line="input")
    machine.watch(ord("?"))
    by = chooser.round_robin(1000)
    for line in LINES:
        assert machine.drive(by, instructions=MOST) == loop.OUTPUT
        for at in range(0, len(line), 15):
            machine.play(encode([Input("uart", line[at : at + 15])]))
    assert machine.drive(by, instructions=MOST) == loop.EXIT
    return machine.output.decode()


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_lines_from_outside_come_in_by_interrupts(kernel: Path, cores: int) -> None:
    there = input_on_qemu(kernel, cores)
    assert there.count("hello\n") == 1
    assert input_on_machine(kernel, cores) == there


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
@pytest.mark.parametrize("way", [*ENDS, "triple"])
def test_a_reset_or_switching_off_is_the_end(kernel: Path, way: str, cores: int) -> None:
    text, status = on_qemu(kernel, cores, way)
    assert (text.count("\n"), status) == (1, 0)
    said, machine = on_machine(kernel, cores, way)
    assert said == text
    assert machine.exit_value is None
    if way == "triple":
        assert machine.dead_core() == 0
    else:
        assert ENDS[way] in (machine.end or "")
