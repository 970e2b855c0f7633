import io
import sys
import time

import pytest

from emu.cli import console, progress


class Terminal(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        return True

    def said(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


def terminal_for(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Replace the standard streams; in the test itself, where pytest has set up its own."""
    made = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_a_guest_cannot_drive_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    console.serial(b"ok\r\n\tx\x1b]0;title\x07\x9b2J\x7f\xff\x00")
    assert terminal.said() == b"ok\r\n\tx\\x1b]0;title\\x07\\x9b2J\\x7f\\xff\\x00"


def test_a_pipe_gets_the_bytes_of_the_guest(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    data = bytes(range(256))
    console.line("first")
    console.serial(data)
    assert capfdbinary.readouterr().out == b"first\n" + data


def test_a_silent_run_shows_how_far_it_is_and_takes_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = terminal_for(monkeypatch)
    monkeypatch.setattr(progress, "_SILENCE", 0.01)
    with progress.Progress(lambda: "7 instructions") as line:
        deadline = time.monotonic() + 10
        while b"7 instructions" not in terminal.said() and time.monotonic() < deadline:
            time.sleep(0.01)
        line.output()
        console.serial(b"hello\n")
    assert b"7 instructions\r\x1b[Khello\n" in terminal.said()
    assert not terminal.said().endswith(b"7 instructions")


def test_there_is_no_progress_line_in_a_file(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 0.001)
    with progress.Progress(lambda: "7 instructions"):
        time.sleep(0.02)
    assert capfdbinary.readouterr().err == b""


def test_a_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    console.prepare()
    console.line("nobody reads this")
    sys.stdout.close()
