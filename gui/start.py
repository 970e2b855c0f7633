"""The start: what the window shows first, as the command line asked for it and checked it."""

from dataclasses import dataclass
from pathlib import Path

from emu.lab.player import AnyScenario
from emu.moves.schedule import Schedule
from gui.layouts import LayoutName


@dataclass(frozen=True, slots=True)
class Start:
    """How the window begins. Everything in it was found to be possible.

    Attributes:
        scenario: the run to make, or, with a schedule, what that was made of.
        schedule: a recorded run of the toy kernel to play, or None.
        screenshot: the PNG file to write instead of opening a window, or None.
        at: the phase to stand at the end of, one of `emu.moves.plan.PHASES`; "failure": where
            something goes wrong; None: before the patch.
        size: width and height in pixels, or None: what the layout likes.
        theme: "light", "dark", or None: the desktop's, and light where it says nothing.
        layout: "desktop" or "projector".
    """

    scenario: AnyScenario
    schedule: Schedule | None = None
    screenshot: Path | None = None
    at: str | None = None
    size: tuple[int, int] | None = None
    theme: str | None = None
    layout: LayoutName = "desktop"
