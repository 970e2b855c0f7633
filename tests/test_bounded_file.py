"""Files that are read whole: a bound, and one line where they cannot be read."""

import io
from pathlib import Path

import pytest

from emu import bounded_file
from emu.errors import TextpokeError


@pytest.mark.parametrize(("most", "size"), [(1 << 10, "1 KiB"), (1 << 20, "1 MiB")])
def test_a_file_has_as_many_bytes_as_are_allowed(tmp_path: Path, most: int, size: str) -> None:
    path = tmp_path / "script"
    path.write_bytes(bytes(most))
    assert bounded_file.read(path, most, "a script") == bytes(most)
    path.write_bytes(bytes(most + 1))
    with pytest.raises(TextpokeError) as error:
        bounded_file.read(path, most, "a script")
    assert str(error.value) == f"{path}: over {size}, too large for a script"


@pytest.mark.parametrize(
    ("name", "why"), [("none", "No such file or directory"), (".", "Is a directory")]
)
def test_what_cannot_be_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TextpokeError) as error:
        bounded_file.read(name, 10, "a script")
    assert str(error.value) == f"{name}: {why}"
    with pytest.raises(TextpokeError) as error:
        bounded_file.read("a\0b", 10, "a script")
    assert str(error.value) == r"a\x00b: cannot be read"


def test_a_stream_is_read_in_place_of_a_file_and_stays_open() -> None:
    stream = io.BytesIO(b"typed")
    assert bounded_file.read("-", 5, "--input", stream) == b"typed"
    assert not stream.closed
    stream.seek(0)
    with pytest.raises(TextpokeError, match=r"^-: over 0 KiB, too large for --input$"):
        bounded_file.read("-", 4, "--input", stream)
