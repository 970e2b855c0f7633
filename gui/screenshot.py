"""Screenshots: a picture of the window at a moment, without a screen."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from emu import whole_file
from emu.errors import TextpokeError
from gui.window import MainWindow

_LOOK: Final = 20
_SETTLED: Final = 300
"""Milliseconds between two looks, and from the last frame to the picture: flashes are over then."""


class Screenshot(QObject):
    """Waits until the window shows that a command was obeyed, writes a picture, and closes it.

    Args:
        window: what is pictured.
        path: where the picture goes, as PNG.
        ticket: of the command.

    Attributes:
        error: why there is no picture, or None.
    """

    def __init__(self, window: MainWindow, path: Path, ticket: int) -> None:
        super().__init__(window)
        self._window, self._path, self._ticket = window, path, ticket
        self.error: TextpokeError | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._wait)
        self._timer.start(_LOOK)
        window.bridge.failed.connect(self._fail)
        window.bridge.crashed.connect(self._crash, Qt.ConnectionType.QueuedConnection)

    def _wait(self) -> None:
        frame = self._window.frame
        if frame is not None and frame.obeyed >= self._ticket:
            self._timer.stop()
            QTimer.singleShot(_SETTLED, self._make)

    def _make(self) -> None:
        picture = QBuffer()
        picture.open(QBuffer.OpenModeFlag.WriteOnly)
        self._window.grab().save(picture, "PNG")
        if self._window.crash is not None:  # what is painted is not all there is
            self._end(2)
            return
        try:
            whole_file.write(self._path, [bytes(picture.data().data())], "a picture", TextpokeError)
        except TextpokeError as error:
            self._fail(error)
        else:
            self._end(0)

    def _fail(self, error: TextpokeError) -> None:
        self.error = error
        self._end(2)

    def _crash(self, _error: BaseException) -> None:
        self._end(2)

    def _end(self, status: int) -> None:
        self._timer.stop()
        self._window.close()
        QApplication.exit(status)
