from pathlib import Path

import pytest

from emu.image.source import MAX_SOURCE, Sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "tree" / "toy"
    below.mkdir(parents=True)
    (below / "vfs.c").write_text("one\n\ttwo\nthree\x1b[31m\n")
    (tmp_path / "tree" / "vfs.c").write_text("outer\n")
    (tmp_path / "secret.c").write_text("secret\n")
    return tmp_path / "tree"


def test_a_path_is_found_below_the_folder_by_its_last_parts(folder: Path) -> None:
    sources = Sources([folder])
    assert sources.line("toy/vfs.c", 1) == "one"
    assert sources.line("/build/kernels/toy/vfs.c", 2) == "\ttwo"
    assert sources.line("kernels/vfs.c", 1) == "outer"
    assert sources.line("absent.c", 1) is None


def test_folders_are_tried_in_their_order(folder: Path) -> None:
    assert Sources([folder / "toy", folder]).line("vfs.c", 1) == "one"
    assert Sources([folder, folder / "toy"]).line("vfs.c", 1) == "outer"


@pytest.mark.parametrize("number", [0, -1, 5, 1 << 40])
def test_lines_that_are_not_there(folder: Path, number: int) -> None:
    assert Sources([folder]).line("toy/vfs.c", number) is None


@pytest.mark.parametrize(
    "path",
    [
        "../secret.c",
        "toy/../../secret.c",
        "/../secret.c",
        "a\0b",
        "",
        "/",
        "toy",
        "x/" * 40 + "vfs.c",
    ],
)
def test_nothing_outside_the_folder_is_shown(folder: Path, path: str) -> None:
    assert Sources([folder]).line(path, 1) is None


def test_an_absolute_path_is_only_looked_up_below(folder: Path) -> None:
    assert Sources([folder]).line(str(folder.parent / "secret.c"), 1) is None


def test_links_that_lead_out_are_refused(folder: Path) -> None:
    (folder / "link.c").symlink_to(folder.parent / "secret.c")
    (folder / "inside.c").symlink_to(folder / "vfs.c")
    (folder / "loop.c").symlink_to(folder / "loop.c")
    sources = Sources([folder])
    assert sources.line("link.c", 1) is None
    assert sources.line("inside.c", 1) == "outer"
    assert sources.line("loop.c", 1) is None


def test_what_could_drive_a_terminal_is_escaped(folder: Path) -> None:
    assert Sources([folder]).line("toy/vfs.c", 3) == "three\\x1b[31m"


def test_huge_files_are_not_read(folder: Path) -> None:
    (folder / "huge.c").write_bytes(b"\n" * (MAX_SOURCE + 1))
    assert Sources([folder]).line("huge.c", 1) is None
