"""A kernel that changes its own text prints here what it prints in QEMU, in every container.

tests/kernels/patching stores to instructions it is about to execute, calls code that it has
generated, and switches a static key under load, by int3 and with the other cores stopped. All of
it is correct by the manual, so no fetch model and no order of moves may change what it says.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine.machine import Machine
from emu.moves import chooser
from emu.moves.schedule import MODELS

HERE = Path(__file__).parent / "patching"
QEMU = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")
FLAGS = [
    "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static",
    "-no-pie", "-fno-pic", "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector",
    "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
]  # fmt: skip
FORMATS = {"PVH": "elf64-x86-64", "ELF32": "elf32-i386", "BARE": "binary"}
"""What entry.S is told, and what objcopy makes of the linked file."""
MOST = 20_000_000
"""Instructions that it does not need."""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    gcc, objcopy = shutil.which("gcc"), shutil.which("objcopy")
    if gcc is None or objcopy is None:
        pytest.skip("no gcc: apt-get install gcc")
    folder = tmp_path_factory.mktemp("kernels")
    sources = [*sorted(HERE.glob("*.c")), HERE / "entry.S"]
    made = {}
    for container, kind in FORMATS.items():
        linked, made[container] = folder / "linked", folder / f"{container}.kernel"
        arguments = [*FLAGS, f"-D{container}", "-T", HERE / "patching.ld", "-o", linked, *sources]
        for command in ([gcc, *arguments], [objcopy, "-O", kind, linked, made[container]]):
            ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
    return made


_TRIES = 3
"""The order of QEMU's cores hangs on the clock. Once, on eight cores, QEMU was seen to reset."""


@cache
def on_qemu(kernel: Path, cores: int) -> str:
    """Return what QEMU's serial line said."""
    assert QEMU
    command = [
        QEMU, "-machine", "pc", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", str(cores),
        "-m", "64", "-kernel", str(kernel), "-nodefaults", "-display", "none",
        "-serial", "stdio", "-monitor", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ]  # fmt: skip
    for _ in range(_TRIES):
        run = subprocess.run(command, capture_output=True, timeout=120, check=False)
        if run.returncode:
            break
    assert run.returncode == 1
    return run.stdout.decode()


def on_machine(kernel: Path, cores: int, model: str, by: chooser.Chooser) -> str:
    """Return what the machine's serial line said."""
    machine = Machine(ElfImage.read(kernel).boot_image, cores=cores, model=model)
    machine.drive(by, instructions=MOST)
    assert machine.exit_value == 0, machine.output.decode()
    return machine.output.decode()


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
@pytest.mark.parametrize("container", FORMATS)
def test_it_says_what_it_says_in_qemu(kernels: dict[str, Path], container: str, cores: int) -> None:
    there = on_qemu(kernels[container], cores)
    assert there.endswith("stopped, bad: 00000000\n")
    assert on_machine(kernels[container], cores, "sdm", chooser.round_robin(1000)) == there


@needs_qemu
@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_model_and_no_order_changes_it(kernels: dict[str, Path], model: str, seed: int) -> None:
    there = on_qemu(kernels["PVH"], 3)
    assert on_machine(kernels["PVH"], 3, model, chooser.random(seed, 500)) == there
