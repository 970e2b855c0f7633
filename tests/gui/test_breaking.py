"""The dialog that breaks a run: it opens with what runs now, and needs no mouse."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from emu.moves import schedule
from emu.patch.breaks import EXPLANATIONS
from gui.breaking.choice import MODELS, Choice, sentence
from gui.breaking.dialog import BreakDialog

NOW = Choice("sync1", "observed", 7, ("vfs_read",), 4)
BREAKS = tuple(EXPLANATIONS.items())
FUNCTIONS = ("ksys_read", "vfs_read", "vfs_write")


def a_dialog(qtbot: QtBot, now: Choice = NOW) -> BreakDialog:
    dialog = BreakDialog(now, BREAKS, FUNCTIONS)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def can_start(dialog: BreakDialog) -> bool:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()


def test_every_fetch_model_is_explained() -> None:
    assert tuple(MODELS) == schedule.MODELS


@pytest.mark.parametrize("broken", [None, *EXPLANATIONS])
@pytest.mark.parametrize("model", MODELS)
def test_it_opens_with_what_runs(qtbot: QtBot, broken: str | None, model: str) -> None:
    now = Choice(broken, model, 2**64 - 1, ("vfs_write", "own_one"), 8)
    dialog = a_dialog(qtbot, now)
    assert dialog.choice() == now
    assert can_start(dialog)


def test_a_choice_in_a_sentence() -> None:
    assert sentence(NOW, "no core is told") == (
        "4 cores run while vfs_read is patched, broken by “sync1” (no core is told); a core may "
        "fetch old bytes, but never half of an aligned 8-byte word; seed 7."
    )
    alone = replace(NOW, broken=None, cores=1, functions=("a", "b", "c"), model="coherent")
    assert sentence(alone, "") == (
        "1 core runs while a, b and c are patched, by the protocol as it should be; a core always "
        "fetches what memory holds; seed 7."
    )


def test_all_by_keyboard(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot)
    QTest.keyClick(dialog.breaks, Qt.Key.Key_Down)
    QTest.keyClick(dialog.functions, Qt.Key.Key_Down)
    QTest.keyClick(dialog.functions, Qt.Key.Key_Space)
    QTest.keyClick(dialog.model, Qt.Key.Key_Down)
    dialog.seed.selectAll()
    QTest.keyClicks(dialog.seed, "12")
    QTest.keyClick(dialog.cores, Qt.Key.Key_Down)
    choice = Choice("tail-first", "intel2010", 12, ("vfs_read", "ksys_read"), 3)
    assert dialog.choice() == choice
    assert dialog.sentence.text() == sentence(choice, EXPLANATIONS["tail-first"])
    with qtbot.waitSignal(dialog.accepted):
        QTest.keyClick(dialog.seed, Qt.Key.Key_Return)


def test_enter_in_a_list_starts_and_esc_does_not(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot)
    with qtbot.waitSignal(dialog.accepted):
        QTest.keyClick(dialog.breaks, Qt.Key.Key_Return)
    other = a_dialog(qtbot)
    with qtbot.waitSignal(other.rejected):
        QTest.keyClick(other.breaks, Qt.Key.Key_Escape)


def test_tab_goes_from_top_to_bottom(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.breaks.hasFocus)
    for widget in (dialog.functions, dialog.model, dialog.seed, dialog.cores):
        focus = dialog.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        assert widget.hasFocus()


def test_what_is_missing_is_said(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot)
    QTest.keyClick(dialog.functions, Qt.Key.Key_Space)
    assert dialog.choice() is None
    assert not can_start(dialog)
    assert dialog.sentence.text().startswith("Choose a function")
    QTest.keyClick(dialog.functions, Qt.Key.Key_Space)
    assert can_start(dialog)
    for seed in ("", str(2**64)):
        dialog.seed.setText(seed)
        assert not can_start(dialog)
        assert dialog.sentence.text().startswith("The seed")
    with qtbot.assertNotEmitted(dialog.accepted):
        QTest.keyClick(dialog.functions, Qt.Key.Key_Return)


def test_a_seed_is_digits(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot)
    dialog.seed.clear()
    QTest.keyClicks(dialog.seed, "-1x2")
    assert dialog.seed.text() == "12"


def test_names_are_not_markup(qtbot: QtBot) -> None:
    dialog = a_dialog(qtbot, replace(NOW, functions=("<b>f</b>",)))
    assert dialog.sentence.textFormat() == Qt.TextFormat.PlainText
    assert "<b>f</b> is patched" in dialog.sentence.text()
