"""Tables of rows: their keys are their own, and letters search for nothing."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from gui.log.view import LogPanel
from gui.panel import Panel
from gui.selection import Selection
from gui.theme import LIGHT
from tests.gui.frames import Log, a_frame


def a_window(qtbot: QtBot, *panels: Panel) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(panels[0] if panels else QWidget())
    window.resize(700, 400)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    return window


def test_the_tables_keys_win_over_the_windows(qtbot: QtBot) -> None:
    panel = LogPanel(LIGHT, Selection())
    window = a_window(qtbot, panel)
    taken: list[str] = []
    for key in ("Home", "End", "C", "T"):
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.activated.connect(lambda key=key: taken.append(key))
    panel.show_frame(a_frame(log=Log(100), position=50_000))
    panel.table.setFocus()
    qtbot.waitUntil(panel.table.hasFocus)
    QTest.keyClick(panel.table, Qt.Key.Key_Home)
    assert panel.table.currentIndex().row() == 0
    QTest.keyClick(panel.table, Qt.Key.Key_End)
    assert panel.table.currentIndex().row() == 99
    QTest.keyClick(panel.table, Qt.Key.Key_C)
    assert panel.model.filter.core == 3
    QTest.keyClick(panel.table, Qt.Key.Key_T)
    assert taken == ["T"]


def test_a_letter_does_not_read_the_whole_log(qtbot: QtBot) -> None:
    panel = LogPanel(LIGHT, Selection())
    window = a_window(qtbot, panel)
    log = Log(1_000_000)
    panel.show_frame(a_frame(log=log, position=500_000_000))
    before = log.read
    QTest.keyClick(panel.table, Qt.Key.Key_X)
    assert log.read - before < 1000
    assert window.isVisible()


def test_tab_leaves_the_table(qtbot: QtBot) -> None:
    panel = LogPanel(LIGHT, Selection())
    window = a_window(qtbot, panel)
    panel.show_frame(a_frame(log=Log(10)))
    panel.table.setFocus()
    qtbot.waitUntil(panel.table.hasFocus)
    QTest.keyClick(panel.table, Qt.Key.Key_Tab)
    assert window.focusWidget() not in {None, panel.table}
