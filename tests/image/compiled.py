"""gcc and ld, where they are installed: C files as images that can be read, though not booted."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emu.image.elf import ElfImage

NOTE = """
asm(".pushsection .note.Xen, \\"a\\", @note\\n.long 4, 4, 18\\n.asciz \\"Xen\\"\\n"
    ".long probe_start\\n.popsection");
void probe_start(void) { for (;;) ; }
"""
"""What makes an image of any C file."""

FLAGS = ("-std=gnu11", "-w", "-ffreestanding", "-fno-pic", "-fno-asynchronous-unwind-tables")


def compiled(folder: Path, source: str, *flags: str, link: tuple[str, ...] = ()) -> ElfImage:
    """Compile a C file and link it; skips where there is no gcc."""
    require()
    c, linked = folder / "probe.c", folder / "probe.elf"
    c.write_text(source + NOTE)
    objects = folder / "probe.o"
    run("gcc", *FLAGS, *flags, "-c", str(c), "-o", str(objects))
    run("ld", "-nostdlib", "-static", "--build-id=none", "-z", "noexecstack", "-Ttext=0x200000",
        "-e", "probe_start", "--unresolved-symbols=ignore-all", *link, "-o", str(linked),
        str(objects))  # fmt: skip
    return ElfImage.read(linked)


def preprocessed(path: Path, *flags: str) -> str:
    """Return a C file with its headers; skips where there is no gcc."""
    require()
    return run("gcc", *FLAGS, *flags, "-E", "-P", str(path))


def require() -> None:
    """Skip where there is no gcc."""
    if shutil.which("gcc") is None or shutil.which("ld") is None:
        pytest.skip("gcc and binutils are needed to compile the test's C file")


def run(*command: str) -> str:
    """Run a tool and return what it prints; its complaints are the failure."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
