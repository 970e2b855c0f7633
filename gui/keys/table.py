"""What every key does, read from the actions of the window and from its panels."""

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence

from gui.panel import Panel


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or several that do the same. where: the whole window, or the title of a panel."""

    where: str
    keys: str
    does: str


EVERYWHERE = "Everywhere"


def keys_of(actions: Iterable[QAction], panels: Iterable[Panel]) -> tuple[Key, ...]:
    """Return the keys of all actions that have one, then those of the panels."""
    native = QKeySequence.SequenceFormat.NativeText
    found = []
    for action in actions:
        keys = ", ".join(each.toString(native) for each in action.shortcuts())
        if keys:
            found.append(Key(EVERYWHERE, keys, action.whatsThis() or _plain(action.text())))
    for panel in panels:
        found.extend(Key(panel.title, keys, does) for keys, does in panel.keys)
    return tuple(found)


def _plain(text: str) -> str:
    """Return an action's text without the sign that marks its letter in a menu."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")
