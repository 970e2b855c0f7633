"""Paints the tasks: two lines each, the badge of the core that runs it, and what it stands in."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from emu.scene.tasks import TaskRow
from gui.badge import paint_badge
from gui.rows import PADDING, Index, RowDelegate, paint_elided, paint_rule
from gui.tasks.model import CORE, TaskModel
from gui.tasks.words import REGION, standing
from gui.text import scaled
from gui.theme import Theme


class TaskDelegate(RowDelegate):
    """Paints a cell of a TaskModel."""

    def __init__(self, theme: Theme, model: TaskModel, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._model = model

    def paint_content(self, painter: QPainter, box: QRectF, index: Index) -> None:
        """Paint the badge, or the two lines."""
        task = self._model.tasks[index.row()]
        painter.setPen(QColor(self.theme.line))
        paint_rule(painter, box)
        painter.setPen(QColor(self.theme.ink))
        inner = box.adjusted(PADDING + 2, 2, -PADDING, -2)
        if index.column() == CORE:
            if task.status == "running" and task.core is not None:
                side = painter.fontMetrics().height() + 2
                top = box.center().y() - side / 2
                paint_badge(painter, self.theme, task.core, QRectF(inner.left(), top, side, side))
            else:
                painter.setPen(QColor(self.theme.dim))
                paint_elided(painter, inner, "off")
        else:
            self._paint_task(painter, inner, task)

    def _paint_task(self, painter: QPainter, box: QRectF, task: TaskRow) -> None:
        """Paint the name and what it stands in; below, what it does and where."""
        upper = QRectF(box.left(), box.top(), box.width(), box.height() / 2)
        lower = upper.translated(0, box.height() / 2)
        plain, region = painter.font(), REGION[task.region]
        if region:
            painter.setFont(scaled(plain, 1, bold=True))
            wide = painter.fontMetrics().horizontalAdvance(region) + 2
            right = QRectF(upper.right() - wide, upper.top(), wide, upper.height())
            painter.setPen(QColor(self.theme.ink if task.region == "new" else self.theme.warn))
            paint_elided(painter, right, region)
            painter.setPen(QColor(self.theme.ink))
            upper.setRight(right.left() - PADDING)
        paint_elided(painter, upper, task.name, Qt.TextElideMode.ElideMiddle)
        painter.setFont(plain)
        painter.setPen(QColor(self.theme.dim))
        paint_elided(painter, lower, standing(task))
