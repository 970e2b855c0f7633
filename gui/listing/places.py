"""Where the cores are: a button for each, always at the same place; a click goes there."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from gui.badge import paint_badge
from gui.painting import painting
from gui.theme import Theme


@dataclass(frozen=True, slots=True)
class Place:
    """Where a core is. in_view: the lines that are shown have it."""

    core: int
    name: str
    in_view: bool


class Places(QWidget):
    """The cores and their places. `jumped` carries the number of the core to go to."""

    jumped = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._places: tuple[Place, ...] = ()
        self._buttons: list[QToolButton] = []
        self._widest = 0
        self.setAccessibleName("Where the cores are")

    def show_places(self, places: tuple[Place, ...]) -> None:
        """Name the places; what is the same as before is left alone."""
        if places == self._places:
            return
        if len(places) != len(self._buttons):
            self._make(len(places))
        before, self._places = self._places, places
        for number, place in enumerate(places):
            if number >= len(before) or before[number] != place:
                self._name(number)

    def use_theme(self, theme: Theme) -> None:
        """Paint the badges in other colours."""
        self._theme = theme
        self._make(len(self._places))
        for number in range(len(self._places)):
            self._name(number)

    def _make(self, count: int) -> None:
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons, self._widest, self._places = [], 0, self._places[:count]
        for number in range(count):
            button = QToolButton(self)
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.clicked.connect(lambda _=False, at=number: self._jump(at))
            button.show()
            self._buttons.append(button)
        self._arrange()

    def _jump(self, at: int) -> None:
        self.jumped.emit(self._places[at].core)

    def _name(self, number: int) -> None:
        place, button = self._places[number], self._buttons[number]
        where = "in view" if place.in_view else place.name
        # A tool button takes "&" for a key, and its tip would take "<" for markup.
        metrics = button.fontMetrics()
        wide = metrics.horizontalAdvance(where) + self._badge() + metrics.averageCharWidth() * 3
        if wide > self._widest:
            self._widest = wide
            self._arrange()
        if button.icon().isNull():
            button.setIcon(self._icon(place.core))
        room = button.width() - self._badge() - metrics.averageCharWidth() * 3
        shown = metrics.elidedText(where, Qt.TextElideMode.ElideMiddle, room)
        button.setText(shown.replace("&", "&&"))
        state = "in view" if place.in_view else "not in view"
        button.setAccessibleName(f"core {place.core}, {place.name}, {state}: go there")

    def _badge(self) -> int:
        return self.fontMetrics().height()

    def _icon(self, core: int) -> QIcon:
        side, ratio = self._badge(), self.devicePixelRatioF()
        pixmap = QPixmap(QSize(side, side) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        with painting(pixmap) as painter:
            paint_badge(painter, self._theme, core, QRectF(0, 0, side, side))
        return QIcon(pixmap)

    def _arrange(self) -> None:
        """Put the buttons into one line, or two where there is no room for the widest."""
        if not self._buttons:
            self.setFixedHeight(0)
            return
        rows = 1 if len(self._buttons) * self._widest <= self.width() else 2
        columns = -(-len(self._buttons) // rows)
        for button in self._buttons:
            button.setIconSize(QSize(self._badge(), self._badge()))
        # The style sheet's padding and border count: what they leave has to hold an underscore.
        wide = self.width() // columns
        high = max(button.sizeHint().height() for button in self._buttons)
        for number, button in enumerate(self._buttons):
            button.setGeometry(number % columns * wide, number // columns * high, wide, high)
        self.setFixedHeight(rows * high)

    # Names below are Qt's.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the buttons anew, and elide the names anew."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._arrange()
            for number in range(len(self._places)):
                self._name(number)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self._places:
            self.use_theme(self._theme)
