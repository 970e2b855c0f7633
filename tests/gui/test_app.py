"""The application ends as it was asked to."""

import signal

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from emu.lab.scenario import Scenario
from gui import app
from gui.start import Start
from gui.window import MainWindow

pytestmark = [pytest.mark.screen, pytest.mark.usefixtures("qapp")]


def test_an_interrupt_from_the_terminal_closes_the_window() -> None:
    windows: list[MainWindow] = []

    def look() -> None:
        shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)]
        if any(each.frame is not None and each.isVisible() for each in shown):
            windows.extend(shown)
            timer.stop()
            signal.raise_signal(signal.SIGINT)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        app.main(Start(Scenario(cores=1)))
    assert windows
    assert all(each.ended and each.crash is None for each in windows if each.frame)
    assert signal.getsignal(signal.SIGINT) is before
