from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from tests.image import elf_builder

HERE = Path(__file__).parent
TOY = HERE.parents[1] / "kernels" / "toy" / "toy.elf"


@pytest.fixture(scope="session")
def small() -> ElfImage:
    return ElfImage("small.elf", elf_builder.build())


@pytest.fixture(scope="session", params=["layout4.elf", "layout5.elf"], ids=["dwarf4", "dwarf5"])
def layout(request: pytest.FixtureRequest) -> ElfImage:
    return ElfImage.read(HERE / request.param)


@pytest.fixture(scope="session")
def toy() -> ElfImage:
    return ElfImage.read(TOY)
