"""linux_boot_vs_qemu, linux_traced_vs_qemu, linux_resume_seconds: a stock kernel on two CPUs.

Here and on QEMU: the same vmlinux, our init with the same script, the same command line. All
figures are processor time of whole processes, so that what else the computer does is not in them.

boot: from starting the program until the script, which is empty, has switched the machine off.
traced: from the prompt on, the work of SCRIPT, with every block noted; on QEMU each is a line in
a file, here every instruction is kept, with its time and its bytes. Blocks a second are compared,
because QEMU's guest has more ticks of its timer to do in the same script, the slower it is.
resume: `textpoke linux --from` a snapshot of a booted machine until its prompt has answered.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import emu.lab
from emu import resources
from emu.image import initramfs
from emu.image.linux_image import LinuxImage
from emu.lab import Lab
from emu.machine import snapshot_file
from tests import linux
from tests.bench import linux_qemu, qemu
from tests.bench.linux_qemu import PROMPT, Kernel
from tests.bench.row import NO_QEMU, Row, python_environment

BOOT_GOAL, RESUME_GOAL = 1 / 1.5, 0.5
NAMES = ("linux_boot_vs_qemu", "linux_traced_vs_qemu", "linux_resume_seconds")
_CORES, _RAM = 2, 256
_TIMES = 3
_ROOT = Path(__file__).parents[2]
_PIECE = 20_000_000  # instructions whose fetches are kept at a time
_OFF = b"init: power off"

SCRIPT = b"""\
prompt
repeat cpus
	spawn load$i
		cpu $i
		repeat 2
			getpid 50
			read /proc/cmdline
			fork 1
			exec 1
		end
	end
end
cd /sys/kernel/tracing
echo cmdline_proc_show > set_ftrace_filter
echo function > current_tracer
read /proc/cmdline
echo nop > current_tracer
repeat cpus
	join load$i
end
poweroff
"""


def measure() -> list[Row]:
    """Return the rows, or why there are none."""
    found = linux.files()
    if not found:
        return [Row(name, 0.0, "s", linux.MISSING, None) for name in NAMES]
    image = LinuxImage.read(found[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vmlinux = folder / "vmlinux"
        vmlinux.write_bytes(image._file.data)
        return [_boot(vmlinux, folder), _traced(vmlinux, folder), _resume(vmlinux, folder)]


def _peer(vmlinux: Path, folder: Path, script: bytes) -> Kernel:
    archive = folder / "initramfs"
    archive.write_bytes(initramfs.build(resources.init().read_bytes(), script, {}))
    return Kernel(vmlinux, archive, emu.lab.COMMAND_LINE, _RAM, _CORES)


def _textpoke(*words: str | Path) -> tuple[bytes, float]:
    """Return what `textpoke linux` prints, and the processor time of its process."""
    command = [sys.executable, "-m", "emu.cli.main", "linux", *words]
    with subprocess.Popen(
        command,
        cwd=_ROOT,
        env=python_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said[-1000:]
    return said, used.ru_utime + used.ru_stime


def _boot(vmlinux: Path, folder: Path) -> Row:
    script = folder / "script"
    script.write_bytes(b"poweroff\n")
    words = (vmlinux, "--script", script, "--cores", str(_CORES), "--ram", str(_RAM))
    _textpoke(*words)  # compiles what there is to compile
    kernel = _peer(vmlinux, folder, script.read_bytes())

    def ours() -> float:
        said, seconds = _textpoke(*words)
        assert _OFF in said
        return seconds

    def theirs() -> float:
        said, seconds = linux_qemu.boot_seconds(kernel)
        assert _OFF in said
        return seconds

    here, there = [], []
    for _ in range(_TIMES):
        here.append(ours())
        if qemu.version():
            there.append(theirs())
    value = statistics.median(here)
    if not there:
        return Row(NAMES[0], value, "s", NO_QEMU, None)
    peer = statistics.median(there)
    what = f"QEMU {qemu.version()} one thread: {peer:.2f} s; processor time; goal: {BOOT_GOAL:.2f}"
    return Row(NAMES[0], value, "s", what, peer / value)


def _traced(vmlinux: Path, folder: Path) -> Row:
    kernel = _peer(vmlinux, folder, SCRIPT)

    def ours() -> float:
        lab = emu.lab.boot_linux(vmlinux, script=SCRIPT, cores=_CORES, ram_mib=_RAM)
        assert lab.run(until=PROMPT).name == "TEXT"
        return _traced_here(lab)

    name, here, there = NAMES[1], [], []
    for _ in range(_TIMES):
        here.append(ours())
        if qemu.version():
            said, seconds, blocks = linux_qemu.logged(kernel, folder)
            assert _OFF in said
            there.append(blocks / seconds)
    value = statistics.median(here)
    if not there:
        return Row(name, value, "1/s", NO_QEMU, None)
    peer = statistics.median(there)
    what = f"blocks of code; QEMU {qemu.version()} -d exec,nochain: {peer:,.0f}; goal: over 1"
    return Row(name, value, "1/s", what, value / peer)


def _traced_here(lab: Lab) -> float:
    """Return the blocks that are noted in a second, from the prompt to the end."""
    machine, blocks, fetches = lab.machine, 0, 0
    begin, start = machine.retired(), time.process_time()
    lab.input(b"\x04")
    while machine.end is None:
        machine.trace()
        end = lab.run(instructions=_PIECE)
        found = machine.fetches
        blocks, fetches = blocks + len(found.blocks), fetches + len(found)
        assert end.name in ("BOUND", "EXIT"), end
    seconds = time.process_time() - start
    assert _OFF in machine.output
    assert fetches >= machine.retired() - begin
    return blocks / seconds


def _resume(vmlinux: Path, folder: Path) -> Row:
    booted, typed = folder / "booted", folder / "typed"
    lab = emu.lab.boot_linux(vmlinux, cores=_CORES, ram_mib=_RAM)
    assert lab.run(until=PROMPT).name == "TEXT"
    snapshot_file.write(lab.machine.save(), booted)
    typed.write_bytes(b"echo here\n")
    seconds = []
    for _ in range(_TIMES):
        said, used = _textpoke("--from", booted, "--input", typed, "--until", PROMPT.decode())
        assert b"\nhere\r\n" in said
        seconds.append(used)
    value = statistics.median(seconds)
    size = booted.stat().st_size / 1e6
    what = f"goal: {RESUME_GOAL} at the most; processor time; the file has {size:.0f} MB"
    return Row(NAMES[2], value, "s", what, RESUME_GOAL / value)
