"""The bridge between the window and the machine, which live in two threads.

Commands go in through a queue. Frames come out by being there: the window takes the last one once
a frame, and while the machine runs none is made before the last one was taken, so a slow window
slows nothing but itself. Signals are for what is rare. The window touches neither player nor
machine; the machine's thread touches no widget.
"""

import threading
from collections import deque
from typing import Final

from PySide6.QtCore import QObject, Signal

from gui.command_queue import URGENT, CommandQueue
from gui.commands import Command, Quit
from gui.frame import Frame
from gui.garbage import Garbage
from gui.worker import Worker

_GRACE: Final = 2.0
"""Seconds in which the thread ends, unless it compiles."""


class Bridge(QObject):
    """The window's side.

    Signals:
        shown: a frame was published while the player stands still; the window need not wait.
        paused: the player stands still again. phase: it stands at the end of this phase.
        begun: another machine is on; its scenario.
        booting: how far a kernel is that boots, in words.
        failed: something could not be done; a TextpokeError.
        crashed: an internal error; the exception.
    """

    shown = Signal()
    paused = Signal()
    phase = Signal(str)
    begun = Signal(object)
    booting = Signal(str)
    failed = Signal(object)
    crashed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands = CommandQueue()
        self._frames: deque[Frame] = deque(maxlen=1)  # taken and put in one go, by two threads
        self._garbage = Garbage(self)
        self.begun.connect(self._garbage.settle)
        self._worker = Worker(self._commands, self)
        self._thread = threading.Thread(target=self._worker.run, name="machine", daemon=True)

    def start(self) -> None:
        """Start the machine's thread."""
        self._garbage.start()
        self._thread.start()

    def send(self, command: Command) -> int:
        """Ask for something; it is done in order. Returns its ticket, see `Frame.obeyed`."""
        ticket = self._commands.put(command)
        if isinstance(command, URGENT):
            self._worker.interrupt()
        return ticket

    @property
    def last_ticket(self) -> int:
        """The ticket of the command that was sent last."""
        return self._commands.tickets

    def take(self) -> Frame | None:
        """Return the frame that was published since the last time, None if none was."""
        try:
            return self._frames.pop()
        except IndexError:
            return None

    def stop(self) -> bool:
        """End the thread; returns whether it has ended. One that compiles has not."""
        if self._thread.is_alive():
            self.send(Quit())
            self._thread.join(_GRACE)
        ended = not self._thread.is_alive()
        if ended:
            self._garbage.stop()
        return ended

    # --- for the machine's thread --------------------------------------------------------------

    @property
    def wants_frame(self) -> bool:
        """Return whether the window has taken the last frame."""
        return not self._frames

    def publish(self, frame: Frame) -> None:
        """Let the window have a frame, in place of the last one."""
        self._frames.append(frame)
