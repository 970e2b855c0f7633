"""The queue of commands: many put, one takes."""

import threading
from collections import deque

from gui.commands import Begin, Command, GoTo, Look, Open, Pause, Quit

URGENT = (Pause, Quit, Begin, Open)
"""Commands that end what goes on, and drop what waits, rather than wait for it."""

_LATEST = (GoTo, Look)  # of several in a row only the last counts


class CommandQueue:
    """Commands in order; of several `GoTo` or `Look` in a row the last, before `URGENT` no others.

    Each gets a ticket, a number that grows, by which one learns that it was obeyed. tickets: the
    last one.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Command]] = deque()
        self._changed = threading.Condition()
        self.tickets = 0

    def put(self, command: Command) -> int:
        """Append a command; returns its ticket."""
        with self._changed:
            if self._waiting and isinstance(command, _LATEST):
                _, last = self._waiting[-1]
                if type(last) is type(command):
                    self._waiting.pop()
            if isinstance(command, URGENT):
                kept = [each for each in self._waiting if isinstance(each[1], (Look, *URGENT))]
                self._waiting = deque(kept)
            self.tickets += 1
            self._waiting.append((self.tickets, command))
            self._changed.notify()
            return self.tickets

    @property
    def urgent(self) -> bool:
        """Whether a command waits that ends what goes on."""
        with self._changed:
            return any(isinstance(each, URGENT) for _, each in self._waiting)

    def get(self, timeout: float | None = None) -> tuple[int, Command] | None:
        """Return the next command with its ticket; None if none comes in so many seconds.

        timeout: None: for ever.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), timeout)
            return self._waiting.popleft() if self._waiting else None
