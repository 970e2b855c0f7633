"""Ctrl-C while a run has something to keep: it is heard between two moves."""

import signal
from types import FrameType, TracebackType
from typing import Self

from emu.lab import Lab
from emu.machine import compiling


class Interruptible:
    """While the `with` block runs, SIGINT ends the lab's run; the second time, everything.

    While the machine is compiled no move is made, so there it is KeyboardInterrupt as elsewhere.
    Who ignores it, as a shell's background job does, goes on ignoring it.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab, self._before = lab, signal.getsignal(signal.SIGINT)

    def __enter__(self) -> Self:
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if compiling.busy():
            raise KeyboardInterrupt
        self._lab.interrupt()
