import io
import sys
import threading

import pytest

from emu.cli import console, progress


class Terminal(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self._awaited, self._written = "", threading.Event()

    def isatty(self) -> bool:
        return True

    def await_text(self, text: str) -> threading.Event:
        """Return what is set once a text is written."""
        self._awaited, self._written = text, threading.Event()
        return self._written

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._awaited and self._awaited in text:
            self._written.set()
        return written

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
    written = terminal.await_text("7 instructions")
    with progress.Progress(lambda: "7 instructions") as line:
        assert written.wait(60)
        line.output()
        console.serial(b"hello\n")
    assert b"7 instructions\r\x1b[Khello\n" in terminal.said()
    assert not terminal.said().endswith(b"7 instructions")


def test_a_line_that_the_guest_has_begun_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    monkeypatch.setattr(progress, "_SILENCE", 0.01)
    console.serial(b"panic: no init")
    written = terminal.await_text("\n7 instructions")
    with progress.Progress(lambda: "7 instructions") as line:
        line.output(b"panic: no init")
        assert written.wait(60)


def test_there_is_no_progress_line_in_a_file(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SILENCE", 0.001)
    threads = threading.enumerate()
    with progress.Progress(lambda: "7 instructions"):
        assert threading.enumerate() == threads  # nobody who could write it
    assert capfdbinary.readouterr().err == b""


def test_a_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    console.prepare()
    console.line("nobody reads this")
    sys.stdout.close()
