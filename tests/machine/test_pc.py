"""A kernel that QEMU boots finds the same PC here: entry state, tables, memory map, fw_cfg."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.boot import BootImage
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin
from tests.conftest import TOY

HERE = Path(__file__).parent
QEMU = shutil.which("qemu-system-x86_64")
FLAGS = [
    "-m32", "-std=gnu11", "-O1", "-Wall", "-Werror", "-ffreestanding", "-nostdlib", "-static",
    "-no-pie", "-fno-pic", "-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
]  # fmt: skip
WORDS = "quiet selftest=1"
MIB, RAM_MIB = 1 << 20, 64


def built(folder: Path, name: str, *more: str) -> Path:
    """Return the kernel, compiled."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc: apt-get install gcc")
    path = folder / name
    files = ["-T", HERE / "pc_kernel.ld", "-o", path, HERE / "pc_kernel.c"]
    made = subprocess.run(
        [gcc, *FLAGS, *more, *map(str, files)], capture_output=True, text=True, check=False
    )
    if made.returncode and ("m32" in made.stderr or "unrecognized" in made.stderr):
        pytest.skip(f"this gcc cannot: {made.stderr.splitlines()[0]}")
    assert made.returncode == 0, made.stderr
    return path


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kernels")
    return {
        "pvh": built(folder, "pvh.elf", "-DPVH"),
        "multiboot": built(folder, "multiboot.elf"),
        "addresses": built(folder, "addresses.elf", "-DADDRESSES"),
    }


def on_machine(path: Path, cores: int) -> str:
    machine = Machine(
        ElfImage.read(path).boot_image, cores=cores, ram_mib=RAM_MIB, command_line=WORDS
    )
    assert machine.drive(round_robin(1000), instructions=10_000_000) == loop.EXIT
    assert machine.exit_value == 0
    return machine.output.decode()


def on_qemu(path: Path, cores: int) -> str:
    """Return what the kernel says in QEMU, which is given the file without a folder."""
    assert QEMU
    command = [
        QEMU, "-accel", "tcg,thread=single", "-m", str(RAM_MIB),
        "-smp", f"{cores},sockets={cores},cores=1,threads=1",
        "-kernel", path.name, "-append", WORDS, "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-nic", "none", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=path.parent)
    assert run.returncode == 1, run.stderr.decode()
    return run.stdout.decode()


def without_what_differs(said: str, protocol: str) -> str:
    """Return what QEMU's kernel said, without what `emu.machine.e820` says is missing here.

    SeaBIOS keeps 128 KiB or more below the end of RAM for its tables; here they are RAM.
    """
    top = re.search(r"map 0:([0-9a-f]+) 0:([0-9a-f]+) 2\n(entry 14\n)?map 0:fffc0000", said)
    assert top
    start, end = int(top[1], 16), int(top[1], 16) + int(top[2], 16)
    assert end == RAM_MIB << 20
    length, whole = start - MIB, end - MIB
    edits = [
        (r"(entry 14\n)?map fd:0 3:0 2\n", ""),
        (r"etc/e820 fd:0 3:0 2\n", ""),
        (rf"(entry 14\n)?map 0:{start:x} 0:{end - start:x} 2\n", ""),
        (rf"map 0:100000 0:{length:x} 1\n", f"map 0:100000 0:{whole:x} 1\n"),
    ]
    if protocol != "pvh":
        edits.append((f"upper {length >> 10:x}\n", f"upper {whole >> 10:x}\n"))
    for pattern, replacement in edits:
        said, count = re.subn(pattern, replacement, said)
        assert count == 1, pattern
    return said


@pytest.mark.skipif(QEMU is None, reason="qemu-system-x86_64 is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("protocol", ["pvh", "multiboot", "addresses"])
def test_a_kernel_is_told_what_it_is_told_in_qemu(
    kernels: dict[str, Path], protocol: str, cores: int
) -> None:
    expected = without_what_differs(on_qemu(kernels[protocol], cores), protocol)
    assert expected.count("\n") > 100
    assert on_machine(kernels[protocol], cores).splitlines() == expected.splitlines()


def test_each_kernel_boots_by_its_protocol(kernels: dict[str, Path]) -> None:
    found = {name: ElfImage.read(path).boot_image for name, path in kernels.items()}
    protocols = {name: image.protocol for name, image in found.items()}
    assert protocols == {"pvh": "pvh", "multiboot": "multiboot", "addresses": "multiboot"}
    assert found["multiboot"].segments[0].end == found["addresses"].segments[0].end


def test_a_multiboot_kernel_is_told_its_name_and_words(kernels: dict[str, Path]) -> None:
    said = on_machine(kernels["multiboot"], 1)
    assert f"cmdline multiboot.elf {WORDS}\nloader qemu\n" in said


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_every_processor_is_in_the_tables(kernels: dict[str, Path], cores: int) -> None:
    said = on_machine(kernels["pvh"], cores)
    assert said.count("processor ") == cores
    assert said.count("signature 1\nfeatures 1\n") == cores  # as CPUID has them
    assert f"key 5\nitem {cores:02x}00" in said


@pytest.mark.slow
def test_64_bit_code_in_elf32_runs_as_in_elf64(tmp_path: Path, toy_boot: BootImage) -> None:
    objcopy = shutil.which("objcopy")
    if objcopy is None:
        pytest.skip("no objcopy: apt-get install binutils")
    path = tmp_path / "toy32.elf"
    subprocess.run([objcopy, "-O", "elf32-i386", TOY, path], check=True)
    images = (ElfImage.read(path).boot_image, toy_boot)
    assert path.read_bytes()[4] == 1
    said = []
    for image in images:
        machine = Machine(image, cores=2, command_line="selftest")
        assert machine.drive(round_robin(1000), instructions=400_000_000) == loop.EXIT
        said.append(machine.output.decode())
    assert said[0] == said[1]
    assert "selftest: all ok" in said[0]
