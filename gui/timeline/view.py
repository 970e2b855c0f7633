"""The view: ruler, bands and lanes of an interval, and the position in it.

What does not move is painted once into a pixmap (`_still`); the position, what is pointed at and
the pale cover of what lies behind the position are painted above it. A new frame costs a few
binary searches, unless something has changed that can be seen.
"""

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from emu.scene.lanes import Lanes
from gui.painting import paint_event, painting
from gui.theme import Theme
from gui.timeline import (
    arrows,
    bands,
    cursor,
    gutter,
    instants,
    moment,
    patcher,
    ruler,
    slices,
)
from gui.timeline.excerpt import Excerpt, take
from gui.timeline.interval import Interval
from gui.timeline.sheet import Sheet, lay_out, least_height
from gui.timeline.signs import Signs

_NEAR = 5  # pixels: how far from a thing a pointer still means it
_ZOOM = 1.25  # a notch of the wheel
_NOTHING = "Nothing has happened yet."


class View(QWidget):
    """Shows an interval of lanes. It changes nothing itself, it says what the user wants.

    Attributes:
        time_picked: int, virtual ns. core_picked: int. interval_picked: an Interval; it may
            leave the run.
        hint: one line about what is pointed at, or "".
    """

    time_picked = Signal(object)
    core_picked = Signal(object)
    interval_picked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Cores over time")
        self.hint = ""
        self._theme = theme
        self._lanes: Lanes | None = None
        self._excerpt: Excerpt | None = None
        self._interval = Interval(0, 1)
        self._position = 0
        self._asked: int | None = None
        self._core: int | None = None
        self._moving: tuple[object, ...] = ()
        self._fixed: tuple[object, ...] = ()
        self._still: QPixmap | None = None
        self._margins: tuple[tuple[object, ...], QPixmap, Signs] | None = None
        self._hint_at: QPoint | None = None  # None: at the position
        self._pressed: tuple[QPointF, Interval, bool] | None = None  # where, of what, the cursor
        self._dragged = False

    def sizeHint(self) -> QSize:
        """Return a size at which names and signs stand apart."""
        metrics = self.fontMetrics()
        return QSize(900, least_height(metrics, 4) + 4 * metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the lanes can be read."""
        cores = len(self._lanes.lanes) if self._lanes else 1
        return QSize(320, least_height(self.fontMetrics(), cores))

    def show_lanes(
        self,
        lanes: Lanes | None,
        interval: Interval,
        position: int,
        asked: int | None,
        core: int | None,
    ) -> None:
        """Show lanes from now on; painted is only what differs from what is seen.

        position: where the player stands. asked: where it was told to go and is not yet.
        core: the selected one.
        """
        excerpt = take(lanes, interval) if lanes else None
        fixed = (interval, core, self._present(lanes, position), *_waiting(excerpt, position))
        moving = (position, asked)
        same = fixed == self._fixed and self._looks_like(excerpt)
        if (self._lanes is None) != (lanes is None) or (
            lanes and self._lanes and len(lanes.lanes) != len(self._lanes.lanes)
        ):
            self.updateGeometry()
        self._lanes, self._interval = lanes, interval
        self._position, self._asked, self._core = position, asked, core
        self._excerpt = excerpt  # the arrays may be others, although they look the same
        if not same:
            self._fixed, self._still = fixed, None
        if not same or moving != self._moving:
            self._moving = moving
            self.update()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self._theme, self._still = theme, None
        self.update()

    def tell(self, text: str) -> None:
        """Show a line beside the position, until the pointer points at something."""
        self._hint_at = None
        self._hint(text)

    def _present(self, lanes: Lanes | None, position: int) -> object:
        return bands.present(lanes.bands, position) if lanes else None

    def _looks_like(self, excerpt: Excerpt | None) -> bool:
        mine = self._excerpt
        if excerpt is None or mine is None:
            return excerpt is mine
        return mine.is_like(excerpt, self._interval, max(self.width(), 1))

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Copy what does not move, and paint the position above it."""
        with paint_event(self) as painter:
            if self._excerpt is None:
                painter.fillRect(self.rect(), QColor(self._theme.panel))
                painter.setPen(QColor(self._theme.dim))
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, _NOTHING)
                return
            sheet = self._sheet()
            if self._still is None:
                self._still = self._painted(sheet, self._excerpt)
            painter.drawPixmap(0, 0, self._still)
            cursor.paint(painter, sheet, self._position, self._asked)
            if self.hint:
                time = self._position if self._asked is None else self._asked
                at = self._hint_at or QPoint(int(sheet.x(time)), sheet.names.bottom)
                cursor.paint_hint(painter, sheet, self.hint, at, self.size())

    def _sheet(self) -> Sheet:
        cores = len(self._lanes.lanes) if self._lanes else 0
        return lay_out(self._theme, self._interval, self.size(), self.fontMetrics(), cores)

    def _empty(self, sheet: Sheet) -> tuple[QPixmap, Signs]:
        """Return the view without any lanes, and signs: equal in all intervals."""
        ratio = self.devicePixelRatioF()
        key = (self._theme, self.size(), ratio, self.font(), self._core, len(sheet.lanes))
        if self._margins is None or self._margins[0] != key:
            drawn = QPixmap(self.size() * ratio)
            drawn.setDevicePixelRatio(ratio)
            drawn.fill(QColor(self._theme.panel))
            with painting(drawn) as painter:
                painter.setFont(self.font())
                gutter.paint_legend(painter, sheet)
                gutter.paint(painter, sheet, self._core)
            self._margins = key, drawn, Signs(self._theme, sheet.sign, ratio)
        return self._margins[1:]

    def _painted(self, sheet: Sheet, excerpt: Excerpt) -> QPixmap:
        empty, signs = self._empty(sheet)
        drawn = empty.copy()
        with painting(drawn) as painter:
            painter.setFont(self.font())
            painter.setClipRect(sheet.left, 0, sheet.width + 1, self.height())
            now = bands.present(excerpt.bands, self._position)
            bands.paint(painter, sheet, excerpt, now)
            ruler.paint(painter, sheet)
            patcher.paint(painter, sheet, excerpt, signs)
            slices.paint(painter, sheet, excerpt, signs)
            arrows.paint_handled(painter, sheet, excerpt, self._position, signs)
            instants.paint(painter, sheet, excerpt, signs)
            arrows.paint_pending(painter, sheet, excerpt, self._position, signs)
        return drawn

    def _hint(self, text: str) -> None:
        if text != self.hint:
            self.hint = text
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint anew at another size."""
        self._still = None
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Paint anew with another font."""
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange}:
            self._still = None
            self.updateGeometry()
        super().changeEvent(event)

    # Mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; sideways or with Shift, move."""
        sheet, turned = self._sheet(), event.angleDelta()
        notches = turned.y() / 120
        sideways = turned.x() / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            sideways, notches = sideways or notches, 0.0
        if notches:
            at = sheet.time(min(max(event.position().x(), sheet.left), sheet.left + sheet.width))
            self.interval_picked.emit(self._interval.zoomed(at, _ZOOM**-notches))
        elif sideways:
            self.interval_picked.emit(
                self._interval.moved(-int(self._interval.span * sideways / 8))
            )
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """In the ruler or at the position's line: move the position. In lanes: see the release."""
        if event.button() != Qt.MouseButton.LeftButton or self._excerpt is None:
            return super().mousePressEvent(event)
        sheet, at = self._sheet(), event.position()
        moves_position = self._at_position(sheet, at)
        self._pressed, self._dragged = (at, self._interval, moves_position), False
        if moves_position:
            self._pick(sheet, at)
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the position or the interval, or say what is pointed at."""
        sheet, at = self._sheet(), event.position()
        if self._pressed is None:
            self._point(sheet, at)
            return
        begin, interval, moves_position = self._pressed
        if moves_position:
            self._pick(sheet, at)
            return
        distance = at.x() - begin.x()
        if abs(distance) >= QApplication.startDragDistance() or self._dragged:
            self._dragged = True
            self.interval_picked.emit(interval.moved(-int(distance * interval.span / sheet.width)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click in a lane picks the core, and the time of what is there."""
        pressed, self._pressed = self._pressed, None
        if event.button() != Qt.MouseButton.LeftButton or pressed is None:
            return super().mouseReleaseEvent(event)
        if not self._dragged and not pressed[2]:
            sheet, at = self._sheet(), event.position()
            core = sheet.core_at(at.y())
            if core is not None:
                self.core_picked.emit(core)
            if at.x() >= sheet.left:
                instant = self._instant_at(sheet, at)
                if instant is None or core is None or self._lanes is None:
                    self._pick(sheet, at)
                else:
                    self.time_picked.emit(int(self._lanes.lanes[core].time[instant]))
        return None

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        self._hint("")
        super().leaveEvent(event)

    def _at_position(self, sheet: Sheet, at: QPointF) -> bool:
        if sheet.ruler.top <= at.y() < sheet.ruler.bottom:
            return True
        near = abs(at.x() - sheet.x(self._position)) <= _NEAR
        return near and at.x() >= sheet.left - _NEAR

    def _pick(self, sheet: Sheet, at: QPointF) -> None:
        self.time_picked.emit(sheet.time(min(max(at.x(), sheet.left), sheet.left + sheet.width)))

    def _instant_at(self, sheet: Sheet, at: QPointF) -> int | None:
        core = sheet.core_at(at.y())
        if self._lanes is None or core is None or at.x() < sheet.left:
            return None
        reach = _NEAR * sheet.interval.span // sheet.width
        return moment.nearest(self._lanes.lanes[core], sheet.time(at.x()), reach)

    def _point(self, sheet: Sheet, at: QPointF) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if at.x() >= sheet.left - _NEAR and self._at_position(sheet, at):
            shape = Qt.CursorShape.SizeHorCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
        core = sheet.core_at(at.y())
        if self._lanes is None or core is None or at.x() < sheet.left:
            self._hint("")
            return
        precision = sheet.precision
        instant = self._instant_at(sheet, at)
        self._hint_at = at.toPoint()
        if instant is None:
            self._hint(moment.tell_slice(self._lanes, core, sheet.time(at.x()), precision))
        else:
            self._hint(moment.tell_instant(self._lanes, core, instant, precision))


def _waiting(excerpt: Excerpt | None, position: int) -> tuple[object, ...]:
    """Return which arrows are pending, as something that can be compared."""
    return (arrows.pending(excerpt.arrows, position).tobytes(),) if excerpt else ()
