"""Spots: where a stack stands on the ways of the functions that are patched.

What counts is the innermost frame that is on such a way: who was called from a replacement, or
interrupted in it, still stands in it. A task at a function's site has not chosen its way yet, but
stands in the function, as livepatch would say too (klp_check_stack_func of
kernel/livepatch/transition.c).
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from emu.detect.watch import Watched
from emu.guest.stack import Frame
from emu.image.elf import ElfImage
from emu.image.symbols import Symbol
from emu.moves.plan import Change
from emu.scene.names import Names
from emu.scene.path import Role

_CALL: Final = 0xE8
_LENGTHS: Final = {_CALL: 5, 0xE9: 5, 0xEB: 2}
TRAMPOLINE: Final = "trampoline of "
"""In front of the name of who is called by one that ftrace has generated."""

_TRAMPOLINES: Final = ("ftrace_caller", "ftrace_regs_caller")  # arch/x86/kernel/ftrace_64.S


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody stands.

    Attributes:
        role: the station.
        function: the number of the watched function; None: an int3 whose site is not known.
        goes: of role "int3": where the interrupted code goes on; behind the int3, until the
            handler has acted out the instruction. None: nobody can tell just now.
        caller: the name of the function that called it; None: not known.
    """

    role: Role
    function: int | None
    goes: int | None = None
    caller: str | None = None


def target(site: int, instruction: bytes) -> int:
    """Return where an instruction at a site goes on: a call or jump at its target, a nop behind."""
    goes = leads(instruction, site)
    return site + len(instruction) if goes is None else goes


def leads(instruction: bytes, site: int = 0) -> int | None:
    """Return where a direct call or jump at a site leads; None if it is another instruction."""
    size = _LENGTHS.get(instruction[0])
    if size is None or size != len(instruction):
        return None
    behind = site + size
    return behind + int.from_bytes(instruction[1:], "little", signed=True) & (1 << 64) - 1


def role_of(place: str) -> Role:
    """Return the station that a site leads to, by the name of where it is."""
    known = place.startswith(TRAMPOLINE) or place.partition("+")[0] in _TRAMPOLINES
    return "trampoline" if known else "replacement"


class Spots:
    """The ways of watched functions. gate: where an int3 leads, None if nobody knows."""

    def __init__(
        self, image: ElfImage, names: Names, watched: Sequence[Watched], gate: int | None
    ) -> None:
        stations: dict[tuple[int, int], tuple[Role, int]] = {}
        helpers: dict[tuple[int, int], tuple[Role, int]] = {}
        self._behind = {each.site + 1: number for number, each in enumerate(watched)}
        self._goes = dict(self._behind)  # where an int3 may go on: the number of its function
        for number, each in enumerate(watched):
            self._goes[each.site] = number  # it is begun anew
            if (own := image.symbols.at(each.site)) is not None:
                stations[_extent(own[0], each.site)] = "function", number
            for way in each.ways:
                goes = target(each.site, way.instruction)
                self._goes[goes] = number
                if (placed := names.placed(goes)) is not None:
                    stations[placed.text] = "trampoline", number
                if (placed := names.placed(way.body)) is not None:
                    helpers.setdefault(placed.text, ("replacement", number))
                    if (body := placed.symbols.at(way.body)) is not None:
                        stations[_extent(body[0], way.body)] = "replacement", number
        self._stations, self._helpers = _Extents(stations), _Extents(helpers)
        handler = image.symbols.at(gate) if gate is not None else None
        self._gate = _extent(handler[0], gate or 0) if handler else (0, 0)

    def of(self, frames: Sequence[Frame]) -> Spot | None:
        """Return where a stack stands; None: on none of the ways."""
        for at, (frame, outer) in enumerate(zip_longest(frames, frames[1:])):
            if frame.kind != "interrupt":
                if (found := self._station(frame)) is not None:
                    return Spot(*found, None, self._caller(frames[at:]))
                continue
            goes = outer.pc if outer is not None else None
            if self._gate[0] <= frame.pc < self._gate[1] or goes in self._behind:
                number = None if goes is None else self._goes.get(goes)
                return Spot("int3", number, goes, self._caller(frames[at + 1 :]))
        return None

    def _station(self, frame: Frame) -> tuple[Role, int] | None:
        address = frame.pc - frame.is_return
        return self._stations.at(address) or self._helpers.at(address)

    def _caller(self, frames: Sequence[Frame]) -> str | None:
        """Return the function of the first frame that is on none of the ways."""
        return next((each.function for each in frames if self._station(each) is None), None)


class NamedSpots:
    """The ways of sites that a kernel changes itself: functions and trampolines by their names.

    changes: of the sites. gate: as of `Spots`. The number of a function is that of its change.
    """

    def __init__(self, names: Names, changes: Sequence[Change], gate: int | None) -> None:
        self._stations: dict[tuple[str, bool], tuple[Role, int]] = {}
        self._behind = {each.address + 1: number for number, each in enumerate(changes)}
        self._goes = dict(self._behind)
        self._gate = None if gate is None else _function(names.place(gate))
        for number, each in enumerate(changes):
            self._goes[each.address] = number
            own = _function(names.place(each.address))
            self._stations[own, False] = "function", number
            for instruction in (each.old, each.new):
                goes = target(each.address, instruction)
                self._goes[goes] = number
                if instruction[0] == _CALL:
                    place = names.place(goes)
                    role, called = role_of(place), _function(place)
                    self._stations.setdefault((called, role == "trampoline"), (role, number))

    def of(self, frames: Sequence[Frame]) -> Spot | None:
        """Return where a stack stands; None: on none of the ways."""
        for at, (frame, outer) in enumerate(zip_longest(frames, frames[1:])):
            if frame.kind != "interrupt":
                if (found := self._station(frame)) is not None:
                    return Spot(*found, None, self._caller(frames[at:]))
                continue
            goes = outer.pc if outer is not None else None
            if frame.function == self._gate or goes in self._behind:
                number = None if goes is None else self._goes.get(goes)
                return Spot("int3", number, goes, self._caller(frames[at + 1 :]))
        return None

    def _station(self, frame: Frame) -> tuple[Role, int] | None:
        if frame.function is None:
            return None
        trampoline = role_of(frame.function) == "trampoline"
        return self._stations.get((frame.function, trampoline))

    def _caller(self, frames: Sequence[Frame]) -> str | None:
        return next((each.function for each in frames if self._station(each) is None), None)


def _function(place: str) -> str:
    return place.partition("+")[0]


class _Extents:
    """Stations by address."""

    def __init__(self, stations: Mapping[tuple[int, int], tuple[Role, int]]) -> None:
        self._all = sorted((begin, end, what) for (begin, end), what in stations.items())
        self._begins = [begin for begin, _, _ in self._all]

    def at(self, address: int) -> tuple[Role, int] | None:
        index = bisect_right(self._begins, address) - 1
        if index < 0 or address >= self._all[index][1]:
            return None
        return self._all[index][2]


def _extent(symbol: Symbol, address: int) -> tuple[int, int]:
    return symbol.address, max(symbol.address + symbol.size, address + 1)
