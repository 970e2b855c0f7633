"""A window with its machine, for tests: asked by commands, waited for by what it shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from emu.lab.player import AnyScenario
from emu.lab.scenario import Scenario
from gui.bridge import Bridge
from gui.commands import Begin, Command
from gui.frame import Frame
from gui.theme import LIGHT, Theme
from gui.timeline.panel import TimelinePanel
from gui.window import MainWindow

_PATIENCE = 120_000  # ms: only a test that fails waits as long, or one that compiles


class Opened:
    """A window that is open.

    failures: what it could not do, the errors.
    """

    def __init__(self, window: MainWindow) -> None:
        self.window, self.bridge = window, window.bridge
        self.failures: list[BaseException] = []
        self.bridge.failed.connect(self.failures.append)
        self.bridge.crashed.connect(self.failures.append)

    @property
    def frame(self) -> Frame:
        """What it shows."""
        assert self.window.frame is not None
        return self.window.frame

    def ask(self, command: Command) -> Frame:
        """Send a command and wait until the window shows that it was obeyed."""
        return self.wait_for(self.bridge.send(command))

    def settle(self) -> Frame:
        """Wait until everything that was asked for so far is shown."""
        return self.wait_for(self.bridge.last_ticket)

    def wait_for(self, ticket: int) -> Frame:
        """Wait until the window shows that the command with a ticket was obeyed."""
        loop, timer = QEventLoop(), QTimer()

        def look() -> None:
            if self.window.frame is not None and self.window.frame.obeyed >= ticket:
                loop.quit()

        timer.timeout.connect(look)
        timer.start(1)
        QTimer.singleShot(_PATIENCE, timer, lambda: loop.exit(1))
        late = loop.exec()
        assert not late, f"not obeyed in {_PATIENCE} ms"
        QApplication.processEvents()
        return self.frame


class Painted(QObject):
    """Counts what a window has painted of a run.

    frames: how often the timeline was painted up to a later time, and after more events, than the
    time before.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._last, self.frames = window, (0, 0), 0
        panel = window.panels["timeline"]
        assert isinstance(panel, TimelinePanel)
        panel.view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at what is about to be painted."""
        frame = self._window.frame
        if event.type() == QEvent.Type.Paint and frame and frame.lanes and frame.log:
            now = frame.lanes.end, frame.log.rows
            self.frames += now[0] > self._last[0] and now[1] > self._last[1]
            self._last = now
        return super().eventFilter(watched, event)


@contextmanager
def looks_kept() -> Iterator[None]:
    """Let the application look for other tests as it does now."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    font, palette, sheet = application.font(), application.palette(), application.styleSheet()
    try:
        yield
    finally:
        application.setStyleSheet(sheet)
        application.setPalette(palette)
        application.setFont(font)


@contextmanager
def opened(
    scenario: AnyScenario | None = None,
    *,
    theme: Theme = LIGHT,
    size: tuple[int, int] = (1280, 800),
) -> Iterator[Opened]:
    """Open a window with a machine, and close it again."""
    with looks_kept():
        yield from _opened(scenario, theme, size)


def _opened(scenario: AnyScenario | None, theme: Theme, size: tuple[int, int]) -> Iterator[Opened]:
    window = MainWindow(Bridge(), theme)
    window.resize(*size)
    window.show()
    window.looks.use_layout("desktop")
    found = Opened(window)
    found.bridge.start()
    try:
        found.ask(Begin(scenario or Scenario()))
        yield found
    finally:
        window.close()
