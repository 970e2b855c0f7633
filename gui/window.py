"""The main window: buttons and panels around one selection and one bridge."""

from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLayout,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from emu.errors import TextpokeError
from emu.lab import compiling
from emu.lab.player import AnyScenario
from emu.lab.scenario import Scenario
from gui import actions, commands
from gui.breaking.choice import Choice
from gui.breaking.dialog import BreakDialog
from gui.bridge import Bridge
from gui.docks import Docks
from gui.frame import Frame
from gui.keys.dialog import HelpDialog
from gui.keys.table import EVERYWHERE, Key, keys_of
from gui.label import Label
from gui.looks import Looks
from gui.panel import Panel
from gui.panels import panels
from gui.selection import Selected, Selection
from gui.story.panel import StoryPanel
from gui.theme import Theme
from gui.toolbar import Toolbar

FRAME: Final = 13
"""Milliseconds between two looks for a frame.

More often than screens are drawn, since a frame with a new scene takes the time of two.
"""


class MainWindow(QMainWindow):
    """The window. It asks the bridge, shows what comes back, and decides nothing about the run.

    Attributes:
        bridge, selection: what it stands between.
        looks: its theme, its layout, the size of its text.
        frame: the last one shown.
        crash: the internal error that there was, or None.
        ended: whether the machine's thread has ended with the window.
    """

    def __init__(self, bridge: Bridge, theme: Theme) -> None:
        super().__init__()
        self.bridge = bridge
        self.selection = Selection(self)
        self.frame: Frame | None = None
        self.crash: BaseException | None = None
        self.ended = False
        self._scenario: AnyScenario = Scenario()
        self._begins = ""
        self._followed = self.selection.now  # what was selected last
        self._look = commands.Look()
        self.setWindowTitle("textpoke")
        self.actions_ = actions.make(self)
        self.toolbar = Toolbar(self.actions_)
        self.addToolBar(self.toolbar)
        self.story = StoryPanel(theme, self.selection)
        self.notice = Label("Notice", wraps=True)
        self.broken = Label("What is broken on purpose", wraps=True)
        self.panels = panels(theme, self.selection)
        self._build()
        self.docks = Docks(self, self.panels)
        self.looks = Looks(self, theme)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.show_next_frame)
        self._timer.start(FRAME)

    def _build(self) -> None:
        self.notice.hide()
        self.broken.hide()
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSizeConstraint(QLayout.SizeConstraint.SetMinAndMaxSize)  # docks have the rest
        column.addWidget(self.story)
        column.addWidget(self.broken)
        column.addWidget(self.notice)
        self.setCentralWidget(top)
        self.standing = Label("Where the player stands")
        self.statusBar().addWidget(self.standing, 1)

    def _connect(self) -> None:
        self.selection.changed.connect(self._follow_selection)
        self.story.phase_picked.connect(lambda phase: self._ask(commands.GoToPhase(phase)))
        self.bridge.shown.connect(self.show_next_frame)
        self.bridge.failed.connect(lambda error: self.show_notice(str(error)))
        self.bridge.crashed.connect(self.show_crash, Qt.ConnectionType.QueuedConnection)
        self.bridge.begun.connect(self._show_scenario)
        self.bridge.booting.connect(self._show_boot)
        self.docks.changed.connect(self._visible_changed)
        for core, key in enumerate(actions.CORE_KEYS):
            shortcut = QShortcut(key, self)
            shortcut.activated.connect(lambda core=core: self._choose_core(core))

    @property
    def visible(self) -> list[Panel]:
        """The panels that can be seen, in the order of F6."""
        return [panel for name, panel in self.panels.items() if self.docks.can_be_seen(name)]

    # --- frames --------------------------------------------------------------------------------

    def show_next_frame(self) -> None:
        """Show the frame that the bridge has, if it has one."""
        frame = self.bridge.take()
        if frame is not None:
            self.show_frame(frame)
        elif self.frame is None:
            message = _COMPILES if compiling.busy() else self._begins
            self.story.show_frame(Frame(0, "starting", None, 0, 0, None, message))

    def show_frame(self, frame: Frame) -> None:
        """Show a frame, in the panels that can be seen."""
        before, self.frame = self.frame, frame
        to_read = before is None or frame.scene is not before.scene or frame.state != before.state
        for panel in self.visible:
            if to_read or panel.moves:
                panel.show_frame(frame)
        if not to_read:
            return
        self.story.show_frame(frame)
        if before is None and frame.scene is not None:
            self.toolbar.show_cores(len(frame.scene.cores))
        self.toolbar.show_state(frame.state, self.looks.theme)
        self.standing.setText(frame.standing)

    def _visible_changed(self) -> None:
        """Ask for what the panels that can be seen now need, and show those what is there.

        A panel that went behind another in its tabs leaves that one the keyboard.
        """
        focus = QApplication.focusWidget()
        for name, panel in self.panels.items():
            if focus in {panel, *panel.findChildren(QWidget)}:
                front = self.docks.in_front_of(name)
                if front is not None:
                    self.panels[front].setFocus(Qt.FocusReason.OtherFocusReason)
        self._look_again()
        if self.frame is not None:
            for panel in self.visible:
                panel.show_frame(self.frame)

    def _look_again(self) -> None:
        visible = (panel.needs for panel in self.visible)
        selected = self.selection.now
        look = commands.Look(frozenset().union(*visible), selected.address)
        if look != self._look:
            self._look = look
            self.bridge.send(look)

    # --- the selection -------------------------------------------------------------------------

    def _follow_selection(self, selected: Selected) -> None:
        before, self._followed = self._followed, selected
        self._look_again()
        if selected.core != before.core:
            self.toolbar.choose_actor(selected.core)
        if selected.time is not None and selected.time != before.time:
            self.bridge.send(commands.GoTo(selected.time))

    def _choose_core(self, core: int) -> None:
        if self.frame and self.frame.scene and core < len(self.frame.scene.cores):
            self.selection.select_core(core)
            self.toolbar.choose_actor(core)  # it may be selected, and yet the patcher be chosen

    def _ask(self, command: commands.Command) -> None:
        """Send a command that moves the player: what was picked as the time is past."""
        self.notice.hide()
        self.selection.select_time(None)
        self.bridge.send(command)

    # --- what the actions do -------------------------------------------------------------------

    def on_begin(self) -> None:
        """Go back to the beginning."""
        self._ask(commands.GoTo(0))

    def on_previous_phase(self) -> None:
        """Go back one phase."""
        self._ask(commands.PreviousPhase())

    def on_back(self) -> None:
        """Undo one instruction."""
        self._ask(commands.Back(self.toolbar.actor))

    def on_step(self) -> None:
        """Execute one instruction."""
        self._ask(commands.Step(self.toolbar.actor))

    def on_next_phase(self) -> None:
        """Go on to the end of the next phase."""
        self._ask(commands.NextPhase())

    def on_next_failure(self) -> None:
        """Go on to where something goes wrong."""
        self._ask(commands.NextFailure())

    def on_run(self) -> None:
        """Run, or pause."""
        if self.frame is not None and self.frame.state == "running":
            self.bridge.send(commands.Pause())
        else:
            self._ask(commands.Play(self.toolbar.speed))

    def on_edge(self) -> None:
        """Go to where the run has got to."""
        self._ask(commands.GoTo(None))

    def on_slower(self) -> None:
        """Run fewer instructions a second."""
        self._change_speed(-1)

    def on_faster(self) -> None:
        """Run more instructions a second."""
        self._change_speed(1)

    def on_any_core(self) -> None:
        """Let Step take whoever is next; select nothing."""
        self.selection.clear()
        self.toolbar.choose_actor(None)

    def on_patcher(self) -> None:
        """Let Step make the patcher's next step."""
        self.toolbar.choose_patcher()

    def on_site(self) -> None:
        """Show the site that is patched in the listing."""
        self.selection.select_address(None)

    def on_break_it(self) -> None:
        """Choose what is left out, the fetch model and the seed, and begin again."""
        now = self._scenario
        dialog = BreakDialog(
            Choice.of(now), tuple(now.breaks.items()), now.patchable, self, fixed=now.fixed
        )
        if dialog.exec() and (chosen := dialog.choice()):
            self._ask(commands.Begin(chosen.scenario(self._scenario)))
        dialog.deleteLater()

    def on_open(self) -> None:
        """Play a recorded run from a file."""
        path, _ = QFileDialog.getOpenFileName(self, "Play a recorded run", "", "Schedules (*.json)")
        if path:
            self.open(path)

    def open(self, path: str) -> None:
        """Play the schedule in a file."""
        try:
            schedule, scenario = self._scenario.recorded(path)
        except TextpokeError as error:
            self.show_notice(str(error))
        else:
            self._ask(commands.Open(schedule, scenario))

    def on_save(self) -> None:
        """Write the run so far to a file."""
        path, _ = QFileDialog.getSaveFileName(
            self, "Write the run", "run.json", "Schedules (*.json)"
        )
        if path:
            self.bridge.send(commands.Save(path))

    def on_type(self) -> None:
        """Let a line come in on the guest's serial line."""
        line, given = QInputDialog.getText(self, "Type a line", "On the guest's console:")
        if given:
            self._ask(commands.Type(f"{line}\n".encode()))

    def on_theme(self) -> None:
        """Light or dark."""
        self.looks.next_theme()

    def on_projector(self) -> None:
        """Change between the layouts."""
        self.looks.next_layout()

    def on_swap(self) -> None:
        """Show the other panel beside the five bytes."""
        self.looks.swap()

    def on_larger(self) -> None:
        """Larger text."""
        self._zoom(1.1)

    def on_smaller(self) -> None:
        """Smaller text."""
        self._zoom(1 / 1.1)

    def on_next_panel(self) -> None:
        """Move the keyboard to the next panel."""
        seen = self.visible
        focus = QApplication.focusWidget()
        having = [focus is not None and each in {focus, *_above(focus)} for each in seen]
        at = having.index(True) + 1 if True in having else 0
        if seen:
            seen[at % len(seen)].setFocus(Qt.FocusReason.TabFocusReason)

    def on_keys(self) -> None:
        """Show all keys."""
        cores = Key(EVERYWHERE, "0 to 7", "Select a core, and let it step")
        keys = (cores, *keys_of(self.actions(), [self.story, *self.panels.values()]))
        dialog = HelpDialog(self.looks.theme, keys, self)
        dialog.exec()
        dialog.deleteLater()

    def on_quit(self) -> None:
        """Close the window."""
        self.close()

    def _zoom(self, factor: float) -> None:
        if not self.looks.zoom(factor):
            self.show_notice("Text cannot be larger here: the panels would not fit on the screen.")

    def _change_speed(self, by: int) -> None:
        self.toolbar.change_speed(by)
        if self.frame is not None and self.frame.state == "running":
            self.bridge.send(commands.Play(self.toolbar.speed))

    # --- what the bridge says ------------------------------------------------------------------

    def show_notice(self, sentence: str) -> None:
        """Show a sentence until the next command."""
        self.notice.setText(f"⚠ {sentence}")
        self.notice.show()

    def show_crash(self, error: BaseException) -> None:
        """Show that there was an internal error. The window stays, to look at what there is."""
        self.crash = self.crash or error
        self.show_notice(f"a bug in textpoke, please report it: {type(error).__name__}: {error}")

    def _show_boot(self, sentence: str) -> None:
        """Show how far a kernel is that boots."""
        self._begins = sentence
        if self.frame is not None:
            self.standing.setText(sentence)

    def _show_scenario(self, scenario: AnyScenario) -> None:
        self._scenario = scenario
        self.broken.setVisible(scenario.broken is not None)
        if scenario.broken is not None:
            why = scenario.breaks[scenario.broken]
            self.broken.show_text(f"Broken on purpose ({scenario.broken}): {why}.")
        self.selection.clear()
        self.setWindowTitle(f"textpoke: {scenario}")
        self.toolbar.show_cores(scenario.cores)

    def event(self, event: QEvent) -> bool:
        """Leave Space to the button or the choice that has the focus: there it does not run."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
            and isinstance(QApplication.focusWidget(), (QAbstractButton, QComboBox))
        ):
            event.accept()
            return True
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the machine's thread with the window."""
        self._timer.stop()
        self.ended = self.bridge.stop()
        event.accept()


_COMPILES: Final = "The emulator is compiled, only this first time: that takes a minute or two."


def _above(widget: QWidget) -> Iterator[QWidget]:
    """Yield what a widget lies in, from the inside to the outside."""
    parent = widget.parentWidget()
    while parent is not None:
        yield parent
        parent = parent.parentWidget()
