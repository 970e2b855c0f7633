"""The types of an image are what the compiler says they are, member for member."""

import re
from pathlib import Path

import pytest

from emu.image.elf import ElfImage
from emu.image.objects import Objects
from tests.conftest import ROOT, TOY
from tests.image import probe
from tests.image.compiled import compiled, preprocessed

KINDS = (Path(__file__).parent / "kinds.c").read_text()
LAYOUT = (Path(__file__).parent / "layout.c").read_text()
NAMES = [
    "struct integers", "struct floats", "struct pointers", "struct arrays", "struct nested",
    "union top", "struct bits", "struct packed_bits", "struct packed", "struct aligned",
    "struct around", "struct vectors", "struct list",
]  # fmt: skip
DEFINED = re.compile(r"\b((?:struct|union) \w+)\s*(?:__\w+\s*)*\{")


@pytest.mark.parametrize(
    "flags",
    [
        ("-gdwarf-4", "-O0"),
        ("-gdwarf-5", "-O2"),
        ("-gdwarf-5", "-O0"),
        ("-gdwarf-4", "-O2"),
        ("-gdwarf-3", "-O0"),
        ("-gdwarf-2", "-gstrict-dwarf", "-O0"),
        ("-gdwarf-4", "-fdebug-types-section"),
        ("-gdwarf-5", "-fdebug-types-section"),
    ],
    ids=" ".join,
)
def test_every_kind_of_type(tmp_path: Path, flags: tuple[str, ...]) -> None:
    image = compiled(tmp_path, KINDS, *flags)
    assert probe.check(tmp_path, KINDS, image.types, NAMES, *flags) > 100
    objects = Objects(image.symbols, image.types, image.read_virtual)
    assert probe.read_everything(image, objects) >= len(NAMES)


def test_the_structures_of_the_toy_kernel(tmp_path: Path) -> None:
    """Each is asked of the first file that has it, its headers read."""
    toy = ElfImage.read(TOY)
    include, folder = ROOT / "kernels" / "include", ROOT / "kernels" / "toy"
    flags = ("-O2", "-mcmodel=kernel", f"-I{include}", f"-I{folder}")
    left = {name for name in toy.types.names() if re.match(r"(struct|union) [a-z]", name)}
    members = 0
    for path in sorted(set(folder.rglob("*.c")) - set(folder.glob("build/**/*"))):
        names = sorted(left & set(DEFINED.findall(preprocessed(path, *flags))))
        if names:
            source = f'#include "{path}"\n'
            members += probe.check(tmp_path, source, toy.types, names, *flags)
            left -= set(names)
    assert not left
    assert members > 100
