"""Panels: the parts of the window. Each shows frames, and what is selected in them."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gui.frame import Frame
from gui.selection import Selected, Selection
from gui.theme import Theme


class Panel(QWidget):
    """A part of the window.

    The window calls `show_frame` at most once a frame, and never while the panel is hidden; what
    nobody sees does no work. A panel keeps what it needs of a frame and calls `update()` only if
    that differs from what it has painted.

    Attributes:
        title: what it is called, above it and by screen readers.
        needs: the parts of a scene that it shows and that are made only if somebody asks for
            them: "tasks", "listing", "path".
        moves: whether it is shown each frame. Others are for reading, and shown no frame that
            has the scene of the frame before.
        keys: what the panel's own keys do, for the help: (key as people read it, what it does).
        heading: what stands above it at the moment.

    Signals:
        headed: another heading stands above it.
    """

    headed = Signal(str)

    title = ""
    needs: frozenset[str] = frozenset()
    moves = False
    keys: tuple[tuple[str, str], ...] = ()

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__()
        self.theme, self.selection = theme, selection
        self.heading = self.title
        self.setAccessibleName(self.title)
        self.setObjectName(type(self).__name__)
        selection.changed.connect(self.show_selected)

    def head(self, heading: str) -> None:
        """Let another heading stand above the panel."""
        if heading != self.heading:
            self.heading = heading
            self.headed.emit(heading)

    def show_frame(self, frame: Frame) -> None:
        """Take over what a frame has of this panel's."""
        raise NotImplementedError

    def show_selected(self, selected: Selected) -> None:
        """Follow the selection. By default there is nothing to follow."""

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self.theme = theme
        self.update()
