"""Actions: everything the window can do, each with its key. Buttons and help are made of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow


@dataclass(frozen=True, slots=True)
class Spec:
    """An action.

    Attributes:
        name: what the code calls it; `on_NAME` of the window does it.
        text, keys: on the button, and what triggers it, the first being shown.
        does: for tooltip, help and screen readers.
        group: the heading it stands under in the help.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    does: str
    group: str


ACTIONS: Final = (
    Spec("begin", "Start", ("Home",), "Go back to the beginning", "Time"),
    Spec("previous_phase", "Previous phase", ("Shift+F11",), "Go back one phase", "Time"),
    Spec("back", "Back", ("F9",), "Undo one instruction of the chosen core", "Time"),
    Spec("step", "Step", ("F10",), "Execute one instruction of the chosen core", "Time"),
    Spec("next_phase", "Next phase", ("F11",), "Go on to where the next phase has done what it "
         "does, or waits for the cores", "Time"),
    Spec("next_failure", "Next failure", ("F12",), "Go on to where something goes wrong", "Time"),
    Spec("run", "Run", ("F5", "Space"), "Run, or pause", "Time"),
    Spec("edge", "Newest", ("End",), "Go to where the run has got to", "Time"),
    Spec("slower", "Slower", ("Ctrl+Shift+Left",), "Run fewer instructions a second", "Time"),
    Spec("faster", "Faster", ("Ctrl+Shift+Right",), "Run more instructions a second", "Time"),
    Spec("any_core", "Any core", ("Escape",), "Let Step take whoever is next; select nothing",
         "Selection"),
    Spec("patcher", "Patcher", ("P",), "Let Step make the patcher's next step", "Selection"),
    Spec("site", "Site", ("Ctrl+L",), "Show the site that is patched in the listing", "Selection"),
    Spec("break_it", "Break it", ("Ctrl+B",), "Leave out a step of the protocol, or choose the "
         "fetch model and the seed", "Run"),
    Spec("open", "Open", ("Ctrl+O",), "Play a recorded run from a file", "Run"),
    Spec("save", "Save", ("Ctrl+S",), "Write the run so far to a file", "Run"),
    Spec("type", "Type", ("Ctrl+T",), "Type a line on the console of the guest, at the newest",
         "Run"),
    Spec("theme", "Theme", ("T",), "Light or dark", "Window"),
    Spec("projector", "Projector", ("Ctrl+P",), "A layout for a room: fewer panels, larger text",
         "Window"),
    Spec("swap", "Swap", ("Ctrl+Shift+P",), "Projector layout: timeline or call path", "Window"),
    Spec("larger", "A+", ("Ctrl++", "Ctrl+="), "Larger text", "Window"),
    Spec("smaller", "A-", ("Ctrl+-",), "Smaller text", "Window"),
    Spec("next_panel", "Next panel", ("F6",), "Move the keyboard to the next panel", "Window"),
    Spec("keys", "?", ("?", "F1"), "Show all keys", "Window"),
    Spec("quit", "Quit", ("Ctrl+Q",), "Close the window", "Window"),
)  # fmt: skip

CORE_KEYS: Final = tuple("01234567")
"""Keys that choose a core, by its number."""


def make(window: QMainWindow, specs: Iterable[Spec] = ACTIONS) -> dict[str, QAction]:
    """Return the actions of a window, connected to its methods `on_NAME`, and added to it."""
    made = {}
    for spec in specs:
        action = QAction(spec.text, window)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setToolTip(f"{spec.does} ({spec.keys[0]})")
        action.setWhatsThis(spec.does)
        action.triggered.connect(getattr(window, f"on_{spec.name}"))
        window.addAction(action)
        made[spec.name] = action
    return made
