import os
from pathlib import Path

import pytest

from emu.errors import BadImage
from emu.image import kept_kernel, linux_package
from tests.image.linux_builder import deb

KERNEL, OTHER = b"a kernel" * 500, b"another!" * 500
LIMIT = 1 << 20


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    linux_package.folder().mkdir(parents=True)
    return linux_package.folder() / "linux-image-1.deb"


def read(package: Path, kernel: bytes = KERNEL) -> bytes:
    return kept_kernel.kernel(package, deb(kernel), LIMIT)


def beside(package: Path) -> Path:
    (path,) = package.parent.glob("*.kernel")
    return path


def unpack_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> bytes:
        raise AssertionError("unpacked")

    monkeypatch.setattr("emu.image.deb.kernel", refused)


def test_a_package_is_unpacked_once(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package.touch()
    assert read(package) == KERNEL
    unpack_nothing(monkeypatch)
    assert read(package) == KERNEL


def test_another_package_of_the_same_name_is_unpacked(package: Path) -> None:
    package.touch()
    assert read(package) == KERNEL
    assert read(package, OTHER) == OTHER
    assert read(package) == KERNEL


@pytest.mark.parametrize("at", [0, 32, 64, -1])
def test_a_damaged_file_is_made_again(package: Path, at: int) -> None:
    package.touch()
    read(package)
    whole = bytearray(beside(package).read_bytes())
    whole[at] ^= 1
    beside(package).write_bytes(whole)
    assert read(package) == KERNEL
    whole[at] ^= 1
    assert beside(package).read_bytes() == whole


@pytest.mark.parametrize("size", [0, 40, 64, 100])
def test_a_file_that_is_cut_is_made_again(package: Path, size: int) -> None:
    package.touch()
    read(package)
    os.truncate(beside(package), size)
    assert read(package) == KERNEL


def test_what_is_kept_may_not_be_larger_than_the_bound(package: Path) -> None:
    package.touch()
    read(package)
    with pytest.raises(BadImage, match="over 0 MiB"):
        kept_kernel.kernel(package, deb(KERNEL), len(KERNEL) - 1)


def test_kernels_of_packages_that_are_gone_go(package: Path) -> None:
    package.touch()
    read(package)
    package.unlink()
    new = package.with_name("linux-image-2.deb")
    new.touch()
    read(new, OTHER)
    assert beside(new).name == "linux-image-2.kernel"


def test_a_package_elsewhere_leaves_nothing_behind(tmp_path: Path) -> None:
    assert read(tmp_path / "mine.deb") == KERNEL
    assert not list(tmp_path.glob("*.kernel"))


@pytest.mark.parametrize("name", ["linux-image-1.kernel", "linux-image-1", "linux-image-1.DEB"])
def test_a_package_of_another_name_is_neither_replaced_nor_kept(package: Path, name: str) -> None:
    """The unpacked kernel would lie in its place, or would have no package to go with."""
    other = package.with_name(name)
    other.write_bytes(deb(KERNEL))
    assert read(other) == KERNEL
    assert [each.name for each in package.parent.iterdir()] == [name]
    assert other.read_bytes() == deb(KERNEL)


def test_where_nothing_can_be_written_it_is_unpacked(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert read(package) == KERNEL
    assert not list(package.parent.glob("*.kernel"))


def test_a_damaged_package_is_an_error(package: Path) -> None:
    with pytest.raises(BadImage, match=r"^linux-image-1\.deb: the package cannot be read"):
        kept_kernel.kernel(package, deb(KERNEL)[:-9], LIMIT)
    assert not list(package.parent.glob("*.kernel"))
