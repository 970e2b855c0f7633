"""The window does what its keys say, and shows what the machine does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog
from pytestqt.qtbot import QtBot

from emu import resources
from emu.errors import TextpokeError
from emu.lab.player import Player
from emu.lab.scenario import Scenario
from emu.moves.plan import PHASES
from emu.moves.schedule import Schedule
from gui.actions import ACTIONS, CORE_KEYS
from gui.breaking.dialog import BreakDialog
from gui.commands import Begin, Command, GoToPhase, Look, NextFailure, NextPhase, Play
from gui.docks import LARGER
from gui.five_bytes.panel import FiveBytesPanel
from gui.keys.dialog import HelpDialog
from tests.gui.windows import Opened, opened

pytestmark = [pytest.mark.screen, pytest.mark.usefixtures("qapp")]


@pytest.fixture(scope="module")
def shared(qapp: QApplication) -> Iterator[Opened]:  # noqa: ARG001 -- it has to be there
    """A window for tests that do not mind where it has been."""
    with opened(Scenario(seed=21)) as shown:
        yield shown
    assert not [error for error in shown.failures if not isinstance(error, TextpokeError)]


@pytest.fixture
def shown(shared: Opened) -> Opened:
    """The same, at the end of its first phase, with nothing selected."""
    shared.window.selection.clear()
    shared.ask(GoToPhase("arm"))
    shared.window.activateWindow()
    return shared


def press(shown: Opened, *keys: str) -> None:
    """Press keys in the window and wait until it shows what came of them."""
    for key in keys:
        shown.window.activateWindow()
        assert QTest.qWaitForWindowActive(shown.window)
        QTest.keySequence(shown.window, QKeySequence(key))
        shown.settle()


def test_every_action_has_a_key_of_its_own(shared: Opened) -> None:
    keys = [QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys]
    keys += list(CORE_KEYS)
    assert len(set(keys)) == len(keys)
    assert {spec.name for spec in ACTIONS} == set(shared.window.actions_)
    for action in shared.window.actions():
        assert action.whatsThis(), action.text()
        assert action.shortcuts()


def test_phases_forth_and_back(shown: Opened) -> None:
    scenes = [shown.frame.scene]
    for phase in PHASES[1:]:
        press(shown, "F11")
        scenes.append(shown.frame.scene)
        assert shown.window.standing.text().startswith("paused")
        assert phase
    for scene in scenes[-2::-1]:
        press(shown, "Shift+F11")
        assert shown.frame.scene == scene
    press(shown, "Home")
    assert shown.frame.position < (scenes[0].time if scenes[0] else 0)
    press(shown, "End")
    assert shown.frame.position == shown.frame.edge


def test_a_step_and_back(shown: Opened) -> None:
    press(shown, "End", "2")
    assert shown.window.toolbar.actor == 2
    before = shown.frame
    press(shown, "F10")
    assert before.scene
    assert shown.frame.scene
    assert shown.frame.scene.instructions == before.scene.instructions + 1
    press(shown, "F9")
    assert shown.frame.scene.cores == before.scene.cores
    press(shown, "Escape")
    assert shown.window.toolbar.actor is None


def test_the_patcher_steps(shown: Opened) -> None:
    press(shown, "End")
    while shown.frame.scene and not any(c.status == "now" for c in shown.frame.scene.chapters):
        press(shown, "F11")
    press(shown, "P")
    assert shown.window.toolbar.actor == 4
    scene = shown.frame.scene
    press(shown, "F10")
    assert scene
    assert shown.frame.scene
    assert shown.frame.scene.instructions == scene.instructions


def test_who_steps_is_chosen_until_another_is(shown: Opened) -> None:
    window = shown.window
    press(shown, "2", "P")
    window.selection.select_time(shown.frame.position - 100)
    window.selection.select_address(0xFFFFFFFF81000000)
    shown.settle()
    press(shown, "F9")  # what was picked as the time is past
    assert window.selection.now.time is None
    assert window.toolbar.actor == 4
    press(shown, "2")
    assert window.toolbar.actor == 2
    press(shown, "Escape", "P", "Escape")
    assert window.toolbar.actor is None


def test_space_presses_the_button_that_has_the_focus(shown: Opened) -> None:
    window, at = shown.window, shown.frame.position
    button = window.toolbar.widgetForAction(window.actions_["next_phase"])
    for widget in (button, window.panels["timeline"]):
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_Space)
        frame = shown.settle()
        if widget is button:
            assert (frame.state, frame.position > at) == ("paused", True)
        else:
            assert frame.state == "running"
    press(shown, "F5")


def test_it_runs_and_pauses(shown: Opened) -> None:
    for run, pause in (("F5", "Space"), ("Space", "F5")):
        edge = shown.frame.edge
        press(shown, "End", run)
        while shown.frame.edge < edge + 20_000:
            assert shown.frame.state == "running"
            QApplication.processEvents()
        press(shown, pause)
        assert shown.frame.state == "paused"
        assert shown.frame.position == shown.frame.edge


def test_speeds(shown: Opened) -> None:
    at = shown.window.toolbar.speed
    press(shown, "Ctrl+Shift+Right")
    faster = shown.window.toolbar.speed
    assert at is not None
    assert faster is None or faster > at
    press(shown, "Ctrl+Shift+Left", "Ctrl+Shift+Left")
    assert (shown.window.toolbar.speed or 0) < at
    press(shown, "Ctrl+Shift+Right")


def test_a_time_is_picked_anywhere_in_the_run(shown: Opened) -> None:
    press(shown, "End")
    shown.ask(NextPhase())
    there = shown.frame.edge - 500
    shown.window.selection.select_time(there)
    shown.settle()
    assert shown.frame.position <= there < shown.frame.edge
    shown.window.selection.select_core(1)
    press(shown, "F10")
    assert shown.window.selection.now.time is None


def test_looks(shown: Opened) -> None:
    window = shown.window
    theme, size = window.looks.theme.name, QApplication.font().pointSizeF()
    press(shown, "T")
    assert window.looks.theme.name != theme
    assert all(
        panel.theme is window.looks.theme for panel in (window.story, *window.panels.values())
    )
    press(shown, "T", "Ctrl++")
    assert QApplication.font().pointSizeF() > size
    press(shown, "Ctrl+-")
    assert QApplication.font().pointSizeF() == pytest.approx(size, abs=0.1)
    press(shown, "Ctrl+P")
    seen = [name for name, panel in window.panels.items() if panel in window.visible]
    assert seen == ["five_bytes", "timeline"]
    assert QApplication.font().pointSizeF() == pytest.approx(
        size * LARGER * window.height(), abs=0.1
    )
    press(shown, "Ctrl+Shift+P")
    seen = [name for name, panel in window.panels.items() if panel in window.visible]
    assert seen == ["five_bytes", "path"]
    press(shown, "Ctrl+Shift+P", "Ctrl+P")
    assert QApplication.font().pointSizeF() == pytest.approx(size, abs=0.1)
    assert len(window.visible) == 5


def test_f6_goes_through_all_panels_that_can_be_seen(shown: Opened) -> None:
    window, reached = shown.window, []
    for _ in range(5):
        press(shown, "F6")
        focus = QApplication.focusWidget()
        reached += [n for n, p in window.panels.items() if (focus and p.isAncestorOf(focus))
                    or p is focus]  # fmt: skip
    assert sorted(reached) == sorted(n for n, p in window.panels.items() if p in window.visible)


def test_what_is_hidden_does_no_work(shown: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    window = shown.window
    asked: list[str] = []
    monkeypatch.setattr(window.panels["tasks"], "show_frame", lambda _f: asked.append("tasks"))
    window.docks["tasks"].hide()
    shown.settle()
    asked.clear()
    shown.ask(NextPhase())
    assert not asked
    assert shown.frame.scene
    assert shown.frame.scene.tasks is None
    assert shown.frame.scene.listing is not None
    window.docks["tasks"].show()
    window.docks["tasks"].raise_()
    shown.settle()
    assert asked
    assert shown.frame.scene.tasks


def test_panels_for_reading_are_shown_each_scene_once(
    shown: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, calls = shown.window, list[str]()
    for name, panel in {"story": window.story, **window.panels}.items():
        monkeypatch.setattr(panel, "show_frame", lambda _frame, name=name: calls.append(name))
    scene = shown.frame.scene
    assert scene
    running = replace(shown.frame, state="running")
    window.show_frame(running)
    assert {"story", "five_bytes", "timeline"} <= set(calls)
    calls.clear()
    window.show_frame(replace(running, number=running.number + 1))
    assert calls == ["timeline"]
    window.show_frame(replace(running, number=running.number + 2, scene=replace(scene)))
    assert "story" in calls
    assert "tasks" in calls


def test_the_listing_follows_the_selected_address(shown: Opened) -> None:
    assert shown.frame.scene
    assert shown.frame.scene.listing
    core = shown.frame.scene.cores[0]
    shown.window.selection.select_address(core.rip)
    frame = shown.settle()
    assert frame.scene
    assert frame.scene.listing
    assert frame.scene.listing.row_of(core.rip) is not None
    press(shown, "Ctrl+L")
    assert shown.frame.scene.listing.row_of(shown.frame.scene.sites[0].address) is not None


def closing(kind: type[QDialog], found: list[QDialog], *, accept: bool) -> None:
    """Close the dialog of a kind that opens next."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            found.append(dialog)
            dialog.accept() if accept else dialog.reject()
        else:
            QTimer.singleShot(5, look)

    QTimer.singleShot(5, look)


def test_the_help_lists_every_key(shown: Opened) -> None:
    for key in ("?", "F1"):
        found: list[QDialog] = []
        closing(HelpDialog, found, accept=False)
        press(shown, key)
        assert found


def test_break_it(shown: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    send = shown.bridge.send

    def note(command: Command) -> int:
        begun.append(command)
        return send(Look())

    monkeypatch.setattr(shown.bridge, "send", note)
    found: list[QDialog] = []
    closing(BreakDialog, found, accept=True)
    press(shown, "Ctrl+B")
    assert found
    assert Begin(Scenario(seed=21)) in begun


def test_a_run_is_saved_and_opened(
    shown: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = str(tmp_path / "run.json")
    for name in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: (file, ""))
    press(shown, "Ctrl+S")
    assert Schedule.read(file).plans
    (tmp_path / "run.json").write_text("{")
    press(shown, "Ctrl+O")
    assert not shown.window.notice.isHidden()
    assert "run.json" in shown.window.notice.text()
    (tmp_path / "run.json").unlink()
    path = resources.schedule("sync1-sdm")
    assert path is not None
    file = str(path)
    press(shown, "Ctrl+O")
    assert shown.window.notice.isHidden()
    shown.ask(NextFailure())
    assert shown.frame.scene
    assert shown.frame.scene.failure is not None
    shown.ask(Begin(Scenario(seed=21)))


def test_a_guest_that_dies_is_told_of_and_can_be_looked_at() -> None:
    with opened(Scenario(seed=1, broken="arm")) as shown:
        press(shown, "F12")
        frame = shown.frame
        assert frame.scene
        assert frame.scene.failure
        assert frame.scene.failure.sentence in shown.window.story.box.sentence.accessibleName()
        press(shown, "End", "F11")
        states = [shown.frame.state]
        assert "cannot go on" in shown.window.notice.text()
        press(shown, "F9", "Shift+F11")
        assert [*states, shown.frame.state] == ["ended", "paused"]


def test_what_is_broken_and_what_was_executed_stands_there() -> None:
    with opened(Scenario(seed=3, broken="sync1")) as shown:
        assert "sync1" in shown.window.broken.text()
        assert not shown.window.broken.isHidden()
        press(shown, "F12")
        scene = shown.frame.scene
        assert scene is not None
        assert scene.failure is not None
        panel = shown.window.panels["five_bytes"]
        assert isinstance(panel, FiveBytesPanel)
        row = panel.model.rows[1 + scene.failure.core]
        assert bytes(byte.value for byte in row.code) == scene.failure.code
        assert (row.task, row.decoded) == ("executed", scene.failure.became)
        shown.ask(Begin(Scenario()))
        assert shown.window.broken.isHidden()


def test_a_function_that_cannot_be_patched_is_told_of() -> None:
    with opened() as shown:
        title = shown.window.windowTitle()
        shown.ask(Begin(Scenario(functions=("nothing_like_it",))))
        assert "nothing_like_it" in shown.window.notice.text()
        assert shown.window.windowTitle() == title
        press(shown, "F11")
        assert shown.window.notice.isHidden()


def test_an_internal_error_is_told_of_and_kept(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_player: Player) -> None:
        raise ZeroDivisionError("on purpose")

    with opened() as shown:
        monkeypatch.setattr(Player, "next_phase", broken)
        shown.window.activateWindow()
        assert QTest.qWaitForWindowActive(shown.window)
        QTest.keySequence(shown.window, QKeySequence("F11"))
        qtbot.waitUntil(lambda: shown.window.crash is not None, timeout=30_000)
        assert "a bug in textpoke" in shown.window.notice.text()
        assert isinstance(shown.window.crash, ZeroDivisionError)


@pytest.mark.parametrize("when", ["at once", "running", "going", "paused"])
def test_it_closes_at_any_moment(when: str) -> None:
    with opened() as shown:
        if when == "running":
            shown.ask(Play(None))
        elif when == "going":
            shown.bridge.send(NextFailure())
        elif when == "at once":
            shown.bridge.send(Begin(Scenario(seed=5)))
        shown.window.close()
        assert shown.window.ended
