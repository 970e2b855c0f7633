"""Signs: how instants, the ends of slices and pending interrupts look.

Each is told by its shape; colour comes on top. A sign is drawn once and copied: thousands of them
may be on the screen.
"""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from emu.scene.lanes import Kind, Left
from gui.painting import painting
from gui.theme import Theme

HANDLED: Final = "handled"  # of arrows
PENDING: Final = "pending"
STORE: Final = "store"  # of the patcher
Sign = Kind | Left | str


class Signs:
    """The signs at one size, for one theme and one screen."""

    def __init__(self, theme: Theme, size: int, ratio: float) -> None:
        self.size = size
        self._theme, self._ratio = theme, ratio
        self._drawn: dict[tuple[type, Sign], QPixmap] = {}

    def put(self, painter: QPainter, sign: Sign, x: float, y: float) -> None:
        """Draw a sign with its middle at a point, on whole pixels so that it is sharp."""
        self.put_all(painter, sign, [int(x - self.size / 2)], y)

    def put_all(self, painter: QPainter, sign: Sign, lefts: list[int], y: float) -> None:
        """Draw a sign at many places of a row, given by its left edges."""
        pixmap, top = self._pixmap(sign), int(y - self.size / 2)
        for left in lefts:
            painter.drawPixmap(left, top, pixmap)

    def _pixmap(self, sign: Sign) -> QPixmap:
        key = (type(sign), sign)  # Kind.TICK == Left.PREEMPTED, as integers
        if key not in self._drawn:
            pixels = int((self.size + 1) * self._ratio)
            drawn = QPixmap(pixels, pixels)
            drawn.setDevicePixelRatio(self._ratio)
            drawn.fill(Qt.GlobalColor.transparent)
            with painting(drawn) as painter:
                paint(painter, self._theme, sign, QRectF(0, 0, self.size, self.size))
            self._drawn[key] = drawn
        return self._drawn[key]


def paint(painter: QPainter, theme: Theme, sign: Sign, box: QRectF) -> None:
    """Paint a sign into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.ink), 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _PAINT[type(sign), sign](painter, theme, box)
    painter.restore()


def _tick(painter: QPainter, _theme: Theme, box: QRectF) -> None:
    x = box.center().x()
    painter.drawLine(QPointF(x, box.center().y()), QPointF(x, box.bottom()))


def _interrupt(painter: QPainter, _theme: Theme, box: QRectF) -> None:
    x = box.center().x()
    painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))


def _serialised(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.dim), 1.2))
    painter.setBrush(QColor(theme.panel))
    middle, reach = box.center(), box.width() * 0.26
    corners = ((reach, 0.0), (0.0, reach), (-reach, 0.0), (0.0, -reach))
    painter.drawPolygon(QPolygonF([middle + QPointF(x, y) for x, y in corners]))


def _sync(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.panel), 1))
    painter.setBrush(QColor(theme.accent))
    inset = box.width() * 0.14
    painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))


def _pending(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.warn), 1.6, Qt.PenStyle.DotLine))
    painter.setBrush(QColor(theme.panel))
    inset = box.width() * 0.18
    painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))


def _handled(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.accent))
    inset = box.width() * 0.28
    painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))


def _store(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink))
    inset = box.width() * 0.26
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(box.left() + inset, box.top() + inset),
                QPointF(box.right() - inset, box.top() + inset),
                QPointF(box.center().x(), box.bottom() - inset / 2),
            ]
        )
    )


def _stale(painter: QPainter, theme: Theme, box: QRectF) -> None:
    inner = box.adjusted(1.5, 1.5, -1.5, -1.5)
    painter.fillRect(inner, QColor(theme.panel))
    painter.fillRect(inner, QBrush(QColor(theme.stale), Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(QColor(theme.stale), 1.4, Qt.PenStyle.DashLine))
    painter.drawRect(inner)


def _triangle(box: QRectF) -> QPolygonF:
    return QPolygonF(
        [
            QPointF(box.center().x(), box.top() + 0.5),
            QPointF(box.right() - 0.5, box.bottom() - 0.8),
            QPointF(box.left() + 0.5, box.bottom() - 0.8),
        ]
    )


def _written(painter: QPainter, box: QRectF, text: str, share: float) -> None:
    font = QFont(painter.font())
    font.setBold(True)
    font.setPixelSize(max(int(box.height() * share), 5))
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _trap(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.warn), 1.4))
    painter.setBrush(QColor(theme.panel))
    painter.drawPolygon(_triangle(box))
    _written(painter, box.translated(0, box.height() * 0.14), "!", 0.62)


def _int3(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.int3_ink), 1))
    painter.setBrush(QColor(theme.int3))
    painter.drawPolygon(_triangle(box))
    if box.height() >= 12:  # smaller letters are dirt; the shape says it
        _written(painter, box.translated(0, box.height() * 0.17), "cc", 0.5)


def _torn(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setPen(QPen(QColor(theme.panel), 1))
    painter.setBrush(QColor(theme.bad))
    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.setPen(QPen(QColor(theme.panel), max(box.width() / 8, 1.5)))
    arm = box.width() * 0.26
    inner = box.adjusted(arm, arm, -arm, -arm)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.topRight(), inner.bottomLeft())


def _pushed(box: QRectF) -> QPolygonF:
    """A triangle whose tip points back into the slice."""
    inner = box.adjusted(box.width() * 0.18, box.height() * 0.14, -1, -box.height() * 0.14)
    return QPolygonF(
        [QPointF(inner.left(), inner.center().y()), inner.topRight(), inner.bottomRight()]
    )


def _preempted(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setBrush(QColor(theme.ink))
    painter.drawPolygon(_pushed(box))


def _yielded(painter: QPainter, theme: Theme, box: QRectF) -> None:
    painter.setBrush(QColor(theme.panel))
    painter.drawPolygon(_pushed(box))


def _blocked(painter: QPainter, theme: Theme, box: QRectF) -> None:
    wide = max(box.width() * 0.26, 2.5)
    painter.fillRect(
        QRectF(box.right() - 1 - wide, box.top() + 1, wide, box.height() - 2), QColor(theme.ink)
    )


_PAINT: Final[dict[tuple[type, Sign], Callable[[QPainter, Theme, QRectF], None]]] = {
    (type(sign), sign): function
    for sign, function in (
        (Kind.TICK, _tick),
        (Kind.INTERRUPT, _interrupt),
        (Kind.SERIALISED, _serialised),
        (Kind.SYNC, _sync),
        (Kind.STALE, _stale),
        (Kind.TRAP, _trap),
        (Kind.INT3, _int3),
        (Kind.TORN, _torn),
        (Left.PREEMPTED, _preempted),
        (Left.YIELDED, _yielded),
        (Left.BLOCKED, _blocked),
        (HANDLED, _handled),
        (PENDING, _pending),
        (STORE, _store),
    )
}
