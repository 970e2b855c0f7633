"""The window's rows: how long it takes to paint, without a screen.

timeline_1m_ms: a million events on 8 cores, 1600 x 400 pixels; every view is another part of the
run, from all of it to a twenty-thousandth, so that nothing painted before can be used again.
"""

import os
import statistics
import time

from tests.bench.row import Row

NO_QT = "no PySide6 here"
TIMELINE_GOAL = 16
_EVENTS, _CORES, _SIZE = 1_000_000, 8, (1600, 400)
_PARTS, _PLACES = (1, 2, 5, 20, 100, 400, 1_000, 4_000, 20_000), 5


def measure() -> list[Row]:
    """Return the rows next to their goals, or why there are none."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        value = _timeline()
    except ImportError as error:  # PySide6 itself, or a library of the system that it needs
        missing = NO_QT if error.name and error.name.startswith("PySide6") else str(error)
        return [Row("timeline_1m_ms", 0.0, "ms", missing, None)]
    peer = f"goal: {TIMELINE_GOAL} at the most"
    return [Row("timeline_1m_ms", value, "ms", peer, TIMELINE_GOAL / value)]


def _timeline() -> float:
    """Return the median of painting the views, in ms."""
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 -- may be missing

    from gui.theme import LIGHT  # noqa: PLC0415
    from gui.timeline.interval import Interval  # noqa: PLC0415
    from gui.timeline.view import View  # noqa: PLC0415
    from tests.gui.timeline.synthetic import many  # noqa: PLC0415

    application = QApplication.instance() or QApplication([])
    lanes = many(_EVENTS, _CORES)
    view = View(LIGHT)
    view.resize(*_SIZE)
    view.show()
    application.processEvents()
    times = []
    for parts in _PARTS:
        span = lanes.end // parts
        for place in range(_PLACES):
            # A pixel apart at the least, or the whole run would be the same view five times.
            begin = (lanes.end - span) * place // (_PLACES - 1) + place * (span // _SIZE[0])
            start = time.perf_counter()
            view.show_lanes(lanes, Interval(begin, begin + span), begin + span // 2, None, None)
            view.repaint()
            times.append((time.perf_counter() - start) * 1_000)
    view.close()
    return statistics.median(times)
