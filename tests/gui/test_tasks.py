"""The tasks: who stands in code that the patch concerns comes first, and why is told."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from emu.scene.tasks import TaskRow
from gui.selection import Selection
from gui.tasks.view import TaskPanel
from gui.tasks.words import REGION, STATUS, explanation, headline, in_order, standing
from gui.theme import DARK, LIGHT
from tests.gui.frames import TASKS, a_frame, a_scene, a_task


def a_panel(qtbot: QtBot, tasks: tuple[TaskRow, ...] = TASKS) -> TaskPanel:
    panel = TaskPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.resize(400, 500)
    panel.show()
    qtbot.waitExposed(panel)
    show(panel, tasks)
    return panel


def show(panel: TaskPanel, tasks: tuple[TaskRow, ...]) -> None:
    panel.show_frame(a_frame(scene=replace(a_scene(), tasks=tasks)))


def current(panel: TaskPanel) -> int | None:
    row = panel.table.currentIndex().row()
    return panel.model.tasks[row].pid if row >= 0 else None


def test_the_order() -> None:
    assert [task.pid for task in in_order(TASKS)] == [3, 8, 5, 4, 7, 2, 1, 6]
    assert in_order(TASKS[::-1]) == in_order(TASKS)


def test_the_headline_counts_those_in_old_code() -> None:
    assert headline(TASKS) == "2 of 8 in old code, 1 in a trampoline"
    assert headline(TASKS[:2]) == "0 of 2 in old code"


def test_signs_and_words_are_all_different() -> None:
    """In grey, and read aloud, no two states are the same."""
    for words in (STATUS, REGION):
        texts = [text for text in words.values() if text]
        assert len({text[0] for text in texts}) == len(texts)
        assert len({text[2:] for text in texts}) == len(texts)


def test_an_explanation_says_all_that_is_known() -> None:
    task = a_task(3, "preempted", "old", 1)
    assert explanation(task) == (
        f"{task.why} It belongs to core 1. It gave up its core 12 times and was preempted once."
    )
    assert explanation(replace(task, switches=None, core=None)) == task.why
    assert "never" in explanation(replace(task, switches=(0, 3)))
    assert standing(a_task(6, "ended")) == "✕ ended"


def test_the_selection_is_followed_and_made(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    assert current(panel) is None
    panel.selection.select_task(a_task(5).address)
    assert current(panel) == 5
    assert panel.why.name.text() == "reader/5: ▷ ready at vfs_read+0x14"
    assert "It belongs to core 2." in panel.why.text.text()
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    assert panel.selection.now.task == a_task(4).address
    assert panel.selection.now.core == 1  # that it has
    QTest.keyClick(panel.table, Qt.Key.Key_Home)
    assert panel.selection.now.task == a_task(3).address
    assert panel.selection.now.core == 1  # one that waits has none; the core stays
    panel.selection.select_task(None)
    assert current(panel) is None
    assert panel.why.name.text() == "No task is selected."


def test_a_click_selects(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    box = panel.table.visualRect(panel.model.index(1, 1))
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert panel.selection.now.task == a_task(8).address
    assert panel.selection.now.core == 2


def test_the_selected_task_stays_selected_wherever_it_goes(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    panel.selection.select_task(a_task(3).address)
    assert panel.table.currentIndex().row() == 0
    told: list[object] = []
    panel.selection.changed.connect(told.append)
    show(panel, (*TASKS[:2], a_task(3, "blocked"), *TASKS[3:]))
    assert current(panel) == 3
    assert panel.table.currentIndex().row() == 6
    assert "blocked" in panel.why.name.text()
    show(panel, TASKS[:2])  # it is gone
    assert current(panel) is None
    show(panel, TASKS)
    assert current(panel) == 3
    assert not told


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_any_number_of_tasks(qtbot: QtBot, count: int) -> None:
    panel = a_panel(qtbot)
    tasks = tuple(a_task(pid) for pid in range(count))
    show(panel, tasks)
    assert panel.model.rowCount() == count
    assert panel.model.tasks == tasks
    show(panel, TASKS)
    assert panel.model.tasks == in_order(TASKS)
    panel.use_theme(DARK)
    panel.grab()


def test_the_same_tasks_are_not_announced_again(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    changed: list[int] = []
    panel.model.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    show(panel, TASKS)
    assert not changed
    show(panel, (replace(TASKS[0], place="elsewhere"), *TASKS[1:]))
    assert changed == [6]


def test_names_are_not_markup(qtbot: QtBot) -> None:
    task = replace(a_task(3), comm="<b>x</b>")
    panel = a_panel(qtbot, (task,))
    panel.selection.select_task(task.address)
    assert panel.why.name.textFormat() == Qt.TextFormat.PlainText
    assert panel.why.text.textFormat() == Qt.TextFormat.PlainText
    assert "<b>x</b>/3" in panel.why.name.text()


def test_what_is_read_aloud(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    row = [panel.model.index(1, column).data() for column in range(2)]
    assert row == ["core 2", "reader/8, ▶ running at vfs_read+0x14, ■ old body"]
    assert panel.model.index(0, 0).data() == "off"
