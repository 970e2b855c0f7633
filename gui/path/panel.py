"""The call path: the ways from a caller to a body, and who is on them."""

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip

from emu.scene.path import CallPath, Node
from gui.frame import Frame
from gui.painting import paint_event
from gui.panel import Panel
from gui.path import words
from gui.path.legend import Legend
from gui.path.painting import paint_route, paint_station
from gui.path.routes import Grid, lay_out
from gui.path.station import Station, furnish
from gui.selection import Selected, Selection
from gui.text import paint_text, scaled, tooltip
from gui.theme import Theme

_STEPS: Final = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Right: 1,
}


class PathPanel(Panel):
    """The stations and edges, as large as the panel allows.

    A click on a badge selects the core, one elsewhere on a station its address and its first
    core. Arrow keys go from station to station, Enter does what a click does.
    """

    title = "Call path"
    needs = frozenset({"path"})
    keys = (
        ("Up, Down, Left, Right", "go from station to station"),
        ("Enter", "select the station's address and its first core"),
    )

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self._path: CallPath | None = None
        self._nothing = ""
        self._at = 0  # the station that the keys are at
        self._core = selection.now.core
        self.grid: Grid | None = None
        self.stations: tuple[Station, ...] = ()
        self._legend = Legend()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._show(None, "The kernel is not up yet.")

    def show_frame(self, frame: Frame) -> None:
        """Show the path of the frame's scene."""
        scene = frame.scene
        if scene is None:
            self._show(None, "The kernel is not up yet.")
        else:
            self._show(
                scene.path, "No function is being patched, so there is only the ordinary call."
            )

    def show_selected(self, selected: Selected) -> None:
        """Mark the badge of the selected core."""
        if selected.core != self._core:
            self._core = selected.core
            self.update()

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which everything can be read."""
        line = QFontMetricsF(QApplication.font()).lineSpacing()
        return QSize(round(line * 15), round(line * 14))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 -- Qt's name
        """Paint edges, then stations above them, and the legend."""
        with paint_event(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), QColor(self.theme.panel))
            if self.grid is None:
                painter.setPen(QColor(self.theme.dim))
                box = QRectF(self.rect()).adjusted(16, 8, -16, -8)
                paint_text(painter, box, self._nothing, Qt.AlignmentFlag.AlignHCenter)
                return
            font = scaled(QApplication.font(), self.grid.scale)
            for route in sorted(self.grid.routes, key=lambda each: bool(each.edge.taken)):
                paint_route(painter, self.theme, route, font)
            for number, station in enumerate(self.stations):
                paint_station(painter, self.theme, station, font, self._core)
                if number == self._at and self.hasFocus():
                    painter.setPen(QPen(QColor(self.theme.accent), 1.5, Qt.PenStyle.DotLine))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(station.box.adjusted(-4, -4, 4, 4), 8, 8)
            self._legend.paint(painter, self.theme, QRectF(self.rect()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay everything out again."""
        super().resizeEvent(event)
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select what is under the mouse."""
        for number, station in enumerate(self.stations):
            if station.box.contains(event.position()):
                self._at = number
                cores = [core for core, box in station.badges if box.contains(event.position())]
                self._pick(station.node, cores[0] if cores else None)
                self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from station to station, or select one."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and self.stations:
            self._at = min(max(self._at + step, 0), len(self.stations) - 1)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.stations:
                self._pick(self.stations[self._at].node, None)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Show in a tooltip what is under the mouse; follow the application's font."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), tooltip(self.words_at(QPointF(event.pos()))), self)
            return True
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()
            self.updateGeometry()
        return super().event(event)

    def words_at(self, point: QPointF) -> str:
        """Return what is at a point, in words; "" if nothing is."""
        for station in self.stations:
            if station.box.contains(point):
                return words.station(station.node)
        for route in self.grid.routes if self.grid else ():
            if route.label.contains(point):
                return words.way(route.edge)
        return ""

    def _show(self, path: CallPath | None, nothing: str) -> None:
        if (path, nothing) == (self._path, self._nothing):
            return
        self._path, self._nothing = path, nothing
        self.setAccessibleDescription(words.describe(path) if path else nothing)
        self._lay_out()

    def _lay_out(self) -> None:
        self.update()
        if self._path is None:
            self.grid, self.stations = None, ()
            return
        font = QApplication.font()
        metrics = QFontMetricsF(scaled(font, 1, bold=True))
        room = QRectF(self.rect())
        room.setBottom(room.bottom() - self._legend.height(room.width()))
        self.grid = lay_out(self._path, room, metrics.lineSpacing(), metrics.horizontalAdvance)
        letters = scaled(font, self.grid.scale)
        self.stations = tuple(
            furnish(node, self.grid.boxes[node.role], letters) for node in self._path.nodes
        )
        self._at = min(self._at, len(self.stations) - 1)

    def _pick(self, node: Node, core: int | None) -> None:
        if core is None and node.address is not None:
            self.selection.select_address(node.address)
        if core is None and node.cores:
            core = node.cores[0]
        if core is not None:
            self.selection.select_core(core)
