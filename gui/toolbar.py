"""The toolbar: the player's buttons, who steps, and how fast it runs."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QToolBar, QWidget

from gui.frame import State
from gui.icons import icon
from gui.layouts import LayoutName
from gui.pace import SPEEDS
from gui.theme import Theme

_PLAYER: Final = ("begin", "previous_phase", "back", "step", "next_phase", "run", "edge")
_OTHERS: Final = ("break_it", "smaller", "larger", "theme", "projector", "keys")
_WORDS: Final = ("back", "step", "next_phase", "run", "break_it", "theme", "projector")
_USUAL: Final = 100_000  # instructions a second


class Toolbar(QToolBar):
    """Buttons for actions, and two choices.

    Attributes:
        actor: who steps: a core, the number behind the cores (the patcher), or None for anybody.
        speed: instructions a second, None: all there is.
    """

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__("Player")
        self.setObjectName("player")
        self.setMovable(False)
        self._actions, self._state, self._cores = actions, "", 0
        self._theme: Theme | None = None
        self._actor, self._speed = QComboBox(), QComboBox()
        for name in _PLAYER:
            self._add(name)
        self._label("Who steps:", self._actor, "Who makes the next step")
        self._label("Speed:", self._speed, "Instructions a second while it runs")
        for speed in SPEEDS:
            self._speed.addItem("full" if speed is None else f"{speed:,}/s", speed)
        self._speed.setCurrentIndex(SPEEDS.index(_USUAL))
        spring = QWidget()
        spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spring)
        for name in _OTHERS:
            self._add(name)
        self.show_cores(1)

    @property
    def actor(self) -> int | None:
        """Who steps."""
        actor: int | None = self._actor.currentData()
        return actor

    @property
    def speed(self) -> int | None:
        """How fast it runs."""
        speed: int | None = self._speed.currentData()
        return speed

    def show_cores(self, cores: int) -> None:
        """Offer these cores, the patcher, and whoever is next."""
        if cores == self._cores:
            return
        self._cores = cores
        self._actor.clear()
        self._actor.addItem("any core", None)
        for core in range(cores):
            self._actor.addItem(f"core {core}", core)
        self._actor.addItem("the patcher", cores)

    def choose_actor(self, core: int | None) -> None:
        """Let a core step, or anybody."""
        self._actor.setCurrentIndex(0 if core is None else core + 1)

    def choose_patcher(self) -> None:
        """Let the patcher step."""
        self._actor.setCurrentIndex(self._cores + 1)

    def change_speed(self, by: int) -> None:
        """Take one of the next speeds."""
        at = self._speed.currentIndex() + by
        self._speed.setCurrentIndex(min(max(at, 0), len(SPEEDS) - 1))

    def show_state(self, state: State, theme: Theme) -> None:
        """Let the button say what it would do: run or pause."""
        if state == self._state:
            return
        self._state = state
        running = state == "running"
        self._actions["run"].setText("Pause" if running else "Run")
        self._actions["run"].setIcon(icon("pause" if running else "run", theme.ink))
        self._actions["step"].setEnabled(not running)
        self._actions["back"].setEnabled(not running)

    def show_layout(self, layout: LayoutName) -> None:
        """Say with words or with icons alone, as there is room."""
        for name in _PLAYER:
            self._button_style(name, words=name in _WORDS and layout == "desktop")

    def use_theme(self, theme: Theme) -> None:
        """Paint the icons in other colours."""
        for name in _PLAYER:
            colour = theme.on_accent if name == "next_phase" else theme.ink
            self._actions[name].setIcon(icon(name.replace("_", "-"), colour))
        self._state = ""

    def _add(self, name: str) -> None:
        self.addAction(self._actions[name])
        button = self.widgetForAction(self._actions[name])
        button.setObjectName(name)
        button.setAccessibleName(self._actions[name].whatsThis())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button_style(name, words=name in _WORDS)
        self.setIconSize(QSize(16, 16))

    def _button_style(self, name: str, *, words: bool) -> None:
        button = self.widgetForAction(self._actions[name])
        style = Qt.ToolButtonStyle
        button.setProperty(
            "toolButtonStyle", style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly
        )

    def _label(self, text: str, choice: QComboBox, accessible: str) -> None:
        label = QLabel(f" {text}")
        label.setBuddy(choice)
        choice.setAccessibleName(accessible)
        choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(label)
        self.addWidget(choice)
