import json
import os
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadSchedule
from emu.moves import schedule_file
from emu.moves.schedule import Schedule
from tests.moves.strategies import json_values
from tests.moves.test_schedule import SAMPLE

GOOD = "".join(schedule_file.lines(SAMPLE.to_json())).encode()


def refusal(path: Path) -> str:
    with pytest.raises(BadSchedule) as caught:
        Schedule.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (b"hello", "not JSON: line 1"),
        (b"\x7fELF\xff\x00", "not a schedule: it is not text"),
        (GOOD[:300], "cut off in line "),
        (b'{"format": "textpoke', "cut off in line 1"),
        (GOOD + b"{", "not JSON"),
        (b'{"a": 1,, "b": 2}', "not JSON: line 1"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there twice"),
        (b'{"a": NaN}', "the number NaN"),
        (b'{"a": -Infinity}', "the number -Infinity"),
        (b'{"a": 1e999}', "the number 1e999"),
        (b'{"a": 1.5}', "the number 1.5"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is far too large"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b"[]", "not a schedule"),
        (b"3", "not a schedule"),
    ],
    ids=range(18),
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)
    assert said in refusal(path)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    whole = GOOD.rstrip()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        assert "cut off" in refusal(path)


@given(st.data())
def test_any_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        Schedule.from_json(schedule_file.parse(bytes(damaged), "run.json"), "run.json")
    except BadSchedule as error:
        assert "\n" not in str(error)  # noqa: PT017 -- whether it raises is not the question


@given(st.binary())
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadSchedule):
        Schedule.from_json(schedule_file.parse(data, "run.json"), "run.json")


@given(json_values)
def test_lines_say_what_json_says(value: object) -> None:
    text = "".join(schedule_file.lines(value))
    assert json.dumps(json.loads(text)) == json.dumps(json.loads(json.dumps(value)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.json")
    assert refusal(tmp_path) == "not a file"
    with pytest.raises(BadSchedule, match="cannot be read"):
        Schedule.read("a\0b")


def test_sizes_are_bounded_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    with path.open("wb") as file:
        file.truncate(schedule_file.MAX_FILE + 1)
    assert "too large" in refusal(path)
    monkeypatch.setattr(schedule_file, "MAX_BRACKETS", 5)
    path.write_bytes(b"[[],[],[],[],[]]")
    assert "no schedule has so many" in refusal(path)


def test_no_file_takes_much_more_memory_than_its_values() -> None:
    """A pattern that backtracks, or a hint for a name, took a hundred bytes for each of a file."""
    long_hex, long_key = SAMPLE.to_json(), SAMPLE.to_json()
    long_hex["image"] = {"name": "toy.elf", "sha256": "ab" * (1 << 20)}
    long_key["formats" * (1 << 18)] = 1
    for document, said in ((long_hex, "1048576 bytes"), (long_key, "unknown key 'formats")):
        data = json.dumps(document).encode()
        tracemalloc.start()
        try:
            with pytest.raises(BadSchedule, match=said):
                Schedule.from_json(schedule_file.parse(data, "run.json"), "run.json")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * len(data)


def test_many_small_values_are_refused_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule_file, "MAX_COMMAS", 2)
    monkeypatch.setattr(schedule_file, "MAX_COLONS", 2)
    assert schedule_file.parse(b"[300,300,300]", "run.json") == [300] * 3
    with pytest.raises(BadSchedule, match="over 2 values, no schedule has so many"):
        schedule_file.parse(b"[300,300,300,300]", "run.json")
    assert schedule_file.parse(b'{"a":1,"b":2}', "run.json") == {"a": 1, "b": 2}
    with pytest.raises(BadSchedule, match="over 2 members, no schedule has so many"):
        schedule_file.parse(b'{"a":1,"b":2,"c":3}', "run.json")


# --- writing -----------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadSchedule, match="not saved: No space left on device"):
        SAMPLE.write(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_goes_through_a_link_and_obeys_the_umask(tmp_path: Path) -> None:
    link, real = tmp_path / "link.json", tmp_path / "real.json"
    link.symlink_to(real)
    before = os.umask(0o027)
    try:
        SAMPLE.write(link)
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert Schedule.read(link) == SAMPLE


def test_only_a_file_in_a_folder_can_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "run.json", Path(os.devnull), "a\0b"):
        with pytest.raises(BadSchedule):
            SAMPLE.write(path)
        with pytest.raises(BadSchedule):
            schedule_file.check_target(path)
    assert Path(os.devnull).is_char_device()


def test_a_schedule_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    bad = SAMPLE.to_json() | {"segments": [{"moves": ["run 9 9"]}]}
    with pytest.raises(BadSchedule):
        Schedule.from_json(bad).write(tmp_path / "run.json")
    assert not list(tmp_path.iterdir())
