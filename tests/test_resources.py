from pathlib import Path

import pytest

from emu import resources
from emu.errors import BadImage


def test_the_toy_is_found_in_a_checkout() -> None:
    assert resources.toy().read_bytes()[:4] == b"\x7fELF"


def test_the_headers_are_found_in_a_checkout() -> None:
    assert (resources.include() / "poke.h").is_file()
    assert (resources.include() / "toy" / "defs.h").is_file()


def test_what_an_installed_wheel_holds_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "emu")
    with pytest.raises(BadImage, match=r"toy\.elf is missing"):
        resources.toy()
    with pytest.raises(BadImage, match=r"poke\.h is missing"):
        resources.include()
    with pytest.raises(BadImage, match=r"init is missing"):
        resources.init()
    folders = ("resources/schedules", "kernels/toy", "kernels/init", "kernels/include")
    for folder in ("emu/data/resources/schedules", "emu/data/include", *folders):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("emu/data/toy.elf", "kernels/toy/toy.elf", "emu/data/init", "kernels/init/init"):
        (tmp_path / file).touch()
    for file in ("emu/data/resources/schedules/arm.json", "resources/schedules/arm.json"):
        (tmp_path / file).touch()
    assert resources.toy() == tmp_path / "emu/data/toy.elf"
    assert resources.init() == tmp_path / "emu/data/init"
    assert resources.include() == tmp_path / "emu/data/include"
    assert resources.schedule("arm") == tmp_path / "emu/data/resources/schedules/arm.json"
    assert resources.schedules() == ("arm",)
    assert resources.schedule("../arm") is None
    assert resources.schedule("none") is None


def test_scripts_for_linux_are_found_by_name() -> None:
    found = resources.linux_script("oracle")
    assert found is not None
    assert "enabled_functions" in found.read_text()
    assert resources.linux_script("../linux/oracle") is None
    assert resources.linux_script("a" * 300) is None
