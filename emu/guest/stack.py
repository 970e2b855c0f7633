"""Stacks: who called whom, from where execution stands to where it began."""

from dataclasses import dataclass
from typing import Literal

FrameKind = Literal["function", "interrupt", "trampoline", "user"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One activation of a function.

    Attributes:
        pc: where it goes on. is_return: because it called; else the instruction there is the
            next one to be executed.
        cfa: its canonical frame address: RSP before it was called. None if that is not known.
        kind: "interrupt": the entry of an interrupt, exception or system call; "trampoline":
            code of a patcher on the way to another function; "user": of ring 3.
        function: its name, None if no name is known. offset: pc less where it begins.
        source: `vfs.c:12`, or None.
    """

    pc: int
    is_return: bool
    cfa: int | None
    kind: FrameKind
    function: str | None
    offset: int
    source: str | None

    def __str__(self) -> str:
        if self.function is None:
            return f"{self.pc:#x}"
        return f"{self.function}+{self.offset:#x}" if self.offset else self.function


@dataclass(frozen=True, slots=True)
class Stack:
    """The frames of a task, innermost first.

    Attributes:
        frames: as far as they are known. Behind the last one of a stack that is not reliable
            there are others, and some of those that are shown may be wrong.
        reason: why it is not reliable; None if it is.
    """

    frames: tuple[Frame, ...]
    reason: str | None = None

    @property
    def reliable(self) -> bool:
        """Whether each frame was found by rules that are known, up to where the task began."""
        return self.reason is None
