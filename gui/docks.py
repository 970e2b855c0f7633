"""Docks: where the panels lie, in each layout. A dock can be moved, floated and closed."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow

from gui.panel import Panel

LARGER: Final = 1.38 / 720
"""How much larger text is in the projector layout, for each pixel of the window's height."""

_BOTTOM: Final = Qt.DockWidgetArea.BottomDockWidgetArea
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Docks(QObject):
    """The docks of a window, by the names of their panels.

    Panels: five_bytes, listing, path, tasks, log, timeline.

    Signals:
        changed: other panels can be seen than before.
    """

    changed = Signal()

    def __init__(self, window: QMainWindow, panels: Mapping[str, Panel]) -> None:
        super().__init__(window)
        self._window, self._seen = window, set[str]()
        self._docks = {name: _dock(window, name, panel) for name, panel in panels.items()}
        for name, dock in self._docks.items():
            dock.visibilityChanged.connect(lambda seen, name=name: self._note(name, seen))
        window.setDockNestingEnabled(True)
        self.desktop()

    def can_be_seen(self, name: str) -> bool:
        """Return whether a panel can be seen: of docks in tabs only the one in front can."""
        return name in self._seen

    def in_front_of(self, name: str) -> str | None:
        """Return the panel that hides another in the same tabs, or None if none does."""
        if name in self._seen:
            return None
        tabs = self._window.tabifiedDockWidgets(self._docks[name])
        return next((dock.objectName() for dock in tabs if dock.objectName() in self._seen), None)

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def desktop(self) -> None:
        """Show all: bytes above the listing, the call path, tasks or log, the timeline below."""
        at, window = self._docks, self._window
        window.addDockWidget(_BOTTOM, at["five_bytes"])
        window.splitDockWidget(at["five_bytes"], at["timeline"], _DOWN)
        window.splitDockWidget(at["five_bytes"], at["path"], _ACROSS)
        window.splitDockWidget(at["path"], at["tasks"], _ACROSS)
        window.splitDockWidget(at["five_bytes"], at["listing"], _DOWN)
        window.tabifyDockWidget(at["tasks"], at["log"])
        for dock in at.values():
            dock.setFloating(False)
            dock.show()
        at["tasks"].raise_()
        width, height = window.width(), window.height()
        columns = [at[name] for name in ("five_bytes", "path", "tasks")]
        window.resizeDocks(
            columns, [width * 45 // 100, width * 27 // 100, width * 28 // 100], _ACROSS
        )
        rows = [at[name] for name in ("five_bytes", "listing", "timeline")]
        window.resizeDocks(
            rows, [height * 26 // 100, height * 25 // 100, height * 27 // 100], _DOWN
        )

    def projector(self, other: str) -> None:
        """Show the five bytes and one other panel, the timeline or the call path."""
        for name, dock in self._docks.items():
            dock.setVisible(name in ("five_bytes", other))
        pair = [self._docks["five_bytes"], self._docks[other]]
        if other == "timeline":
            self._window.resizeDocks(pair, [55, 45], _DOWN)
        else:
            self._window.resizeDocks(pair, [60, 40], _ACROSS)

    def _note(self, name: str, seen: bool) -> None:
        if seen:
            self._seen.add(name)
        else:
            self._seen.discard(name)
        self.changed.emit()


def _dock(window: QMainWindow, name: str, panel: Panel) -> QDockWidget:
    dock = QDockWidget(panel.title, window)
    dock.setObjectName(name)
    dock.setWidget(panel)
    panel.headed.connect(dock.setWindowTitle)
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetMovable
        | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        | QDockWidget.DockWidgetFeature.DockWidgetClosable
    )
    return dock
