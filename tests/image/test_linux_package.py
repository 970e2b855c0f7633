import os
from pathlib import Path

import pytest

from emu.image import linux_package
from tests import linux


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(linux.VARIABLE, raising=False)
    return tmp_path / "textpoke" / "linux"


def test_without_a_package_there_is_none(folder: Path) -> None:
    assert linux_package.folder() == folder
    assert linux_package.kept() is None
    assert linux.files() == []


def test_the_package_that_came_last_is_taken(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, time in (("linux-image-1.deb", 5), ("linux-image-0.deb", 9), ("part.deb", 20)):
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (time, time))
    assert linux_package.kept() == folder / "linux-image-0.deb"
    assert linux.files() == [folder / "linux-image-0.deb", folder / "linux-image-1.deb"]


def test_kernels_that_are_named_have_to_be_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = folder.parent.parent / "one", folder.parent.parent / "other"
    one.write_bytes(b"")
    monkeypatch.setenv(linux.VARIABLE, f"{one}:{other}")
    with pytest.raises(FileNotFoundError, match=r"names .*other, which is no file"):
        linux.files()
    other.write_bytes(b"")
    assert linux.files() == [one, other]
