"""The application: the window with its bridge, or a picture of it, from start to status."""

import os
import sys

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gui import host
from gui.bridge import Bridge
from gui.commands import Begin, Command, GoToPhase, NextFailure, Open
from gui.screenshot import Screenshot
from gui.start import Start
from gui.theme import DARK, LIGHT, THEMES, Theme
from gui.window import MainWindow


def main(start: Start) -> int:
    """Show what was asked for; returns the exit status.

    0: the window was closed, or the picture written; 2: bad input; 4: the guest died before there
    was anything to see; 70: a bug in textpoke.
    """
    application = host.application()
    application.setStyle("Fusion")
    bridge = Bridge()
    window = MainWindow(bridge, _theme(application, start.theme))
    window.resize(*(start.size or (1280, 800)))
    window.show()
    window.use_layout(start.layout)
    bridge.start()
    ticket = [bridge.send(command) for command in _commands(start)][-1]
    picture = Screenshot(window, start.screenshot, ticket) if start.screenshot else None
    status = application.exec()
    if picture is not None and picture.error is not None:
        print(f"textpoke: error: {picture.error}", file=sys.stderr)
    return _leave(window, status)


def _commands(start: Start) -> list[Command]:
    commands: list[Command] = [
        Begin(start.scenario) if start.schedule is None else Open(start.schedule, start.scenario)
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


def _leave(window: MainWindow, status: int) -> int:
    """End the process, also while the machine's thread compiles, which nothing can interrupt."""
    if not window.ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(window.status or status)
    return window.status or status
