"""Places: what an address of code is called, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from emu.errors import BadImage
from emu.image.elf import ElfImage
from emu.image.placed import Placed
from emu.machine.machine import Machine


@dataclass(frozen=True, slots=True)
class Place:
    """An address at which a core executes.

    Attributes:
        address: virtual (linear).
        symbol: `vfs_read+0x5`, in a replacement `livepatch: vfs_read+0x5`, or None.
        source: `vfs.c:12`, or None.
        wrong: why nothing of the image can be executed there, or None: "not canonical",
            "not mapped", "not RAM", "outside toy.elf", "not text of toy.elf".
    """

    address: int
    symbol: str | None
    source: str | None
    wrong: str | None

    def __str__(self) -> str:
        where = f"{self.symbol} ({self.address:#x})" if self.symbol else f"{self.address:#x}"
        return f"{where}, {self.wrong}" if self.wrong else where


class Places:
    """Names addresses as the cores of a machine map them now.

    placed: what was put into the kernel, where the image names nothing.
    """

    def __init__(self, machine: Machine, image: ElfImage, placed: Sequence[Placed] = ()) -> None:
        self._machine, self._image, self._placed = machine, image, placed
        self._known: dict[tuple[int, int], Place] = {}

    def at(self, address: int, core: int) -> Place:
        """Return the place of an address, unsigned, on a core."""
        key = address, core
        if key not in self._known:
            self._known[key] = self._find(address, core)
        return self._known[key]

    def _find(self, address: int, core: int) -> Place:
        wrong, physical = self._look(address, core)
        linked = None
        if physical is not None:
            linked = self._image.link_address(physical)
        if linked is None:
            linked = address  # not loaded by the image as it lies there: by its link address
        for each in self._placed:
            if linked in each:
                return Place(address, each.describe(linked), self._source(each, linked), wrong)
        symbol = self._image.symbols.at(linked)
        if wrong is None and not self._image.is_executable(linked):
            outside = symbol is None
            wrong = f"{'outside' if outside else 'not text of'} {self._image.name}"
        named = self._image.symbols.describe(linked) if symbol else None
        return Place(address, named, self._source(self._image, linked), wrong)

    def _look(self, address: int, core: int) -> tuple[str | None, int | None]:
        """Return what is wrong with an address for any kernel, and its physical address."""
        high = address >> 47
        if high not in (0, (1 << 17) - 1):
            return "not canonical", None
        physical = self._machine.translate(address, core)
        if physical is None:
            return "not mapped", None
        if physical >= self._machine.ram_mib << 20:
            return "not RAM", None
        return None, physical

    def _source(self, code: ElfImage | Placed, linked: int) -> str | None:
        try:
            return code.lines.at(linked)
        except BadImage:
            return None  # a report does without what the image cannot say
