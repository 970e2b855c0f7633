"""QEMU as a peer: when each line of a kernel came out of its serial port."""

import functools
import shutil
import subprocess
import threading
import time
from pathlib import Path

_QEMU = shutil.which("qemu-system-x86_64")
_SECONDS = 60
_MACHINE = (
    "-m", "64", "-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio",
    "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
)  # fmt: skip

THREAD = "-accel tcg,thread=single"


@functools.cache
def version() -> str | None:
    """Return QEMU's version, or None where there is none."""
    if _QEMU is None:
        return None
    done = subprocess.run([_QEMU, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split("version ")[-1].split()[0]


def one_instruction_a_block() -> str:
    """Return the options that let QEMU make a block of every instruction."""
    major, minor = (int(part) for part in (version() or "0.0").split(".")[:2])
    return THREAD + ",one-insn-per-tb=on" if (major, minor) >= (8, 1) else f"{THREAD} -singlestep"


def lines(
    kernel: Path, words: str, *, last: str, cores: int = 4, options: str = THREAD
) -> dict[str, float]:
    """Run a kernel until a line that begins with `last`.

    Returns every line with the seconds since QEMU was started at which it ended. The firmware
    may have written before a kernel's first line.
    """
    assert _QEMU
    command = [_QEMU, *options.split(), "-smp", str(cores), *_MACHINE]
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "-kernel", str(kernel), "-append", words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        seen: dict[str, float] = {}
        patience = threading.Timer(_SECONDS, process.kill)
        patience.start()
        try:
            for line in process.stdout:
                seen[line.strip()] = time.perf_counter() - started
                if line.startswith(last):
                    break
        finally:
            patience.cancel()
            process.kill()
    return seen
