import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from emu.scene.chapter import Chapter
from gui.frame import Frame
from gui.selection import Selection
from gui.story.chevron import Chevron
from gui.story.panel import StoryPanel
from gui.theme import DARK, LIGHT
from tests.gui import scenes
from tests.gui.fonts import LargeFont, large_font

__all__ = ["large_font"]


def _shown(qtbot: QtBot, frame: Frame, width: int = 900) -> StoryPanel:
    panel = StoryPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.show_frame(frame)
    panel.resize(width, panel.sizeHint().height())
    panel.show()
    return panel


def _colours(panel: StoryPanel) -> set[str]:
    image = panel.box.grab().toImage()
    columns = range(image.width())
    return {QColor(image.pixel(x, 0)).name() for x in columns} | {
        QColor(image.pixel(x, image.height() // 2)).name() for x in columns
    }


def _chapters(number: int) -> tuple[Chapter, ...]:
    return (scenes.chapters("tail") + scenes.chapters("arm")[1:])[:number]


@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("width", [900, 1280, 1920])
def test_any_number_of_phases_share_the_width_in_order(
    qtbot: QtBot, number: int, width: int
) -> None:
    scene = replace(scenes.scene(), chapters=_chapters(number))
    panel = _shown(qtbot, scenes.frame(scene), width)
    chevrons = panel.strip.chevrons
    assert [each.number for each in chevrons] == list(range(1, number + 1))
    assert chevrons[0].x() == 0
    assert abs(chevrons[-1].geometry().right() + 1 - width) <= 1
    for one, other in itertools.pairwise(chevrons):
        assert 0 <= one.geometry().right() - other.x() < one.height() * 0.22
    assert all(each.width() >= 0.9 * each.widths()[0] for each in chevrons)  # titles may shrink


def test_a_phase_says_its_status_in_words_and_signs(qtbot: QtBot) -> None:
    scene = replace(scenes.scene(), chapters=scenes.chapters("tail", ("sync1",)))
    panel = _shown(qtbot, scenes.frame(scene))
    chevrons = panel.strip.chevrons
    by_phase = {each.chapter.phase: each for each in chevrons}
    assert by_phase["int3"].title == "✓ 2 int3"
    assert by_phase["int3"].accessibleName() == "phase 2, int3, done: cc .. .. .. .."
    assert by_phase["tail"].title == "4 tail"
    assert by_phase["sync1"].does == "left out"
    assert "left out" in by_phase["sync1"].accessibleName()
    assert by_phase["head"].accessibleName().startswith("phase 6, head, to come")


def test_a_click_and_a_key_pick_a_phase(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()))
    picked: list[str] = []
    panel.phase_picked.connect(picked.append)
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(panel.strip.chevrons[6], left)
    QTest.keyClick(panel.strip.chevrons[1], Qt.Key.Key_Return)
    QTest.keyClick(panel.strip.chevrons[2], Qt.Key.Key_Space)
    assert picked == ["sync3", "int3", "sync1"]


def test_equal_phases_keep_their_buttons_and_others_keep_the_focus(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()))
    before = panel.strip.chevrons
    panel.show_frame(scenes.frame(replace(scenes.scene(), sentence="Another."), 2))
    assert panel.strip.chevrons is before
    before[3].setFocus()
    panel.show_frame(scenes.frame(scenes.scene(now="head"), 3))
    focus = panel.focusWidget()
    assert isinstance(focus, Chevron)
    assert focus.number == 4


def test_the_sentence_and_its_reason_are_read_out(qtbot: QtBot) -> None:
    scene = scenes.scene()
    panel = _shown(qtbot, scenes.frame(scene))
    assert panel.box.sentence.accessibleName() == scene.sentence
    assert panel.box.sentence.text().split() == scene.sentence.split()
    assert panel.box.reason.accessibleName() == scene.reason
    assert "core 1" in panel.box.accessibleDescription()


@pytest.mark.parametrize("width", [900, 1280])
def test_a_sentence_that_is_too_long_is_elided_and_still_there_in_full(
    qtbot: QtBot, width: int
) -> None:
    sentence = "Core 1 has <b>many</b> words to say. " * 20
    panel = _shown(qtbot, scenes.frame(replace(scenes.scene(), sentence=sentence)), width)
    label = panel.box.sentence
    assert label.text().count("\n") == 1
    assert label.text().endswith("…")
    assert label.accessibleName() == sentence
    assert "&lt;b&gt;many" in label.toolTip()
    for line in label.text().split("\n"):
        assert label.fontMetrics().horizontalAdvance(line) <= label.width()


def test_names_of_a_guest_are_not_markup(qtbot: QtBot) -> None:
    sentence = "Core 1 runs <h1>evil</h1>&amp;/7."
    panel = _shown(qtbot, scenes.frame(replace(scenes.scene(), sentence=sentence)))
    assert panel.box.sentence.text() == sentence
    assert panel.box.sentence.textFormat() is Qt.TextFormat.PlainText
    assert panel.box.reason.textFormat() is Qt.TextFormat.PlainText


def test_the_panel_keeps_its_height_whatever_is_told(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()))
    high = panel.sizeHint().height()
    for scene in (replace(scenes.scene(), sentence="No.", reason=""), None):
        panel.show_frame(scenes.frame(scene, 2))
        assert panel.sizeHint().height() == high


def test_a_failure_comes_first_and_has_a_red_frame(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()))
    assert LIGHT.bad not in _colours(panel)
    scene = replace(scenes.scene(), failure=scenes.FAILURE)
    panel.show_frame(scenes.frame(scene, 2))
    assert panel.box.sentence.full == scenes.FAILURE.sentence
    assert panel.box.reason.full == scene.reason
    assert panel.box.accessibleName() == "Failure"
    assert LIGHT.bad in _colours(panel)
    panel.show_frame(scenes.frame(scenes.scene(), 3))
    assert LIGHT.bad not in _colours(panel)


def test_before_the_kernel_is_up_the_panel_says_so(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(None, state="starting"))
    assert panel.box.sentence.full == (
        "The kernel starts; there is nothing to tell before it is up."
    )
    panel.show_frame(scenes.frame(None, 2, state="ended"))
    assert panel.box.sentence.full == "The run ended before the kernel was up."
    assert not panel.strip.chevrons


def test_another_theme_reaches_every_part(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()))
    panel.use_theme(DARK)
    assert DARK.tint in _colours(panel)
    assert LIGHT.tint not in _colours(panel)


def test_a_larger_font_of_the_application_is_followed(qtbot: QtBot, large_font: LargeFont) -> None:
    panel = _shown(qtbot, scenes.frame(scenes.scene()), 1280)
    high = panel.sizeHint().height()
    with large_font():
        assert panel.sizeHint().height() >= 1.3 * high
        panel.resize(1280, panel.sizeHint().height())
        label = panel.box.sentence
        assert label.text().split() == label.full.split()
        assert label.height() >= label.fontMetrics().lineSpacing() * (label.text().count("\n") + 1)
