"""The application: the window with its bridge, or a picture of it, from start to status."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from emu.lab import compiling
from emu.lab.scenario import Scenario
from gui import host
from gui.bridge import Bridge
from gui.commands import Begin, Command, GoToPhase, NextFailure, Open
from gui.screenshot import Screenshot
from gui.start import Start
from gui.theme import DARK, LIGHT, THEMES, Theme
from gui.window import MainWindow


def main(start: Start) -> int:
    """Show what was asked for; returns the exit status.

    Raises, once the window is closed, what went wrong inside; TextpokeError if there is no picture;
    KeyboardInterrupt where Ctrl-C in the terminal has closed it.
    """
    application = host.application()
    application.setStyle("Fusion")
    bridge = Bridge()
    window = MainWindow(bridge, _theme(application, start.theme))
    window.resize(*(start.size or (1280, 800)))
    window.show()
    window.looks.use_layout(start.layout)
    compiling.announce()
    bridge.start()
    ticket = [bridge.send(command) for command in _commands(start)][-1]
    picture = Screenshot(window, start.screenshot, ticket) if start.screenshot else None
    sys.excepthook = lambda _kind, error, _trace: _tell(window, error)
    with _interruptible(window) as interrupted:
        status = application.exec()
    sys.excepthook = sys.__excepthook__
    if interrupted and window.ended:
        raise KeyboardInterrupt
    if not window.ended:  # it compiles, which nothing can interrupt
        _leave(status)
    if window.crash is not None:
        raise window.crash
    if picture is not None and picture.error is not None:
        raise picture.error
    return status


def _tell(window: MainWindow, error: BaseException) -> None:
    """Note a crash now, and tell of it later: it may come from the midst of a paintEvent."""
    window.crash = window.crash or error
    window.bridge.crashed.emit(error)


@contextmanager
def _interruptible(window: MainWindow) -> Iterator[list[int]]:
    """Let SIGINT close the window meanwhile; yields the signals that came.

    Python calls the handler in this thread as soon as it runs any Python, as the window does for
    every frame. An exception would end in the slot that it happens to come from.
    """
    came: list[int] = []

    def close(number: int, _frame: object) -> None:
        came.append(number)
        window.close()
        QApplication.exit(128 + number)  # as a shell has it

    before = signal.signal(signal.SIGINT, close)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(status: int) -> None:
    """End the process at once, with whatever its threads do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _commands(start: Start) -> list[Command]:
    commands: list[Command] = [
        Begin(start.scenario)
        if start.schedule is None or not isinstance(start.scenario, Scenario)
        else Open(start.schedule, start.scenario)
    ]
    if start.at == "failure":
        commands.append(NextFailure())
    elif start.at is not None:
        commands.append(GoToPhase(start.at))
    return commands


def _theme(application: QApplication, name: str | None) -> Theme:
    """Return the theme asked for, or the one the desktop has."""
    if name is not None:
        return THEMES[name]
    dark = application.styleHints().colorScheme() is Qt.ColorScheme.Dark
    return DARK if dark else LIGHT
