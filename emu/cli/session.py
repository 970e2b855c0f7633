"""An interactive run: a person at a terminal, who types what the guest's serial line receives."""

import sys
from collections.abc import Callable
from typing import Final

from emu.cli import console
from emu.cli.keys import HELP, Command, Keys
from emu.cli.terminal import Terminal
from emu.lab import End, Lab

_PIECE: Final = 1_000_000
"""Instructions between two looks at the keyboard: some ten milliseconds."""


def possible() -> bool:
    """Return whether a person is there to type."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def impossible() -> str | None:
    """Return why nobody can type at the one terminal that there is; None if there is no other."""
    typed = sys.stdin is not None and sys.stdin.isatty()
    if typed == sys.stdout.isatty():
        return None
    if typed:
        return "standard output is no terminal: not interactive, what you type is not read"
    return "standard input is no terminal: not interactive; --input - lets the guest receive it"


class Session:
    """A run at a terminal.

    Args:
        lab: what runs.
        until: text on the serial line that ends it.
        snapshot: called when the person asks for one; None: no file was named for it.
    """

    def __init__(
        self, lab: Lab, until: bytes | None, snapshot: Callable[[], None] | None = None
    ) -> None:
        self._lab, self._until, self._snapshot = lab, until, snapshot
        self._keys = Keys()

    def run(self, steps: int) -> End | None:
        """Run until something ends it; None: the person left."""
        left, stuck = steps, False
        with Terminal() as terminal:
            console.note("interactive: Ctrl-A X leaves, Ctrl-A H helps")
            while True:
                typed = terminal.typed(wait=stuck)
                if typed is None or not self._heed(typed):
                    return None
                before = self._lab.machine.retired()
                end = self._lab.run(
                    until=self._until, instructions=min(left, _PIECE), on_output=console.raw
                )
                left -= self._lab.machine.retired() - before
                stuck = end is End.STUCK and self._lab.input_may_wake()
                if not stuck and (end is not End.BOUND or left <= 0):
                    return end

    def _heed(self, typed: bytes) -> bool:
        """Give the guest what was typed, and do what else it says; returns whether to go on."""
        for each in self._keys.read(typed):
            if each is Command.LEAVE:
                return False
            if each is Command.HELP:
                for line in HELP:
                    console.note(line)
            elif each is Command.SNAPSHOT:
                self._save()
            else:
                assert isinstance(each, bytes)
                self._lab.input(each)
        return True

    def _save(self) -> None:
        if self._snapshot is None:
            console.note("no file to write a snapshot to: start with --snapshot FILE")
        else:
            self._snapshot()
