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
from emu.image.frame_rules import RAX
from emu.image.orc import OrcTable
from emu.image.orc_rules import CALLED_NOWHERE
from emu.image.sites import ENDBR64
from emu.image.symbols import Symbol

SWITCH: Final = "__switch_to_asm"
_SWITCHERS: Final = (SWITCH, "__switch_to")
_FIRST: Final = ("ret_from_fork_asm", "ret_from_fork")
"""Where a new task goes on; of a kernel that has both, the first one is it."""

_HANDLERS: Final = ("return_to_handler", "arch_rethook_trampoline")
"""What functions return to that are graphed or have a kretprobe."""

_TRAMPOLINES: Final = frozenset(("ftrace_caller", "ftrace_regs_caller", *_HANDLERS))
_TOP: Final = 0x100
"""Bytes that may be on a stack where it begins: struct pt_regs has 0xa8."""

_CALL, _CALL_SIZE = 0xE8, 5

_PUSH, _MAX_PUSHES = 2, 32
"""Bytes of the longest push of a register, and of all that __switch_to_asm begins with."""


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

    def is_inexact(self, address: int) -> bool:
        """Return whether the rules at an instruction are not to be believed.

        objtool follows each push, but for those of error_entry: it returns with all registers on
        the stack, and the next instruction, which is `mov rsp, rax`, has the rules of a core's
        frame still. Source: arch/x86/entry/entry_64.S, idtentry_body.
        """
        link = address - self.slide
        rules = self.table.at(link) if self.image.is_executable(link) else None
        if rules is None or not rules.signal_frame or RAX in rules.registers:
            return False
        call = link - _CALL_SIZE
        return self.image.read_virtual(call, 1)[0] == _CALL and self.table.at(call) == rules

    def doubt(self, address: int, callee: Frame) -> str | None:  # noqa: ARG002 -- as of a Text
        """Return what is wrong with a return address, None if nothing is."""
        if address in self._replacements:
            return "stands for another, and nobody knows which"
        return None if self.at(address, returns=True).inside else "is not in text"

    def ends(self, frame: Frame, above: int | None, *, own: bool) -> bool:
        """Return whether a frame that says so is the last one.

        Linux marks with the end what it cannot walk, too: thunks of retpolines, return_to_handler.
        A stack ends where it began, behind no more than the registers of ring 3. The first
        instructions of an entry may be on any stack, and on ring 3's.
        """
        if above is None:
            return not frame.is_return
        return above <= _TOP and (own or not frame.is_return)

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
        """Where a task goes on: in __switch_to_asm, behind the pushes that it begins with.

        What follows pushes and drops return addresses, where RSB stuffing is on. None if the
        kernel has no such function. Source: arch/x86/entry/entry_64.S.
        """
        symbol = self.image.symbols.get(SWITCH)
        if symbol is None:
            return None
        begin = last = symbol.address  # the first row may be about padding before it, too
        for address, rules in self.table.rows(begin, begin + _MAX_PUSHES):
            longest = _PUSH if last > begin else len(ENDBR64) + _PUSH
            if address - last > longest or rules is None:
                break
            last = max(address, last)
        return last + self.slide

    @cached_property
    def _first(self) -> Symbol | None:
        found = (self.image.symbols.get(name) for name in _FIRST)
        return next((symbol for symbol in found if symbol is not None), None)

    @cached_property
    def _replacements(self) -> frozenset[int]:
        found = (self.image.symbols.get(name) for name in _HANDLERS)
        return frozenset(symbol.address + self.slide for symbol in found if symbol is not None)

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
