"""The code of a guest: that of its image, and what a patcher has put beside it since.

For an address: the function it is in, its source line, its call frame rules. What the image says
never changes, so it is looked up once. Its bytes are read from the file: sites change, calls do
not.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from emu.errors import BadImage
from emu.guest.stack import Frame
from emu.image.disasm import decode_one, disassemble
from emu.image.elf import ElfImage
from emu.image.frame_rules import RSP, Rules
from emu.image.objects import Reader
from emu.image.placed import PREFIX, Placed
from emu.image.sites import SITE_SIZE
from emu.image.symbols import Symbols

RESUME = "switch_to_resume"
"""The label where a task goes on when it gets a core."""

_CALLS = range(2, 9)  # bytes of a call; the longest has a prefix, SIB and displacement
_MAX_FUNCTION = 1 << 16  # bytes that are looked through for pushes
_WORDS = {"push": 1, "pushfq": 1, "pop": -1, "popfq": -1}  # what they put on the stack


@dataclass(frozen=True, slots=True)
class CodeRegion:
    """Code that is in no image.

    Attributes:
        begin, end: its addresses, end not included.
        kind: a trampoline goes on in another function, with no frame of its own. "function": it
            replaces one of the kernel's. "module": what the kernel loaded, as a part of itself.
        symbols: of its functions.
        rules: the call frame rules at an instruction; None where nothing is known.
        source: `fix.c:12` for an address, or None.
    """

    begin: int
    end: int
    kind: Literal["trampoline", "function", "module"]
    symbols: Symbols
    rules: Callable[[int], Rules | None]
    source: Callable[[int], str | None] = lambda _address: None

    @classmethod
    def of(cls, placed: Placed) -> "CodeRegion":
        """Return the code of an object that was linked into the kernel."""
        return cls(
            *placed.text,
            "function",
            placed.symbols,
            lambda address: placed.frames.at(address),  # noqa: PLW0108 -- read when it is asked
            lambda address: placed.lines.at(address),  # noqa: PLW0108 -- as above
        )


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of an address of code.

    Attributes:
        kind: "trampoline", as of a CodeRegion, or "function".
        function: its name; None if none is known.
        offset: bytes from where it begins.
        source: `vfs.c:12`, or None.
        rules: its call frame rules, or None.
        inside: whether it is in the image's executable memory, or a region.
    """

    kind: Literal["trampoline", "function"]
    function: str | None
    offset: int
    source: str | None
    rules: Rules | None
    inside: bool


class Regions:
    """Code that is in no image, by address."""

    def __init__(self, regions: Iterable[CodeRegion] = ()) -> None:
        self._all: list[CodeRegion] = []
        for region in regions:
            self.add(region)

    def add(self, region: CodeRegion) -> None:
        """Take a region in place of all that it overlaps."""
        kept = [r for r in self._all if r.end <= region.begin or region.end <= r.begin]
        self._all[:] = sorted([*kept, region], key=_begin)

    def all(self) -> tuple[CodeRegion, ...]:
        """Return them by ascending address."""
        return tuple(self._all)

    def find(self, address: int) -> CodeRegion | None:
        """Return the region that an address is in, None if it is in none."""
        index = bisect_right(self._all, address, key=_begin) - 1
        found = self._all[index] if index >= 0 else None
        return found if found is not None and address < found.end else None


class Code:
    """All code of a guest. read: its memory, for calls in code that no image has."""

    def __init__(self, image: ElfImage, read: Reader) -> None:
        self._image, self._read = image, read
        self._regions = Regions()
        self._places: dict[tuple[int, bool], Place] = {}
        self._calls: dict[int, bool] = {}
        self._inexact: dict[int, frozenset[int]] = {}

    def add(self, region: CodeRegion) -> None:
        """Take a region in place of all that it overlaps."""
        self._regions.add(region)

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return the regions by ascending address."""
        return self._regions.all()

    def read_by(self, read: Reader) -> "Code":
        """Return the same code, regions that will be added included, in another memory."""
        other = Code(self._image, read)
        other._regions = self._regions
        return other

    def at(self, address: int, *, returns: bool = False) -> Place:
        """Return what is known of an address.

        returns: it is a return address: what is meant is the call before it, which may be the
            last instruction of its function. Raises BadImage for malformed call frame information.
        """
        wanted = address - returns
        region = self._regions.find(wanted)
        if region is not None:
            return in_region(region, address, wanted)
        key = address, returns
        if key not in self._places:
            self._places[key] = self._find(address, wanted)
        return self._places[key]

    def after_call(self, address: int) -> bool:
        """Return whether the instruction before an address is a call."""
        if self._regions.find(address - 1) is not None:
            return _ends_in_call(self._before(address), address)
        if address not in self._calls:
            code = self._before(address) if self._image.is_executable(address - 1) else b""
            self._calls[address] = _ends_in_call(code, address)
        return self._calls[address]

    def after_site(self, address: int) -> bool:
        """Return whether a site ends at an address: nothing but a trampoline returns there."""
        return address - SITE_SIZE in self._sites

    def doubt(self, address: int, callee: Frame) -> str | None:
        """Return what is wrong with a return address, None if nothing is."""
        if not self.at(address, returns=True).inside:
            return "is not in text"
        if callee.kind == "trampoline" and self.after_site(address):
            return None
        if self.after_site(address) or not self.after_call(address):
            return "is not behind a call"
        return None

    def ends(self, _frame: Frame, _above: int | None, *, own: bool) -> bool:  # noqa: ARG002 -- of a Text
        """Return True: who has no caller says so, and nobody else does."""
        return True

    def in_site(self, address: int) -> bool:
        """Return whether an address is that behind the first byte of a site."""
        return address - 1 in self._sites

    def begins(self, address: int, after: int) -> bool:
        """Return whether a task begins at an address: its first switch at `after` leads there.

        That is a function that nobody calls. It has no caller, or what it returns to was never
        in it: a new process goes on in ring 3.
        """
        frames, resume = self._image.frames, self._image.symbols.get(RESUME)
        span = frames.span(address)
        if resume is None or span is None or span[0] != address:
            return False
        rules = frames.at(address)
        assert rules is not None
        nobodys = rules.outermost or rules.signal_frame
        return nobodys and frames.span(after) == frames.span(resume.address)

    def is_inexact(self, address: int) -> bool:
        """Return whether the rules at an instruction forget a push before it.

        gcc has no rules for what inline assembly pushes: `pushfq; pop` reads the flags in every
        kernel, and an interrupt can come between the two.
        """
        span = self._image.frames.span(address)
        if span is None:
            return False
        if span[0] not in self._inexact:
            self._inexact[span[0]] = self._forgotten(*span)
        return address in self._inexact[span[0]]

    def _forgotten(self, begin: int, end: int) -> frozenset[int]:
        """Return the instructions of a function whose rules forget a push."""
        if end - begin > _MAX_FUNCTION:
            return frozenset()
        frames, found, pushed, cfa = self._image.frames, set(), 0, None
        for each in disassemble(self._image.read_virtual(begin, end - begin), begin):
            rules = frames.at(each.address)
            now = (rules.cfa, rules.base) if rules else None
            if now != cfa:
                pushed, cfa = 0, now
            if pushed and rules and rules.base == RSP:
                found.add(each.address)
            pushed += _WORDS.get(each.mnemonic, 0)
        return frozenset(found)

    @cached_property
    def _sites(self) -> frozenset[int]:
        return frozenset(self._image.sites.all)

    def _before(self, address: int) -> bytes:
        """Return the bytes before an address; fewer where there are not so many."""
        if self._regions.find(address - 1) is None:
            for size in reversed(_CALLS):
                if self._image.is_executable(address - size):
                    return self._image.read_virtual(address - size, size)
        return self._read(address - _CALLS[-1], _CALLS[-1])

    def _find(self, address: int, wanted: int) -> Place:
        inside = self._image.is_executable(wanted)
        found = self._image.symbols.at(wanted) if inside else None
        return Place(
            "function",
            found[0].name if found else None,
            address - found[0].address if found else 0,
            _source(self._image.lines.at, wanted) if inside else None,
            self._image.frames.at(wanted) if inside else None,
            inside,
        )


def _begin(region: CodeRegion) -> int:
    return region.begin


def in_region(region: CodeRegion, address: int, wanted: int) -> Place:
    """Return what is known of an address in a region; wanted: it, or the byte before."""
    found = region.symbols.at(wanted)
    name, begin = (found[0].name, found[0].address) if found else (None, region.begin)
    if name is not None and region.kind == "function":
        name = f"{PREFIX}{name}"
    source = _source(region.source, wanted)
    kind: Literal["trampoline", "function"] = (
        "trampoline" if region.kind == "trampoline" else "function"
    )
    return Place(kind, name, address - begin, source, region.rules(wanted), True)


def _source(lines: Callable[[int], str | None], address: int) -> str | None:
    try:
        return lines(address)
    except BadImage:
        return None  # a stack does without what debug information cannot say


def _ends_in_call(code: bytes, address: int) -> bool:
    for size in _CALLS[: len(code)]:
        found = decode_one(code[-size:], address - size)
        if len(found.bytes) == size and found.mnemonic == "call":
            return True
    return False
