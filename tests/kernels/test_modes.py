"""Kernels of our own that use every CPU mode and exception say the same here as in QEMU.

`modes` runs in long mode, `legacy` in real mode, 16-bit and 32-bit protected mode and virtual-8086
mode. Each case prints one line: what arrived, where, on which stack, with what in its frame.
`KNOWN` lists the cases in which this machine still differs, with the reason. It is strict: a case
that begins to agree has to be taken out.

Left out, because QEMU 7.2 itself does not do what the manual says: #AC; segment limits; RF in
what a fault pushes; #XM and reserved bits of MXCSR; #MF at the next x87 instruction that is not
fwait; general detect (DR7.GD); icebp; the write bit of #PF for locked instructions that read
first; SYSCALL in compatibility mode of an Intel CPU; bits 63:4 of CR8; LTR of a null selector.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import chooser

HERE = Path(__file__).parent
QEMU = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")
FLAGS = [
    "-std=gnu11", "-O2", "-Wall", "-Werror", "-Wno-comment", "-ffreestanding", "-nostdlib",
    "-static", "-no-pie", "-fno-pic", "-mgeneral-regs-only", "-fno-stack-protector",
    "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
]  # fmt: skip
OWN_FLAGS = {"modes": ["-mno-red-zone"], "legacy": ["-m32", "-Wno-array-bounds"]}
Lines = dict[str, str]
"""What was printed, by case; `name@2` for the case on core 2."""

CORRECTED = {
    # a reserved bit in a page table entry that is present: P is set, too (SDM 3A, 4.7)
    "read_nx_off": ("err=8", "err=9"),
    "read_reserved": ("err=8", "err=9"),
    "run_reserved": ("err=18", "err=19"),
    "write_reserved3": ("err=e", "err=f"),
    # error codes that name an IDT entry: vector * 8 + 2, for a fault + 1 (SDM 3A, 6.13); in long
    # mode QEMU has vector * 16 (seg_helper.c, do_interrupt64)
    "absent_ud": ("err=62", "err=33"),
    "bad_gate_0": ("err=202", "err=102"),
    "int_absent": ("err=202", "err=102"),
    "int_absent_user": ("err=212", "err=10a"),
    "int_beyond_idt": ("err=f82", "err=7c2"),
    "user_gate_of_nmi": ("err=22", "err=12"),
    "user_int": ("err=202", "err=102"),
    "user_int1": ("err=12", "err=a"),
    "user_int_gp": ("err=d2", "err=6a"),
}
"""Where QEMU 7.2 is wrong: its text, and what the manual has instead."""

FLAGS_OF_FPU = "the engine (QEMU 5) does not raise this flag of x87 or SSE"
KNOWN = dict.fromkeys(["sse_masked", "x87_invalid", "fxrstor"], FLAGS_OF_FPU)
"""The cases in which the machine differs, and why."""

_CASE = re.compile(r"^([0-9a-f]+) (\S+):(.*\|.*)\n")
_BEGUN = re.compile(r"^([0-9a-f]+) \S+:")


def built(name: str, folder: Path) -> Path:
    """Return the path of a kernel, made from tests/kernels/`name`."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: apt-get install gcc")
    path, source, shared = folder / f"{name}.elf", HERE / name, HERE / "modes"
    files = {*source.glob("*.c"), source / "entry.S", shared / "main.c", shared / "serial.c"}
    options = [*FLAGS, *OWN_FLAGS[name], f"-I{source}", "-T", shared / "modes.ld", "-o", path]
    command = [gcc, *options, *sorted(files)]
    made = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if "-m32" in options and "bits/" in made.stderr:
        pytest.skip(f"this gcc cannot: {made.stderr.splitlines()[0]}")
    assert made.returncode == 0, made.stderr
    return path


@pytest.fixture(scope="module", params=["modes", "legacy"])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(request.param, tmp_path_factory.mktemp("kernels"))


def lines_of(text: str) -> Lines:
    """Return the lines of cases that came to their end, and of the cores that started."""
    lines = {}
    for line in text.splitlines(keepends=True):
        case = _CASE.match(line)
        if case:
            lines[case[2]] = case[3]
        elif line.startswith("started core"):
            lines[line.split(":")[0]] = line
    return lines


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


def drive(kernel: Path, cores: int, words: str, by: chooser.Chooser | None = None) -> Machine:
    """Return the machine after it ended, or said nothing for a long time."""
    image = ElfImage.read(kernel).boot_image
    machine = Machine(image, cores=cores, ram_mib=64, command_line=words, model="coherent")
    said = -1
    while machine.alive and len(machine.output) > said:
        said = len(machine.output)
        machine.drive(by or chooser.round_robin(1000), instructions=20_000_000 * cores)
    return machine


def on_machine(kernel: Path, cores: int, by: chooser.Chooser | None = None) -> Lines:
    """Return what this machine said; a case in which it ended is left out, those after it not."""
    lines: Lines = {}
    first = 0
    while True:
        said = drive(kernel, cores, str(first), by).output.decode()
        lines |= lines_of(said)
        if said.endswith("done\n"):
            return lines
        begun = _BEGUN.match(said.splitlines()[-1])
        assert begun, f"it ended outside of any case: {said[-200:]}"
        first = int(begun[1], 16) + 1


@needs_qemu
@pytest.mark.parametrize(
    "cores", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow),
              pytest.param(8, marks=pytest.mark.slow)],
)  # fmt: skip
def test_every_case_is_as_in_qemu(kernel: Path, cores: int) -> None:
    expected = lines_of(on_qemu(kernel, cores))
    assert len(expected) > 150
    for name, (wrong, right) in CORRECTED.items():
        if name in expected:
            assert f" {wrong} " in expected[name], "QEMU has changed"
            expected[name] = expected[name].replace(wrong, right)
    found = on_machine(kernel, cores)
    assert found.keys() <= expected.keys()
    differ = {name for name in expected if found.get(name) != expected[name]}
    new = differ - {name for name in expected if name.partition("@")[0] in KNOWN}
    said = [f"{name}\n  QEMU {expected[name]}\n  here {found.get(name)}" for name in sorted(new)]
    assert not new, "\n".join(["differ:", *said])
    agree = KNOWN.keys() & expected.keys() - {name.partition("@")[0] for name in differ}
    assert not agree, f"agree now, take them out of KNOWN: {sorted(agree)}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 3])
def test_every_case_is_the_same_however_sliced(kernel: Path, seed: int | None) -> None:
    """But for what is known to be wrong, which may go astray in more than one way."""
    by = chooser.round_robin(7) if seed is None else chooser.random(seed, 50)
    once, again = on_machine(kernel, 2), on_machine(kernel, 2, by)
    names = {name for name in once | again if name.partition("@")[0] not in KNOWN}
    assert len(names) > 150
    assert {name: once.get(name) for name in names} == {name: again.get(name) for name in names}


@needs_qemu
def test_a_triple_fault_ends_it(kernel: Path) -> None:
    """QEMU leaves at a reset; here the core is dead."""
    said = on_qemu(kernel, 1, "triple")
    machine = drive(kernel, 1, "triple")
    assert (machine.output.decode(), machine.dead_core()) == (said, 0)
    assert said == "no IDT\n"
    assert machine.drive(chooser.round_robin(1000), instructions=1000) != loop.EXIT
