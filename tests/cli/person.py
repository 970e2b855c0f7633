"""A person at a pseudo-terminal, for tests of what is interactive."""

import codecs
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Person:
    """A command at a terminal of its own, and what it has shown."""

    def __init__(self, *words: object, piped: str = "") -> None:
        """piped: "stdin" or "stdout" if that is no terminal."""
        try:
            self.master, self.slave = pty.openpty()
        except OSError as error:  # a chroot without /dev/pts
            pytest.skip(f"no pseudo-terminal to be had: {error}")
        self.modes = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emu.cli.main", *map(str, words)],
            stdin=subprocess.DEVNULL if piped == "stdin" else self.slave,
            stdout=subprocess.DEVNULL if piped == "stdout" else self.slave,
            stderr=self.slave, cwd=ROOT,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
            # who runs the tests in the background has its children ignore the signal
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        self.shown, self._read = "", 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def read_until(self, text: str) -> str:
        """Return what is shown behind the last text that was read, up to this one."""
        start = self._read
        while text not in self.shown[start:]:
            if not self._more():
                assert self.process.poll() is None, f"it ended and showed {self.shown!r}"
        self._read = self.shown.index(text, start) + len(text)
        return self.shown[start : self._read]

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.master, text.encode())

    def raw(self) -> bool:
        """Return whether the terminal is in another mode than before."""
        return termios.tcgetattr(self.slave) != self.modes

    def end(self) -> int:
        """Read until the command ends; returns its status. The terminal has to be as it was."""
        while (status := self.process.poll()) is None or self._more():
            self._more()
        assert not self.raw()
        os.close(self.slave)
        os.close(self.master)
        return status

    def _more(self) -> bool:
        """Take over what is shown within a tenth of a second; returns whether there was any."""
        ready, _, _ = select.select([self.master], [], [], 0.1)
        if ready:
            data = os.read(self.master, 65536)
            self.shown += self._decoder.decode(data)
        return bool(ready)
