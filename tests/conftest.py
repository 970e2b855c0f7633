"""What several packages' tests share."""

from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.machine.boot import BootImage
from tests.linux import linux, linux_file, linux_prompt, linuxes
from tests.summary import figures, pytest_terminal_summary

__all__ = ["figures", "linux", "linux_file", "linux_prompt", "linuxes", "pytest_terminal_summary"]

ROOT = Path(__file__).parents[1]
TOY = ROOT / "kernels" / "toy" / "toy.elf"


@pytest.fixture(scope="session")
def toy_boot() -> BootImage:
    """The toy kernel, as a machine boots it."""
    return ElfImage.read(TOY).boot_image
