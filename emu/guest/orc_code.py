"""The code of a Linux kernel, as its own ORC tables see it: another `Text` for a walk.

What Linux believes is believed here: each step is by a known entry, and each return address is in
text. It may stand behind anything: Linux rewrites calls while somebody is in them (retpolines,
static calls, call sites of ftrace). Nothing is read from memory but stacks.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Final, Literal

from emu.errors import BadImage
from emu.guest.code import CodeRegion, Place, Regions, in_region
from emu.guest.stack import Frame
from emu.image.elf import ElfImage
from emu.image.frame_rules import RSP
from emu.image.orc import OrcTable
from emu.image.orc_rules import CALLED_NOWHERE
from emu.image.symbols import Symbol

SWITCH: Final = "__switch_to_asm"
_SWITCHERS: Final = (SWITCH, "__switch_to")
_FIRST: Final = ("ret_from_fork_asm", "ret_from_fork")
"""Where a new task goes on; of a kernel that has both, the first one is it."""

_TRAMPOLINES: Final = frozenset(
    ("ftrace_caller", "ftrace_regs_caller", "return_to_handler", "arch_rethook_trampoline")
)
_MAX_SWITCH = 0x100  # bytes of __switch_to_asm; it has about 70


class OrcCode:
    """All code of a kernel.

    Attributes:
        image: of the kernel, which has its symbols.
        table: its ORC tables.
        slide: by how much it is not where it is linked (KASLR).
    """

    def __init__(self, image: ElfImage, table: OrcTable, slide: int = 0) -> None:
        self.image, self.table, self.slide = image, table, slide
        self._added, self._loaded = Regions(), Regions()
        self._places: dict[tuple[int, bool], Place] = {}

    def add(self, region: CodeRegion) -> None:
        """Take a region, for good, in place of all that it overlaps."""
        self._added.add(region)

    def load(self, regions: Iterable[CodeRegion]) -> None:
        """Take the regions that the kernel has now, in place of those it had."""
        self._loaded = Regions(regions)

    def at(self, address: int, *, returns: bool = False) -> Place:
        """Return what is known of an address; returns: it is a return address."""
        wanted = address - returns
        region = self._added.find(wanted) or self._loaded.find(wanted)
        if region is not None:
            return in_region(region, address, wanted)
        key = address, returns
        if key not in self._places:
            self._places[key] = self._find(address, wanted)
        return self._places[key]

    def is_inexact(self, _address: int) -> bool:
        """Return False: objtool has followed each push."""
        return False

    def doubt(self, address: int, callee: Frame) -> str | None:  # noqa: ARG002 -- as of a Text
        """Return what is wrong with a return address, None if nothing is."""
        return None if self.at(address, returns=True).inside else "is not in text"

    def begins(self, address: int, after: int) -> bool:
        """Return whether a new task goes on at an address, which it was switched to at `after`."""
        first = self._first
        if first is None or address != first.address + self.slide:
            return False
        return self.at(after).function in _SWITCHERS

    def in_site(self, address: int) -> bool:
        """Return whether an address is that behind the first byte of a site."""
        return address - self.slide - 1 in self._sites

    @cached_property
    def resume(self) -> int | None:
        """Where a task goes on: in __switch_to_asm, all registers pushed and none popped.

        None if the kernel has no such function. Source: arch/x86/entry/entry_64.S.
        """
        symbol = self.image.symbols.get(SWITCH)
        if symbol is None:
            return None
        best, pushed = None, 0
        for address, rules in self.table.rows(symbol.address, symbol.address + _MAX_SWITCH):
            if rules is None or rules.base != RSP or rules.cfa.value <= pushed:
                break
            best, pushed = address, rules.cfa.value
        return None if best is None else best + self.slide

    @cached_property
    def _first(self) -> Symbol | None:
        found = (self.image.symbols.get(name) for name in _FIRST)
        return next((symbol for symbol in found if symbol is not None), None)

    @cached_property
    def _sites(self) -> frozenset[int]:
        try:
            return frozenset(self.image.sites.all)
        except BadImage:
            return frozenset()

    def _find(self, address: int, wanted: int) -> Place:
        link = wanted - self.slide
        if address == 0:
            return Place("function", None, 0, None, CALLED_NOWHERE, inside=False)
        inside = self.image.is_executable(link)
        found = self.image.symbols.at(link) if inside else None
        name = found[0].name if found else None
        kind: Literal["trampoline", "function"] = (
            "trampoline" if name in _TRAMPOLINES else "function"
        )
        offset = address - self.slide - found[0].address if found else 0
        return Place(kind, name, offset, None, self.table.at(link) if inside else None, inside)
