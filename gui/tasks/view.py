"""The tasks panel: who still stands in code that the patch concerns, and why."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget

from emu.scene.tasks import TaskRow
from gui.frame import Frame
from gui.label import Label
from gui.painting import paint_event
from gui.panel import Panel
from gui.rows import PADDING, RowView
from gui.selection import Selected, Selection
from gui.tasks.delegate import TaskDelegate
from gui.tasks.model import CORE, TaskModel
from gui.tasks.words import explanation, headline, standing
from gui.theme import Theme


class TaskPanel(Panel):
    """All tasks; below them, why the selected one stands where it does."""

    title = "Tasks"
    needs = frozenset({"tasks"})
    keys = (
        ("Up, Down, Page Up, Page Down", "select the task above or below"),
        ("Home, End", "select the first or the last task"),
    )

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self._task: int | None = None  # that the table has been scrolled to
        self.model = TaskModel(self)
        self.table = RowView(lines=2)
        self.table.setAccessibleName(self.title)
        self.table.setModel(self.model)
        self._delegate = TaskDelegate(theme, self.model, self.table)
        self.table.setItemDelegate(self._delegate)
        self.why = Explanation(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.why)
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._choose)
        self._fit()

    def show_frame(self, frame: Frame) -> None:
        """Show the frame's tasks."""
        tasks = frame.scene.tasks if frame.scene else None
        self.head(f"{self.title}: {headline(tasks) if tasks else 'none to show yet'}")
        self.model.show(tasks or ())
        self._follow()

    def show_selected(self, selected: Selected) -> None:
        """Select the selected task's row, and say why it stands there."""
        del selected
        self._follow()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        super().use_theme(theme)
        self._delegate.theme = theme
        self.why.use_theme(theme)
        self.table.viewport().update()

    def _choose(self, row: int) -> None:
        task = self.model.tasks[row]
        self._task = task.address
        self.selection.select_task(task.address, task.core if task.status == "running" else None)

    def _follow(self) -> None:
        """Keep the selected task the current one, in whichever row it is now."""
        wanted = self.selection.now.task
        row = self.model.row_of(wanted)
        new, self._task = wanted != self._task, wanted
        if row is None:
            self.table.put(None, QAbstractItemView.ScrollHint.EnsureVisible)
        elif new or row != self.table.currentIndex().row():
            self.table.put(row, QAbstractItemView.ScrollHint.EnsureVisible)
        self.why.show_task(None if row is None else self.model.tasks[row])

    def _fit(self) -> None:
        """Give the badges what they need, and the tasks the rest."""
        width = QFontMetrics(self.table.font()).height() + 2 + 3 * PADDING
        named = self.table.horizontalHeader().sectionSizeHint(CORE)
        self.table.setColumnWidth(CORE, max(width, named))

    # Names below are Qt's.

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()


class Explanation(QWidget):
    """A box that tells of one task, in words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.name = Label("The selected task", wraps=True)
        self.name.setStyleSheet("font-weight: bold")  # a font of its own would keep its size
        self.text = Label("Why it stands there", wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * PADDING, PADDING, PADDING, PADDING)
        layout.setSpacing(2)
        layout.addWidget(self.name)
        layout.addWidget(self.text, 1)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._measure()
        self.show_task(None)

    def show_task(self, task: TaskRow | None) -> None:
        """Tell of a task, or of how to choose one."""
        name = f"{task.name}: {standing(task)}" if task else "No task is selected."
        text = explanation(task) if task else "Select one to read why it stands where it does."
        self.name.show_text(name)
        self.text.show_text(text)

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def _measure(self) -> None:
        """Make room for four lines, so that the table above keeps its height."""
        self.setMinimumHeight(4 * QFontMetrics(self.font()).lineSpacing() + 2 * PADDING)

    # Names below are Qt's.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, and a bar at the left."""
        del event
        with paint_event(self) as painter:
            painter.fillRect(self.rect(), QColor(self._theme.ground))
            painter.fillRect(0, 0, 4, self.height(), QColor(self._theme.accent))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()
