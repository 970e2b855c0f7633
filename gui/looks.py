"""How the window looks: its theme, its layout, the size of its text."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication

from gui import palette
from gui.docks import LARGER
from gui.layouts import LayoutName
from gui.theme import THEMES, Theme

if TYPE_CHECKING:
    from gui.window import MainWindow

_SMALLEST, _LARGEST = 6.0, 40.0  # points


class Looks:
    """The looks of a window whose widgets are all there.

    Attributes:
        theme: its colours.
    """

    def __init__(self, window: "MainWindow", theme: Theme) -> None:
        self._window = window
        self._layout: LayoutName = "desktop"
        self._beside = "timeline"  # the panel beside the five bytes in the projector layout
        self._size = QApplication.font().pointSizeF()
        self.use_theme(theme)

    def use_theme(self, theme: Theme) -> None:
        """Paint everything with other colours."""
        window, self.theme = self._window, theme
        palette.apply(theme)
        window.toolbar.use_theme(theme)
        window.broken.setStyleSheet(f"color: {theme.warn}; font-weight: bold")
        window.notice.setStyleSheet(
            f"background: {theme.panel}; color: {theme.bad}; border: 1px solid {theme.bad};"
            "padding: 4px; font-weight: bold"
        )
        window.story.use_theme(theme)
        for panel in window.panels.values():
            panel.use_theme(theme)

    def next_theme(self) -> None:
        """Change between light and dark."""
        names = list(THEMES)
        following = names[(names.index(self.theme.name) + 1) % len(names)]
        self.use_theme(THEMES[following])

    def use_layout(self, name: LayoutName) -> None:
        """Show the panels of a layout, in its size of text."""
        window, self._layout = self._window, name
        self._use_size()
        if name == "projector":
            window.docks.projector(self._beside)
        else:
            window.docks.desktop()
        window.toolbar.show_layout(name)
        window.statusBar().setVisible(name == "desktop")
        window.panels[self._beside].setFocus()

    def next_layout(self) -> None:
        """Change between the layouts."""
        self.use_layout("desktop" if self._layout == "projector" else "projector")

    def swap(self) -> None:
        """Show the other panel beside the five bytes, in the projector layout."""
        self._beside = "path" if self._beside == "timeline" else "timeline"
        self.use_layout("projector")

    def zoom(self, factor: float) -> bool:
        """Make text larger or smaller; returns whether there is room for that on the screen."""
        window = self._window
        size, self._size = self._size, min(max(self._size * factor, _SMALLEST), _LARGEST)
        before, room = window.size(), self._room()
        self._use_size()
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # the panels' layouts first
        if factor <= 1 or window.minimumSizeHint().expandedTo(room) == room:
            return True
        self._size = size
        self._use_size()
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        window.resize(before)
        return False

    def _room(self) -> QSize:
        """Return how large the window can be: as the screen, or as it is if that is larger."""
        window = self._window
        frame = window.frameGeometry().size() - window.size()
        return (window.screen().availableGeometry().size() - frame).expandedTo(window.size())

    def _use_size(self) -> None:
        """Let text have its size: in the projector layout as the height of the window allows."""
        font = QApplication.font()
        larger = self._window.height() * LARGER if self._layout == "projector" else 1.0
        font.setPointSizeF(self._size * max(1.0, larger))
        QApplication.setFont(font)
        palette.apply(self.theme)  # with a style sheet, widgets follow the font only when polished
