"""How stations and edges of a call path are painted.

An edge that is open is solid, one that is open to some cores is dashed, a closed one is dotted
and pale; the one that somebody has taken is thick. Stations that somebody is in have a thick
frame, the replacement is inverted.
"""

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from emu.scene.path import Edge, Open
from gui.badge import paint_badge
from gui.path.routes import Route
from gui.path.station import Station
from gui.text import paint_line, paint_text, scaled
from gui.theme import Theme

_STYLES: Final[dict[Open, Qt.PenStyle]] = {
    "yes": Qt.PenStyle.SolidLine,
    "some cores": Qt.PenStyle.DashLine,
    "no": Qt.PenStyle.DotLine,
}
_SCALES: Final = (1.0, 0.92, 0.84, 0.76)


def pen_of(theme: Theme, edge_open: Open, *, taken: bool) -> QPen:
    """Return the pen for an edge."""
    colour = QColor(theme.accent if taken else theme.dim)
    if edge_open == "no" and not taken:
        colour.setAlpha(150)
    pen = QPen(colour, 3.5 if taken else 1.8, _STYLES[edge_open])
    if edge_open == "some cores":
        pen.setDashPattern([4, 2.5])
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen


def paint_route(painter: QPainter, theme: Theme, route: Route, font: QFont) -> None:
    """Paint an edge with its head and its label."""
    edge = route.edge
    taken = bool(edge.taken)
    pen = pen_of(theme, edge.open, taken=taken)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    head = 10.0 if taken else 7.5
    before, end = route.points[-2], route.points[-1]
    angle = math.atan2(end.y() - before.y(), end.x() - before.x())
    neck = end - QPointF(math.cos(angle), math.sin(angle)) * head * 0.8
    painter.drawPolyline([*route.points[:-1], neck])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(pen.color())
    sides = [
        end - QPointF(math.cos(angle + turn), math.sin(angle + turn)) * head
        for turn in (0.45, -0.45)
    ]
    painter.drawPolygon(QPolygonF([end, *sides]))
    _paint_label(painter, theme, route, scaled(font, 0.92, bold=taken))


def _paint_label(painter: QPainter, theme: Theme, route: Route, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(QColor(_label_ink(theme, route.edge)))
    box = route.label
    if not route.turned:
        _paint_beside(painter, route)
        return
    painter.save()
    painter.translate(box.left(), box.bottom())
    painter.rotate(-90)
    along = QRectF(0, 0, box.height(), box.width())
    centre = Qt.AlignmentFlag.AlignHCenter
    paint_text(painter, along, route.edge.label, centre, _SCALES)
    painter.restore()


def _paint_beside(painter: QPainter, route: Route) -> None:
    """Paint a label; next to a level line it stands as close to it as it can."""
    start, end = route.points[:2]
    level = abs(start.y() - end.y()) < 1
    align = Qt.AlignmentFlag.AlignHCenter if level else Qt.AlignmentFlag.AlignLeft
    box = QRectF(route.label)
    high = QFontMetricsF(painter.font()).lineSpacing()
    fits = QFontMetricsF(painter.font()).horizontalAdvance(route.edge.label) <= box.width()
    if fits and box.height() > high and (level or len(route.points) > 2):
        if box.bottom() <= route.points[-1 if len(route.points) > 2 else 0].y():
            box.setTop(box.bottom() - high)
        else:
            box.setHeight(high)
    paint_text(painter, box, route.edge.label, align, _SCALES)


def _label_ink(theme: Theme, edge: Edge) -> str:
    return theme.ink if edge.taken or edge.open == "yes" else theme.dim


def paint_station(
    painter: QPainter, theme: Theme, station: Station, font: QFont, selected: int | None
) -> None:
    """Paint a station; the badge of the selected core has a ring."""
    inverted = station.node.role == "replacement"
    busy = bool(station.node.cores)
    fill, ink, dim = (
        (theme.new, theme.new_ink, theme.new_ink)
        if inverted
        else (theme.tint if busy else theme.ground, theme.ink, theme.dim)
    )
    painter.setPen(QPen(QColor(theme.accent if busy else theme.dim), 2.5 if busy else 1.0))
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(station.box, 6, 6)
    painter.setPen(QColor(ink))
    painter.setFont(scaled(font, 1, bold=True))
    paint_line(painter, station.title, station.node.title, _SCALES)
    if station.detail is not None:
        spoken = station.line != station.node.detail
        painter.setPen(QColor(ink if spoken else dim))
        painter.setFont(scaled(font, 0.88, bold=spoken))
        paint_text(painter, station.detail, station.line, scales=_SCALES)
    for core, box in station.badges:
        if inverted or core == selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent if core == selected else theme.panel))
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 3, 3)
        if core == selected:
            painter.setBrush(QColor(theme.panel))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        paint_badge(painter, theme, core, box.adjusted(1.5, 1.5, -1.5, -1.5))
    if station.waiting is not None:
        text, box = station.waiting
        painter.setFont(scaled(font, 0.85, bold=True))
        paint_waiting(painter, QColor(ink), box, text)


def paint_waiting(painter: QPainter, ink: QColor, box: QRectF, text: str) -> None:
    """Paint how many tasks wait, in the painter's font."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink, 1))
    painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 4, 4)
    painter.setPen(ink)
    paint_text(painter, box, text, Qt.AlignmentFlag.AlignHCenter, _SCALES)
