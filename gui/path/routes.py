"""Where the stations of a call path are, and how its edges run between them.

Each role has its place: caller, function, trampoline and replacement one below the other, the
int3 handler beside the function. So the eye finds them again, whichever of them there are.

      caller
        |
     function --- int3
        |          |
    trampoline ----+
        |
    replacement

Neighbours in the left column are joined by an upright line, others by a lane on the left with its
label turned; function and int3 by level lines; int3 and the rest of the left column by a line
that turns once. No line crosses a station, and each label has a place of its own beside its line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF

from emu.scene.path import CallPath, Edge, Role

_ROWS: Final[dict[Role, int]] = {
    "caller": 0,
    "function": 1,
    "trampoline": 2,
    "replacement": 3,
    "int3": 1,
}
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Route:
    """An edge. points: its corners, from source to target. label: the place of its text.

    turned: the text runs upwards; `label` is then as high as the text is long.
    """

    edge: Edge
    points: tuple[QPointF, ...]
    label: QRectF
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Places in pixels. scale: of the font."""

    boxes: dict[Role, QRectF]
    routes: tuple[Route, ...]
    scale: float


def lay_out(path: CallPath, size: QRectF, line: float, measure: Callable[[str], float]) -> Grid:
    """Return the places of stations and edges.

    Args:
        path: what to lay out.
        size: the room for it.
        line: the height of a line of text, unscaled.
        measure: gives the width of an edge's label, unscaled.
    """
    present = {node.role for node in path.nodes}
    edges = [each for each in path.edges if {each.source, each.target} <= present]
    lanes = [each for each in edges if _in_left(each) and _span(each) > 1]
    room = size.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    unit = room.height() / 3.6
    high, gap = 0.6 * unit, 0.4 * unit
    room.setLeft(room.left() + len(lanes) * (line + 4))
    level = max((measure(each.label) for each in edges if _level(each)), default=0.0) + 24
    between = min(max(level, 40.0), room.width() * 0.26)
    wide = min((room.width() - between) / 2, line * 24)
    scale = min(max(min(high / (line * 2.35), wide / (line * 9)), 0.75), 1.6)
    boxes: dict[Role, QRectF] = {}
    for role in present:
        left = room.right() - wide if role == "int3" else room.left()
        top = room.top() + _ROWS[role] * (high + gap)
        boxes[role] = QRectF(left, top, wide, high)
    sides = _Sides(boxes, size, [each for each in edges if _turning(each)])
    routes = [
        _lane(each, boxes, room.left() - (lane + 1) * (line + 4), line)
        for lane, each in enumerate(lanes)
    ]
    widest = max((measure(each.label) for each in edges if _in_left(each)), default=0.0)
    for each in edges:
        opposite = any((o.source, o.target) == (each.target, each.source) for o in edges)
        if _level(each):
            routes.append(_level_route(each, boxes, gap, opposite=opposite))
        elif _turning(each):
            routes.append(sides.route(each))
        elif each not in lanes:
            middle = not opposite and widest * scale * 0.9 <= wide / 2 - 10
            routes.append(_upright(each, boxes, middle=middle, opposite=opposite))
    return Grid(boxes, tuple(routes), scale)


def _in_left(edge: Edge) -> bool:
    return "int3" not in (edge.source, edge.target)


def _span(edge: Edge) -> int:
    return abs(_ROWS[edge.source] - _ROWS[edge.target])


def _level(edge: Edge) -> bool:
    return not _in_left(edge) and _span(edge) == 0


def _turning(edge: Edge) -> bool:
    return not _in_left(edge) and _span(edge) > 0


def _upright(edge: Edge, boxes: dict[Role, QRectF], *, middle: bool, opposite: bool) -> Route:
    """Join neighbours; of two opposite edges the one that leads up is on the right."""
    source, target = boxes[edge.source], boxes[edge.target]
    down = source.top() < target.top()
    upper, lower = (source, target) if down else (target, source)
    part = 0.5 if middle else 0.12 if down or not opposite else 0.6
    x = upper.left() + upper.width() * part
    end = upper.left() + upper.width() * 0.56 if opposite and down else upper.right()
    label = QRectF(QPointF(x + 8, upper.bottom() + 1), QPointF(end, lower.top() - 1))
    ends = (QPointF(x, upper.bottom()), QPointF(x, lower.top()))
    return Route(edge, ends if down else ends[::-1], label)


def _level_route(edge: Edge, boxes: dict[Role, QRectF], gap: float, *, opposite: bool) -> Route:
    """Join function and int3; the way to int3 has its label above, the way back below."""
    left, right = boxes["function"], boxes["int3"]
    out = edge.target == "int3"
    y = left.center().y() + left.height() * (0.0 if not opposite else -0.2 if out else 0.2)
    start, end = QPointF(left.right(), y), QPointF(right.left(), y)
    room = left.height() / 2 + gap * 0.45
    top = y - room - 2 if out else y + 3
    label = QRectF(left.right() + 4, top, right.left() - left.right() - 8, room)
    return Route(edge, (start, end) if out else (end, start), label)


def _lane(edge: Edge, boxes: dict[Role, QRectF], x: float, line: float) -> Route:
    source, target = boxes[edge.source], boxes[edge.target]
    start, end = source.center().y(), target.center().y()
    points = (
        QPointF(source.left(), start),
        QPointF(x + line, start),
        QPointF(x + line, end),
        QPointF(target.left(), end),
    )
    label = QRectF(x, min(start, end) + 4, line - 2, abs(end - start) - 8)
    return Route(edge, points, label, turned=True)


class _Sides:
    """The edges that turn: from int3 upright to the height of another station, then level."""

    def __init__(self, boxes: dict[Role, QRectF], size: QRectF, edges: Sequence[Edge]) -> None:
        self._boxes, self._size = boxes, size
        self._order = sorted(edges, key=lambda each: (_span(each), each.source == "int3"))

    def route(self, edge: Edge) -> Route:
        """Return the way of an edge; those that lead further are further right."""
        int3 = self._boxes["int3"]
        role = edge.target if edge.source == "int3" else edge.source
        box = self._boxes[role]
        below = box.top() > int3.top()
        same_side = [each for each in self._order if (_row(each) > 1) == below]
        place, count = same_side.index(edge), len(same_side)
        x = int3.left() + int3.width() * (place + 1) / (count + 1)
        beside = [each for each in same_side if _row(each) == _row(edge)]
        y = box.center().y() + box.height() * 0.25 * (beside.index(edge) * 2 - len(beside) + 1)
        points = (
            QPointF(x, int3.bottom() if below else int3.top()),
            QPointF(x, y),
            QPointF(box.right(), y),
        )
        last = place == count - 1
        end = self._size.right() - _MARGIN if last else x + int3.width() / (count + 1) - 6
        half = box.height() / 2 if len(beside) == 1 else box.height() * 0.45
        top = y + 3 if below else y - 2 - half
        label = QRectF(QPointF(box.right() + 12, top), QPointF(end, top + half + 4 * below))
        return Route(edge, points if edge.source == "int3" else points[::-1], label)


def _row(edge: Edge) -> int:
    return _ROWS[edge.target if edge.source == "int3" else edge.source]
