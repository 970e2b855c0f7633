"""Code that was put into a running kernel, and what names it: symbols, lines, call frames.

The kernel's image knows nothing of it: all its addresses lie in the image's poke_arena.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from emu.image.call_frames import CallFrames
from emu.image.lines import Lines
from emu.image.symbols import Symbols

if TYPE_CHECKING:
    from emu.image.types import Types

PREFIX = "livepatch: "
"""In front of names that are not the kernel's own."""


@dataclass(frozen=True)
class Placed:
    """An object in memory.

    Attributes:
        name: of its source: "fix.c".
        code: (address, bytes) of what has to be written: code with constants, then variables.
        text: first address of its code with constants, and the one behind.
        symbols: of its functions and variables, at their addresses.
        sections: .debug_* by name, relocated: .debug_line, .debug_frame and so on.
    """

    name: str
    code: tuple[tuple[int, bytes], ...]
    text: tuple[int, int]
    symbols: Symbols
    sections: Mapping[str, bytes]

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and self.text[0] <= address < self.text[1]

    @cached_property
    def types(self) -> "Types":
        """Types of its functions and variables; BadImage, on access, without debug information."""
        from emu.image.dwarf import DwarfReader  # noqa: PLC0415 -- few ask for it
        from emu.image.types import Types  # noqa: PLC0415 -- with it

        return Types(DwarfReader(self.name, dict(self.sections)))

    @cached_property
    def lines(self) -> Lines:
        """Source lines; BadImage, on access, if the debug information is malformed."""
        return Lines(self.name, dict(self.sections))

    @cached_property
    def frames(self) -> CallFrames:
        """Call frame information; BadImage, on access, if it is malformed."""
        return CallFrames(self.name, self.sections.get(".debug_frame", b""))

    def describe(self, address: int) -> str:
        """Return `livepatch: vfs_read+0x12`."""
        return f"{PREFIX}{self.symbols.describe(address)}"
