"""The selection: what the window is looking at. There is one, and every panel follows it.

A click anywhere changes it, and so do keys; panels change nothing but the selection, and the
player's position when the time is what was picked.
"""

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True, slots=True)
class Selected:
    """What is selected.

    Attributes:
        time: virtual ns that somebody picked, or None: where the player stands.
        core: the number of one, None: no core in particular.
        address: of code, None: the first site that is patched.
        task: the address of its descriptor, or None.
    """

    time: int | None = None
    core: int | None = None
    address: int | None = None
    task: int | None = None


class Selection(QObject):
    """The one selection, as a model: `changed` carries the new value, once for each change."""

    changed = Signal(object)  # Selected

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = Selected()

    @property
    def now(self) -> Selected:
        """What is selected."""
        return self._now

    def select_time(self, time: int | None) -> None:
        """Select a moment; the player goes there."""
        self._change(replace(self._now, time=time))

    def select_core(self, core: int | None) -> None:
        """Select a core."""
        self._change(replace(self._now, core=core))

    def select_address(self, address: int | None) -> None:
        """Select an address of code."""
        self._change(replace(self._now, address=address))

    def select_task(self, task: int | None, core: int | None = None) -> None:
        """Select a task, and the core that it has, if any."""
        core = self._now.core if core is None else core
        self._change(replace(self._now, task=task, core=core))

    def clear(self) -> None:
        """Select nothing."""
        self._change(Selected())

    def _change(self, to: Selected) -> None:
        if to != self._now:
            self._now = to
            self.changed.emit(to)
