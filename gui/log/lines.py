"""What the log panel needs of a log. `emu.scene.log` has one; tests have others."""

from typing import Protocol


class LogLine(Protocol):
    """An event in words."""

    @property
    def time(self) -> int:
        """When, in virtual ns."""

    @property
    def core(self) -> int:
        """Who; -1: the patcher."""

    @property
    def kind(self) -> str:
        """A word or two; all events of a sort have the same."""

    @property
    def text(self) -> str:
        """What happened, and where."""


class LogView(Protocol):
    """The log of a run, up to some moment. Times ascend. Lines do not change; more may come."""

    @property
    def rows(self) -> int:
        """How many lines it has."""

    def line(self, index: int) -> LogLine:
        """Return a line, 0 <= index < rows."""
