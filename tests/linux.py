"""Stock kernels for tests: Debian packages, bzImages or vmlinux files, which are not ours to ship.

TEXTPOKE_LINUX names them, separated by colons; without it, they are the packages that `textpoke
linux get` keeps, first the one that it would boot. Where there is none, a test that asks for one
of these fixtures is skipped.
"""

import os
from pathlib import Path

import pytest

from emu.image import linux_package
from emu.image.linux_image import LinuxImage
from emu.lab.end import End
from emu.lab.linux import boot_linux
from emu.machine import snapshot_file

VARIABLE = "TEXTPOKE_LINUX"
MISSING = (
    f"no Linux kernel here: run textpoke linux get, or set {VARIABLE} to a linux-image package"
)


def files() -> list[Path]:
    """Return the kernels there are; one that is named and does not exist is an error."""
    named = os.environ.get(VARIABLE)
    if not named:
        kept = linux_package.kept()
        others = sorted(linux_package.folder().glob("linux-image-*.deb"), reverse=True)
        return [kept, *(path for path in others if path != kept)] if kept else []
    paths = [Path(name) for name in named.split(os.pathsep)]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{VARIABLE} names {path}, which is no file")
    return paths


@pytest.fixture(scope="session")
def linux_file() -> Path:
    """The first kernel's file."""
    found = files()
    if not found:
        pytest.skip(MISSING)
    return found[0]


@pytest.fixture(scope="session")
def linux(linux_file: Path) -> LinuxImage:
    """The first kernel."""
    return LinuxImage.read(linux_file)


@pytest.fixture(scope="session")
def linuxes() -> list[LinuxImage]:
    """All kernels, at least one."""
    found = files()
    if not found:
        pytest.skip(MISSING)
    return [LinuxImage.read(path) for path in found]


@pytest.fixture(scope="session")
def linux_prompt(linux_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the first kernel on 2 cores, in which our init asks for commands."""
    lab = boot_linux(linux_file, cores=2, model="sdm", append="nokaslr")
    assert lab.run(until=b"init# ") is End.TEXT
    path = tmp_path_factory.mktemp("linux") / "prompt"
    snapshot_file.write(lab.machine.save(), path)
    return path
