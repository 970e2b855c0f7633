"""A line on a terminal that says how far a run without output has come."""

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from emu.cli import console

_SILENCE: Final = 2.0
"""Seconds without output before the line appears, and between two of its versions."""

_CLEAR: Final = "\r\x1b[K"
_NEXT: Final = "\n"


class Progress:
    """A line on a terminal that says how far a silent run is; nothing elsewhere.

    Args:
        state: returns what the line says, None: nothing now; called from another thread, so it
            only looks.
    """

    def __init__(self, state: Callable[[], str | None]) -> None:
        self._state = state
        self._begun = False  # the output ends within a line of the terminal, which is kept
        self._done = threading.Event()
        self._spoken = threading.Event()
        self._shown = False
        self._thread: threading.Thread | None = None

    def output(self, data: bytes = b"") -> None:
        """Take the line away, since this or something else is about to be printed."""
        self._spoken.set()
        if data and sys.stdout.isatty():
            self._begun = not data.endswith(b"\n")
        with console.terminal:
            if self._shown:
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()
                self._shown = False

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()
        self.output()

    def _run(self) -> None:
        while not self._done.wait(_SILENCE):
            if self._spoken.is_set():
                self._spoken.clear()
                continue
            text = self._state()
            with console.terminal:
                if text and not self._done.is_set() and not self._spoken.is_set():
                    sys.stderr.write(f"{_NEXT if self._begun else _CLEAR}{text}")
                    sys.stderr.flush()
                    self._shown, self._begun = True, False
