"""The terminal of an interactive run: every key as it is typed, and as it was afterwards.

Modes as QEMU sets them for a serial line on standard input (chardev/char-stdio.c,
qemu_chr_set_echo_stdio): no echo, no lines, no signals by keys; output is processed as before, so
that a guest's bare newline begins a line.
"""

import os
import select
import signal
import sys
import termios
from types import FrameType, TracebackType
from typing import Final, Self

_DEADLY: Final = (signal.SIGTERM, signal.SIGHUP)
_INPUT, _CONTROL, _LOCAL, _CHARACTERS = 0, 2, 3, 6  # of what tcgetattr returns
_PIECE = 4096


def forget_typed() -> None:
    """Forget what was typed so far on standard input, a terminal, and not read."""
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


class Terminal:
    """Standard input, a terminal, without echo and lines while the `with` block runs."""

    def __init__(self) -> None:
        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        self._handlers = {number: signal.getsignal(number) for number in _DEADLY}
        # A signal that comes when Python has looked for one and select() has not begun is heard
        # by nobody; the byte that Python then writes ends the select().
        self._wake, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        self._waking_before = -1

    def __enter__(self) -> Self:
        modes = termios.tcgetattr(self._file)
        modes[_INPUT] &= ~(
            termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP
            | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
        )  # fmt: skip
        modes[_LOCAL] &= ~(
            termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG
        )
        modes[_CONTROL] = modes[_CONTROL] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        modes[_CHARACTERS][termios.VMIN], modes[_CHARACTERS][termios.VTIME] = 1, 0
        self._waking_before = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        for number in _DEADLY:
            signal.signal(number, self._die)
        termios.tcsetattr(self._file, termios.TCSANOW, modes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._waking_before)
        os.close(self._wake)
        os.close(self._waking)

    def _die(self, number: int, _frame: FrameType | None) -> None:
        """Put the terminal in order, and die of the signal as anybody does."""
        termios.tcsetattr(self._file, termios.TCSANOW, self._before)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def typed(self, *, wait: bool) -> bytes | None:
        """Return what was typed since the last time, b"" if nothing; None: it is closed.

        wait: until there is something.
        """
        ready, _, _ = select.select([self._file, self._wake], [], [], None if wait else 0)
        if self._wake in ready:
            os.read(self._wake, _PIECE)
        if self._file not in ready:
            return b""
        try:
            return os.read(self._file, _PIECE) or None
        except OSError:  # EIO: the other end has gone
            return None
