"""The strip: the whole run below the lanes, what is seen of it as a frame, and a slider of time.

Height is how much happens in a pixel's time (logarithmic), colour the greatest kind in it. It is
painted anew only when the run has grown by a pixel.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from emu.scene.lanes import Kind, Lanes
from gui.painting import paint_event, painting
from gui.theme import Theme
from gui.timeline import stripes
from gui.timeline.excerpt import equal
from gui.timeline.instants import chosen, colours, greatest
from gui.timeline.interval import Interval
from gui.timeline.sheet import WHOLE_RUN, axis
from gui.timeline.signs import Signs

_LEVELS = 24  # rows of the image; log2 of how many events are in a pixel's time


class Strip(QWidget):
    """The whole run. `time_picked`: int, virtual ns, at each press and move of the mouse."""

    time_picked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Whole run")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = theme
        self._lanes: Lanes | None = None
        self._run = self._seen = Interval(0, 1)
        self._position = 0
        self._still: QPixmap | None = None

    def sizeHint(self) -> QSize:
        """Return a line of text's height and a little more."""
        return QSize(900, self.fontMetrics().height() + 10)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(320, self.sizeHint().height())

    def show_run(
        self,
        lanes: Lanes | None,
        run: Interval,
        seen: Interval,
        position: int,
        settled: bool,
    ) -> None:
        """Show a run from now on, what is seen of it, and where the player stands.

        settled: the run does not grow now, so what has happened since the last painting is
            painted, too, however short that is.
        """
        stale = self._is_stale(lanes, run, settled)
        if stale or settled:  # the arrays may be others, although they hold the same
            self._lanes = lanes
        if stale:
            self._run, self._still = run, None
        elif (seen, position) == (self._seen, self._position):
            return
        self._seen, self._position = seen, position
        self.update()

    def _is_stale(self, lanes: Lanes | None, run: Interval, settled: bool) -> bool:
        """Return whether lanes look different from those that were painted."""
        if lanes is None or self._lanes is None:
            return lanes is not self._lanes
        width = self._axis()[1]
        if run.begin != self._run.begin or run.end < self._run.end:
            return True
        if self._run.x(run.end, width) >= width + 1:
            return True
        return settled and not _happened_alike(self._lanes, lanes)

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self._theme, self._still = theme, None
        self.update()

    def _axis(self) -> tuple[int, int]:
        return axis(self.fontMetrics(), self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint anew at another size."""
        self._still = None
        super().resizeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Copy what does not move; above it the frame of what is seen, and the position."""
        with paint_event(self) as painter:
            if self._lanes is None:
                painter.fillRect(self.rect(), QColor(self._theme.panel))
                return
            if self._still is None:
                self._still = self._painted(self._lanes)
            painter.drawPixmap(0, 0, self._still)
            left, width = self._axis()
            begin = left + max(self._run.x(self._seen.begin, width), 0.0)
            end = left + min(self._run.x(self._seen.end, width), width)
            accent, fill = QColor(self._theme.accent), QColor(self._theme.accent)
            fill.setAlpha(36)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(accent, 1.6))
            painter.setBrush(fill)
            frame = QRectF(begin, 1.5, max(end - begin, 3.0), self.height() - 3)
            painter.drawRoundedRect(frame, 2, 2)
            x = left + min(self._run.x(self._position, width), width)
            painter.setPen(QPen(accent, 2.6))
            painter.drawLine(int(x), 1, int(x), self.height() - 1)

    def _painted(self, lanes: Lanes) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(QColor(self._theme.panel))
        with painting(drawn) as painter:
            painter.setFont(self.font())
            left, width = self._axis()
            box = QRect(left, 4, width, self.height() - 8)
            painter.fillRect(box, QColor(self._theme.ground))
            self._paint_bands(painter, lanes, box)
            edges = self._run.edges(width)
            kinds = np.zeros(width, dtype=np.uint8)
            many = np.zeros(width, dtype=np.int64)
            for lane in lanes.lanes:
                kinds = np.maximum(kinds, greatest(lane.time, lane.kind, edges))
                for column in (lane.time, lane.start):
                    many += np.diff(np.searchsorted(column, edges))
            stripes.draw(painter, box, self._bars(kinds, many))
            signs = Signs(self._theme, min(box.height(), 13), ratio)
            painter.setClipRect(box)
            for pixel in chosen(kinds * (kinds >= Kind.STALE), 0, 2 * signs.size).tolist():
                sign = Kind(int(kinds[pixel]))
                signs.put(painter, sign, left + pixel + 0.5, box.top() + box.height() / 2)
            painter.setClipping(False)
            painter.setPen(QColor(self._theme.dim))
            words = QRectF(8, 0, left, self.height())
            painter.drawText(
                words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, WHOLE_RUN
            )
        return drawn

    def _paint_bands(self, painter: QPainter, lanes: Lanes, box: QRect) -> None:
        """Paint the phases, each at least a pixel wide. A run has thousands of them."""
        if not lanes.bands:
            return
        width = box.width()
        begins = np.array([band.begin for band in lanes.bands])
        ends = np.array([band.end if band.end >= 0 else self._run.end for band in lanes.bands])
        first = np.clip(self._run.xs(begins, width).astype(np.int64), 0, width)
        behind = np.clip(
            np.maximum(self._run.xs(ends, width), first + 1).astype(np.int64), 0, width
        )
        depth = np.zeros(width + 1, dtype=np.int64)
        np.add.at(depth, first, 1)
        np.add.at(depth, behind, -1)
        tint = np.uint32(stripes.argb(self._theme.tint))
        stripes.draw(painter, box, np.where(np.cumsum(depth)[:-1] > 0, tint, np.uint32(0)))

    def _bars(self, kinds: NDArray[np.uint8], many: NDArray[np.int64]) -> stripes.Pixels:
        """Return bars of which each row is a power of two events in a pixel's time."""
        height = np.where(many > 0, 8 + 1.5 * np.log2(np.maximum(many, 1)), 0)
        rows = np.arange(_LEVELS, 0, -1)[:, None]
        colour = colours(self._theme, stripes.argb(self._theme.dim, 0.55))[kinds]
        return np.where(rows <= height[None, :], colour[None, :], np.uint32(0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the time there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pick(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on picking."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick(event)

    def _pick(self, event: QMouseEvent) -> None:
        left, width = self._axis()
        x = min(max(event.position().x() - left, 0.0), float(width))
        self.time_picked.emit(self._run.time(x, width))


def _happened_alike(mine: Lanes, other: Lanes) -> bool:
    """Return whether the same has happened on all cores."""
    if mine is other:
        return True
    return (
        len(mine.lanes) == len(other.lanes)
        and mine.bands == other.bands
        and all(
            equal(one.start, another.start)
            and equal(one.time, another.time)
            and equal(one.kind, another.kind)
            for one, another in zip(mine.lanes, other.lanes, strict=True)
        )
    )
