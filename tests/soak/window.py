"""A soak of the window: does Qt's binding lose references, frame after frame?

PySide6 6.12 drops a reference of None in many calls; where None is counted (before Python 3.12),
the process ends after some thousand of them ("Fatal Python error: none_dealloc"), which is later
than the tests of the window take. So: run `python -m tests.soak.window` in a process of its own.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEventLoop, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from emu.lab.scenario import Scenario
from gui import host
from gui.bridge import Bridge
from gui.commands import Begin, Play
from gui.theme import LIGHT
from gui.window import MainWindow

SINGLETONS: Final = (None, True, False)
SLACK, LIVELY = 1_000, 20_000
"""References that may be gone: what was cached, and, while a machine runs, what it let go of."""

SPEED: Final = 200_000
"""Instructions a second while frames are shown: each frame has new events."""

OFTEN: Final = 2
"""Milliseconds between two looks for a frame: more often than the window does by itself."""

WARM: Final = 100
"""Frames after which everything was shown once."""


class Drift:
    """How many references of None, True and False are gone.

    There may be more of them than before, since what lives has some. slack: how many may be gone.
    """

    def __init__(self, slack: int) -> None:
        self._slack, self._before = slack, self._counts()

    @staticmethod
    def _counts() -> tuple[int, ...]:
        return tuple(map(sys.getrefcount, SINGLETONS))

    def check(self, after: int) -> None:
        """Raise AssertionError if references were lost in `after` rounds."""
        for value, before, now in zip(SINGLETONS, self._before, self._counts(), strict=True):
            if before - now > self._slack:
                raise AssertionError(
                    f"{value} had {before} references, after {after} rounds it has {now}"
                )


def paint(painter: QPainter, widget: QWidget) -> int:
    """Make one call of each kind that panels make; returns how many."""
    calls: tuple[Callable[[], object], ...] = (
        painter.save,
        lambda: painter.setPen(QColor("#15181d")),
        lambda: painter.setPen(Qt.PenStyle.NoPen),
        lambda: painter.setBrush(QColor("#ffd23f")),
        lambda: painter.setFont(QFont("DejaVu Sans Mono")),
        lambda: painter.setRenderHint(QPainter.RenderHint.Antialiasing),
        lambda: painter.setClipRect(QRectF(0, 0, 100, 100)),
        lambda: painter.fillRect(QRectF(0, 0, 9, 9), QColor("#ffffff")),
        lambda: painter.drawRect(QRectF(1, 1, 8, 8)),
        lambda: painter.drawLine(QPointF(0, 0), QPointF(9, 9)),
        lambda: painter.drawEllipse(QRectF(0, 0, 9, 9)),
        lambda: painter.drawPolygon([QPointF(0, 0), QPointF(9, 0), QPointF(0, 9)]),
        lambda: painter.drawText(
            QRectF(0, 0, 99, 20), Qt.AlignmentFlag.AlignLeft, "0f 1f 44 00 00"
        ),
        lambda: painter.translate(0, 0),
        painter.restore,
        widget.update,
        widget.parent,
        lambda: widget.setToolTip("core 1"),
        lambda: widget.resize(100, 100),
        widget.isVisible,
    )
    for call in calls:
        call()
    return len(calls)


def painter_calls(count: int) -> None:
    """Make at least so many calls of a painter and a widget."""
    widget, picture = QLabel("a"), QPixmap(100, 100)
    made = 0
    painter = QPainter(picture)
    paint(painter, widget)  # what is made once, is made now
    drift = Drift(SLACK)
    while made < count:
        made += paint(painter, widget)
        drift.check(made)
    painter.end()
    print(f"{made} painter calls")


def window_frames(application: QApplication, count: int) -> None:
    """Let the main window show so many frames of a run, each with all its panels painted."""
    bridge = Bridge()
    window = MainWindow(bridge, LIGHT)
    window.resize(1280, 720)
    window.show()
    bridge.start()
    for command in (Begin(Scenario()), Play(SPEED)):
        bridge.send(command)
    often = QTimer()
    often.timeout.connect(window.show_next_frame)
    often.start(OFTEN)
    shown, last, drift = 0, -1, None
    while shown < count:
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if window.frame is not None and window.frame.number != last:
            shown, last = shown + 1, window.frame.number
            if shown == WARM:
                drift = Drift(LIVELY)
            elif drift is not None:
                drift.check(shown)
            assert window.frame.state != "ended", "the guest has died"
    often.stop()
    window.close()
    print(f"{shown} frames")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.window", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="of a painter")
    parser.add_argument("--frames", type=int, default=5_000, help="of the main window")
    given = parser.parse_args()
    host.prepare(offscreen=True)
    application = host.application()
    painter_calls(given.calls)
    window_frames(application, given.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
