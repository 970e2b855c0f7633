"""toy.elf is what its sources say: built again by the same compiler, it has the same bytes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.conftest import ROOT, TOY

KERNELS = ROOT / "kernels"


def recorded() -> set[str]:
    """Return what made toy.elf, as its debug information says: GNU C11 12.2.0, GNU AS 2.40."""
    with TOY.open("rb") as file:
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


def test_it_is_below_two_megabytes() -> None:
    assert TOY.stat().st_size < 2_000_000


@pytest.mark.slow
def test_it_is_built_again_bit_for_bit_in_another_folder(tmp_path: Path) -> None:
    made, makes = recorded(), here()
    assert len(made) == 2
    if made != makes:
        pytest.skip(f"toy.elf was made by {sorted(made)}, and here is {sorted(makes)}")
    shutil.copytree(KERNELS, tmp_path / "kernels", ignore=shutil.ignore_patterns("build", "*.elf"))
    folder = tmp_path / "kernels" / "toy"
    says("make", "-s", "-C", str(folder))
    assert (folder / "toy.elf").read_bytes() == TOY.read_bytes()
