"""Programs are what their sources say: built again, they have the same bytes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.conftest import ROOT

KERNELS = ROOT / "kernels"
PROGRAMS = pytest.mark.parametrize(
    ("program", "most"), [("toy/toy.elf", 2_000_000), ("init/init", 60_000)]
)


def recorded(program: Path) -> set[str]:
    """Return what made a program, as its debug information says: GNU C11 12.2.0, GNU AS 2.40."""
    with program.open("rb") as file:
        units = ELFFile(file).get_dwarf_info().iter_CUs()
        producers = [unit.get_top_DIE().attributes["DW_AT_producer"].value for unit in units]
    found = (re.match(rb"GNU \S+ [\d.]+", producer) for producer in producers)
    return {match[0].decode() for match in found if match}


def here() -> set[str]:
    """Return what would make it here; empty without a compiler."""
    if not all(map(shutil.which, ("gcc", "as", "ld", "make", "awk"))):
        return set()
    version = re.search(r"[\d.]+$", says("as", "--version").splitlines()[0])
    return {
        f"GNU C11 {says('gcc', '-dumpfullversion')}",
        f"GNU AS {version[0] if version else '?'}",
    }


def says(tool: str, *words: str) -> str:
    """Return what a tool prints."""
    path = shutil.which(tool) or tool
    return subprocess.run([path, *words], capture_output=True, text=True, check=True).stdout.strip()


@PROGRAMS
def test_it_is_small(program: str, most: int) -> None:
    assert (KERNELS / program).stat().st_size < most


@PROGRAMS
@pytest.mark.slow
def test_it_is_built_again_bit_for_bit_in_another_folder(
    program: str, most: int, tmp_path: Path
) -> None:
    made, makes = recorded(KERNELS / program), here()
    assert len(made) == 2
    if made != makes:
        pytest.skip(f"{program} was made by {sorted(made)}, and here is {sorted(makes)}")
    unbuilt = shutil.ignore_patterns("build")
    shutil.copytree(KERNELS, tmp_path / "kernels", ignore=unbuilt)
    again = tmp_path / "kernels" / program
    again.unlink(missing_ok=True)
    says("make", "-s", "-C", str(again.parent))
    assert again.read_bytes() == (KERNELS / program).read_bytes()
    assert again.stat().st_size < most
