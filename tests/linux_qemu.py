"""A stock kernel on QEMU, with our init: the peer that our machine's transcripts are held against.

`thread=single`, because QEMU 7.2's other way runs stale code when a kernel patches itself.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from emu import resources
from emu.image import initramfs
from emu.image.linux_image import LinuxImage
from tests.conftest import ROOT

MODULES = ROOT / "kernels" / "linux-modules"
APPEND = "console=ttyS0,115200 loglevel=3 panic=-1 cryptomgr.notests=1 nosoftlockup"
PROMPTS = (b"init# ", b"  ... ")
SECONDS = 300
"""When to give up, with what was said until then."""

_QEMU = "qemu-system-x86_64"


def release(image: LinuxImage) -> str:
    """Return what uname -r says of a kernel."""
    banner = image.read_virtual(image.symbols["linux_banner"].address, 100)
    return banner.split(b" ")[2].decode()


def modules(image: LinuxImage) -> dict[str, bytes]:
    """Return lp_cmdline, lp_replace and misbehave for a kernel, by path; skip if there is no way.

    What was built before is taken as it is; headers come by apt.
    """
    name = release(image)
    folder = MODULES / "build" / name
    if not list(folder.glob("*.ko")):
        if not all(map(shutil.which, ("gcc-12", "make", "apt-get", "dpkg-deb"))):
            pytest.skip("modules need gcc-12, make, apt-get and dpkg-deb")
        made = subprocess.run(
            [ROOT / "run", "linux-modules", name], capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"no modules for {name}: {(made.stderr.splitlines() or ['?'])[-1]}")
    return {f"/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.ko"))}


def script(name: str) -> str:
    """Return a script that comes with textpoke."""
    path = resources.linux_script(name)
    assert path is not None, name
    return path.read_text()


def run(
    image: LinuxImage,
    script: str,
    *,
    files: Mapping[str, bytes] | None = None,
    cores: int = 1,
    typed: Sequence[str] = (),
) -> str:
    """Boot a kernel on QEMU with a script, and return what it says; skip without QEMU.

    Args:
        image: the kernel, which QEMU boots as a vmlinux, by PVH.
        script: what init runs; it ends with poweroff, or at a prompt.
        files: what is in the initramfs beside, by path.
        cores: how many CPUs.
        typed: lines for the prompts of the console; the run ends at the prompt behind the last one.
    """
    qemu = shutil.which(_QEMU)
    if not qemu:
        pytest.skip(f"no {_QEMU} here")
    with tempfile.TemporaryDirectory() as folder:
        kernel, archive = Path(folder, "vmlinux"), Path(folder, "initramfs")
        kernel.write_bytes(image._file.data)
        archive.write_bytes(
            initramfs.build(resources.init().read_bytes(), script.encode(), dict(files or {}))
        )
        words = f"-accel tcg,thread=single -cpu max -m 256 -smp {cores} -display none -serial stdio"
        words += " -monitor none -nic none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=1"
        with subprocess.Popen(
            [qemu, *words.split(), "-kernel", kernel, "-initrd", archive, "-append", APPEND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as machine:
            # so that a kernel that hangs ends the test
            alarm = threading.Timer(SECONDS, machine.kill)
            alarm.start()
            try:
                said = _talk(machine, [line.encode() + b"\n" for line in typed])
            finally:
                alarm.cancel()
                machine.kill()
        return said.decode("utf-8", "replace").replace("\r", "")


def _talk(machine: subprocess.Popen[bytes], lines: list[bytes]) -> bytes:
    """Return what is said until the end; at each prompt, type a line."""
    assert machine.stdin
    assert machine.stdout
    said = bytearray()
    while some := os.read(machine.stdout.fileno(), 65536):
        said += some
        if said.endswith(PROMPTS) and lines:
            machine.stdin.write(lines.pop(0))
            machine.stdin.flush()
        elif said.endswith(PROMPTS):
            break
    return bytes(said)
