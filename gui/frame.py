"""Frames: what the window shows at one time, as the machine's thread has published it."""

from dataclasses import dataclass
from typing import Literal

from emu.scene.lanes import Lanes
from emu.scene.scene import Scene
from gui.log.lines import LogView

State = Literal["starting", "paused", "running", "ended"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture to paint. A value: nothing in it changes while somebody looks at it.

    Attributes:
        number: grows with each frame.
        state: what the player does. "ended": the guest is dead or has switched the machine off;
            one can still go back.
        scene: the picture at the position, or None before the kernel is up. While the player runs
            it may be that of the frame before, see `worker.READ`.
        position, edge: virtual ns: where the player stands, and how far the run has got.
        lanes: everything that happened up to the edge, also behind the position.
        message: one line for the status bar.
        log: every event up to the edge, in words.
        obeyed: the ticket of the last command that it shows, see `CommandQueue`.
    """

    number: int
    state: State
    scene: Scene | None
    position: int
    edge: int
    lanes: Lanes | None
    message: str
    log: LogView | None = None
    obeyed: int = 0

    @property
    def standing(self) -> str:
        """Where the player stands, for the status bar."""
        parts: list[str] = [self.state]
        if self.scene is not None:
            parts += [f"{self.position:,} ns", f"{self.scene.instructions:,} instructions"]
            if self.edge > self.position:
                parts.append(f"recorded up to {self.edge:,} ns")
        if self.message:
            parts.append(self.message)
        return "   |   ".join(parts)
