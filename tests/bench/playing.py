"""The window's rows with a machine behind it, without a screen.

gui_fps: frames a second that were painted and show events that the one before did not, while 4
cores retire at least a million instructions a second. gui_step_ms: from asking for a step to all
panels showing it.
"""

import os
import statistics
import time
from typing import TYPE_CHECKING

from tests.bench.row import Row

if TYPE_CHECKING:
    from tests.gui.windows import Opened

FPS_GOAL, STEP_GOAL = 60, 16
_SECONDS, _SPEED = 5.0, 1_200_000
_STEPS = 60
_SIZE = (1600, 1000)


def measure() -> list[Row]:
    """Return the rows next to their goals, or why there are none."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        from gui import host  # noqa: PLC0415 -- Qt may be missing

        host.require_qt()
        from tests.gui.windows import opened  # noqa: PLC0415 -- as above
    except (ImportError, RuntimeError) as error:
        return [Row(name, 0.0, "", str(error), None) for name in ("gui_fps", "gui_step_ms")]
    host.application().setStyle("Fusion")
    with opened(size=_SIZE) as shown:
        _all_panels(shown)
        steps = _steps(shown)
        frames, instructions = _frames(shown)
    speed = f"{instructions:,.0f} instructions/s on 4 cores; goal: {FPS_GOAL}"
    step = statistics.median(steps)
    slow = f"goal: {STEP_GOAL} at the most; the slowest: {max(steps):.0f}"
    return [
        Row("gui_fps", frames, "1/s", speed, frames / FPS_GOAL),
        Row("gui_step_ms", step, "ms", slow, STEP_GOAL / step),
    ]


def _all_panels(shown: "Opened") -> None:
    """Let no panel hide behind another."""
    from PySide6.QtCore import Qt  # noqa: PLC0415 -- may be missing

    docks = shown.window.docks
    shown.window.splitDockWidget(docks["tasks"], docks["log"], Qt.Orientation.Vertical)
    shown.settle()
    assert all(panel.isVisible() for panel in shown.window.panels.values())


def _steps(shown: "Opened") -> list[float]:
    """Return how long steps took in the middle of a patch, in ms."""
    from gui.commands import GoToPhase, Step  # noqa: PLC0415 -- as above

    shown.ask(GoToPhase("int3"))
    times = []
    for number in range(_STEPS):
        start = time.perf_counter()
        shown.ask(Step(number % 5 if number % 5 < 4 else None))
        times.append((time.perf_counter() - start) * 1_000)
    return times


def _frames(shown: "Opened") -> tuple[float, float]:
    """Return frames and instructions a second while the machine runs."""
    from PySide6.QtCore import QEventLoop, QTimer  # noqa: PLC0415 -- as above

    from gui.commands import Pause, Play  # noqa: PLC0415 -- as above
    from tests.gui.windows import Painted  # noqa: PLC0415 -- as above

    painted = Painted(shown.window)
    shown.bridge.send(Play(_SPEED))
    begin, start = shown.frame.edge, time.perf_counter()
    loop = QEventLoop()
    QTimer.singleShot(int(_SECONDS * 1000), loop.quit)
    loop.exec()
    seconds = time.perf_counter() - start
    frames, made = painted.frames, shown.frame.edge - begin
    shown.ask(Pause())
    return frames / seconds, made / seconds
