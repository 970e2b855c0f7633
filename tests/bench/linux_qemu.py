"""QEMU with a stock kernel as a peer: the processor time it takes, and its log of every block.

Processor time, because time on the clock would measure who else is busy; it is QEMU's own, of all
its threads. Where a kernel sleeps QEMU sleeps too, which costs neither it nor our machine anything.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import qemu

PROMPT = b"init# "
_SECONDS = 600
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Kernel:
    """What both boot: a vmlinux and an initramfs, as files, and a command line."""

    vmlinux: Path
    initramfs: Path
    command_line: str
    ram_mib: int
    cores: int

    @property
    def _words(self) -> list[str]:
        # The processor that our machine says it is, so that Linux takes the same measures.
        words = f"{qemu.THREAD} -cpu Haswell -m {self.ram_mib} -smp {self.cores} -display none"
        return f"{words} -serial stdio -nic none -no-reboot".split()

    def command(self, *more: str | Path) -> list[str | Path]:
        """Return the command that boots it."""
        files: list[str | Path] = ["-kernel", self.vmlinux, "-initrd", self.initramfs]
        return [_program(), *self._words, *files, "-append", self.command_line, *more]


def _program() -> str:
    found = shutil.which("qemu-system-x86_64")
    assert found
    return found


def boot_seconds(kernel: Kernel) -> tuple[bytes, float]:
    """Let a kernel run until it switches the machine off; returns what it said, and seconds."""
    with _started(kernel.command("-monitor", "none")) as process:
        assert process.stdout
        said = process.stdout.read()
        return said, _seconds(process)


def logged(kernel: Kernel, folder: Path) -> tuple[bytes, float, int]:
    """Let a kernel run to its prompt, and from there, Ctrl-D typed, with every block in a file.

    Returns what it said from the prompt on, the seconds from there, and how many blocks.
    """
    log, monitor = folder / "exec.log", folder / "monitor"
    options: Sequence[str | Path] = ("-D", log, "-monitor", f"unix:{monitor},server,nowait")
    with _started(kernel.command(*options)) as process:
        assert process.stdin
        assert process.stdout
        said = b""
        while not said.endswith(PROMPT):
            some = os.read(process.stdout.fileno(), 4096)
            assert some, "QEMU ended before the prompt"
            said += some
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(monitor))
            _answered(line)
            line.sendall(b"log exec,nochain\n")
            _answered(line)
            before = _used(process)
            process.stdin.write(b"\x04")
            process.stdin.flush()
            said = process.stdout.read()
        seconds = _seconds(process) - before
    with log.open("rb") as lines:
        blocks = sum(line.startswith(b"Trace ") for line in lines)
    return said, seconds, blocks


def _answered(line: socket.socket) -> None:
    """Read up to the monitor's next prompt."""
    said = b""
    while not said.endswith(b"(qemu) "):
        some = line.recv(4096)
        assert some, "QEMU's monitor went away"
        said += some


class _started(subprocess.Popen[bytes]):  # noqa: N801 -- used like a function
    """A QEMU that does not outlive the measurement."""

    def __init__(self, command: list[str | Path]) -> None:
        super().__init__(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._patience = threading.Timer(_SECONDS, self.kill)
        self._patience.start()

    def __exit__(self, *error: object) -> None:
        self._patience.cancel()
        self.kill()
        super().__exit__(*error)  # type: ignore[arg-type]


def _used(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a running process has used (proc(5), stat)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _seconds(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end, and return the processor time."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime
