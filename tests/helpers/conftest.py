from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from tests.helpers.lists import Memory


@pytest.fixture(scope="session")
def layout() -> ElfImage:
    return ElfImage.read(Path(__file__).parents[1] / "image" / "layout5.elf")


@pytest.fixture
def memory() -> Memory:
    return Memory()
