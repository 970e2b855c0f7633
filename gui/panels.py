"""All panels of the window, by name; the story is not among them, for it is never hidden."""

from gui.five_bytes.panel import FiveBytesPanel
from gui.listing.view import ListingPanel
from gui.log.view import LogPanel
from gui.panel import Panel
from gui.path.panel import PathPanel
from gui.selection import Selection
from gui.tasks.view import TaskPanel
from gui.theme import Theme
from gui.timeline.panel import TimelinePanel


def panels(theme: Theme, selection: Selection) -> dict[str, Panel]:
    """Return a panel of each kind, in the order in which F6 goes through them."""
    return {
        "five_bytes": FiveBytesPanel(theme, selection),
        "listing": ListingPanel(theme, selection),
        "path": PathPanel(theme, selection),
        "tasks": TaskPanel(theme, selection),
        "log": LogPanel(theme, selection),
        "timeline": TimelinePanel(theme, selection),
    }
