"""The help lists what there is: the actions' keys and the panels'."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gui.keys.dialog import HelpDialog
from gui.keys.table import EVERYWHERE, Key, keys_of
from gui.listing.view import ListingPanel
from gui.log.view import LogPanel
from gui.selection import Selection
from gui.tasks.view import TaskPanel
from gui.theme import LIGHT


def an_action(text: str, *keys: str) -> QAction:
    action = QAction(text)
    action.setShortcuts([QKeySequence(key) for key in keys])
    return action


def test_actions_are_listed_by_their_keys(qtbot: QtBot) -> None:
    del qtbot
    told = an_action("&Run", "F5")
    told.setWhatsThis("run until a key is pressed")
    actions = [an_action("Save && &quit", "Ctrl+Q", "F4"), told, an_action("no key")]
    assert keys_of(actions, ()) == (
        Key(EVERYWHERE, "Ctrl+Q, F4", "Save & quit"),
        Key(EVERYWHERE, "F5", "run until a key is pressed"),
    )


def test_the_keys_of_panels_follow_under_their_titles(qtbot: QtBot) -> None:
    panels = [kind(LIGHT, Selection()) for kind in (ListingPanel, TaskPanel, LogPanel)]
    for panel in panels:
        qtbot.addWidget(panel)
    keys = keys_of([an_action("&Step", "F10")], panels)
    assert [key.where for key in keys] == [EVERYWHERE, *("Listing",) * 2, *("Tasks",) * 2,
                                           *("Log",) * 5]  # fmt: skip
    dialog = HelpDialog(LIGHT, keys)
    qtbot.addWidget(dialog)
    shown = [
        (dialog.model.index(row, 0).data(), dialog.model.index(row, 1).data())
        for row in range(dialog.model.rowCount())
    ]
    assert shown[:3] == [("Everywhere", ""), ("F10", "Step"), ("Listing", "")]
    assert len(shown) == len(keys) + 4


def test_the_dialog_is_read_and_closed_by_keys(qtbot: QtBot) -> None:
    dialog = HelpDialog(LIGHT, keys_of([an_action("&Step", "F10"), an_action("&Back", "F9")], ()))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.grab()
    dialog.table.setFocus()
    QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    assert dialog.table.currentIndex().row() == 1  # not the heading
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_key_is_shown_as_it_is(qtbot: QtBot) -> None:
    dialog = HelpDialog(LIGHT, (Key("x", "<b>", "& <i>"),))
    qtbot.addWidget(dialog)
    assert dialog.model.index(1, 0).data() == "<b>"
    assert dialog.model.index(1, 1).data() == "& <i>"
