"""An image that is not at hand: the kernel of a snapshot whose file nobody gave."""

from functools import cached_property

from emu.errors import BadImage
from emu.image.call_frames import CallFrames
from emu.image.elf import ElfImage
from emu.image.lines import Lines
from emu.image.sites import Sites
from emu.image.symbols import Symbols
from emu.image.types import Types
from emu.machine.boot import BootImage


class NamelessImage(ElfImage):
    """Stands for an image of which only name and digest are known: it names nothing."""

    def __init__(self, name: str, sha256: str) -> None:
        self.name = name
        self.boot_image = BootImage(name, sha256, "pvh", 0, ())

    @cached_property
    def symbols(self) -> Symbols:
        """No symbols."""
        return Symbols((), self.name)

    @cached_property
    def lines(self) -> Lines:
        """No source lines."""
        return Lines(self.name, {})

    @cached_property
    def frames(self) -> CallFrames:
        """No call frame information."""
        return CallFrames(self.name, b"")

    @property
    def types(self) -> Types:
        """Raises BadImage."""
        raise self._missing()

    @property
    def sites(self) -> Sites:
        """Raises BadImage."""
        raise self._missing()

    def read_virtual(self, address: int, size: int) -> bytes:  # noqa: ARG002 -- as any image
        """Raise BadImage."""
        raise self._missing()

    def segment_at(self, address: int) -> None:
        """Return None: nothing is known to be loaded."""

    def section_at(self, address: int) -> None:
        """Return None: nothing is known to be loaded."""

    def link_address(self, physical: int) -> None:
        """Return None: nothing is known to be loaded."""

    def load_address(self, address: int) -> None:
        """Return None: nothing is known to be loaded."""

    def is_executable(self, address: int) -> bool:  # noqa: ARG002 -- as any image
        """Return True: nothing is known against it."""
        return True

    def _missing(self) -> BadImage:
        return BadImage(f"{self.name}: its file is needed for that: name it after --from")
