"""Colours and sizes are right after any order of changes, and text stays as small as has room."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QFontMetrics, QScreen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from emu.lab.scenario import Scenario
from gui.commands import NextPhase
from gui.label import FittedLabel
from gui.listing.places import Places
from gui.listing.view import ListingPanel
from gui.tasks.view import TaskPanel
from gui.text import mono
from gui.window import MainWindow
from tests.gui.windows import Opened, opened

pytestmark = [pytest.mark.screen, pytest.mark.usefixtures("qapp")]


@pytest.fixture
def shown() -> Iterator[Opened]:
    with opened(Scenario(seed=21), size=(1280, 720)) as found:
        found.ask(NextPhase())
        found.window.selection.select_address(None)
        found.settle()
        yield found


def has_colour(label: QLabel, colour: str) -> bool:
    """Return whether letters of a colour are painted."""
    image, wanted = label.grab().toImage(), QColor(colour).rgb()
    return any(
        image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height())
    )


def check(window: MainWindow) -> None:
    QApplication.processEvents()
    size = QApplication.font().pointSizeF()
    box, tasks, listing = window.story.box, window.panels["tasks"], window.panels["listing"]
    assert isinstance(tasks, TaskPanel)
    assert isinstance(listing, ListingPanel)
    (change,) = window.panels["five_bytes"].findChildren(FittedLabel)
    for fitted, scale in ((box.sentence, 1.3), (box.reason, 1.0), (change, 1.0)):
        assert fitted.fitted.whole
        assert fitted.fitted.font.pointSizeF() == pytest.approx(size * scale, abs=0.1)
        assert not fitted.full or has_colour(fitted, window.looks.theme.ink), fitted.full
    plain = [tasks.why.name, tasks.why.text, listing.detail]
    for label in plain if tasks.isVisible() else ():
        assert label.font().pointSizeF() == pytest.approx(size, abs=0.1), label.text()
        assert label.palette().windowText().color() == QColor(window.looks.theme.ink)
    assert tasks.why.name.font().bold()
    assert listing.detail.font().families() == mono().families()


def test_labels_are_right_after_any_order_of_themes_and_sizes(shown: Opened) -> None:
    window = shown.window
    check(window)
    for change in (
        window.on_theme, window.on_larger, window.on_theme, window.on_theme, window.on_projector,
        window.on_theme, window.on_projector, window.on_smaller, window.on_theme,
    ):  # fmt: skip
        change()
        check(window)


@pytest.mark.parametrize("width", [1280, 2560])
def test_the_places_of_cores_are_not_cut_off(shown: Opened, width: int) -> None:
    shown.window.resize(width, 800)
    QApplication.processEvents()
    (places,) = shown.window.panels["listing"].findChildren(Places)
    buttons = [each for each in places.findChildren(QToolButton) if each.isVisible()]
    assert buttons
    assert len({button.y() for button in buttons}) == (2 if width == 1280 else 1)
    for button in buttons:
        frame = 2 * 1 + 2 * 1  # the border's and the padding's, above and below
        assert button.height() >= QFontMetrics(button.font()).height() + frame
        assert button.width() >= button.sizeHint().width()
        assert button.geometry().bottom() < places.height()


def test_text_gets_no_larger_than_there_is_room_on_the_screen(
    shown: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, sizes = shown.window, [QApplication.font().pointSizeF()]
    room = QSize(window.width(), window.height() * 27 // 25)
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _: QRect(QPoint(), room))
    for _ in range(4):
        window.on_larger()
        sizes.append(QApplication.font().pointSizeF())
    assert sizes[0] < sizes[-1] == sizes[-2]
    assert "cannot be larger" in window.notice.text()
    window.notice.hide()
    check(window)
    assert window.minimumSizeHint().expandedTo(room) == room
    window.on_smaller()
    assert QApplication.font().pointSizeF() == pytest.approx(sizes[0], abs=0.1)


def test_a_panel_behind_another_leaves_it_the_keyboard(shown: Opened, qtbot: QtBot) -> None:
    window = shown.window
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)

    def has_the_keyboard(name: str) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and window.panels[name] in {focus, focus.parentWidget()}

    for behind, front in (("tasks", "log"), ("log", "tasks")):
        window.panels[behind].setFocus()
        qtbot.waitUntil(lambda behind=behind: has_the_keyboard(behind))  # type: ignore[misc] # bool
        window.docks[front].raise_()
        qtbot.waitUntil(lambda front=front: has_the_keyboard(front))  # type: ignore[misc] # bool
    window.panels["five_bytes"].setFocus()
    focus = QApplication.focusWidget()
    window.docks["log"].raise_()
    QApplication.processEvents()
    assert QApplication.focusWidget() is focus
