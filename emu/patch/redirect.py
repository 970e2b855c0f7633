"""Redirecting a function: its entry calls a trampoline, which lands in a replacement.

The trampoline is entered by a call, real or acted out by the int3 handler, so its stack holds
the address behind the site above the caller's return address. It drops the former and jumps;
the replacement returns to the caller as the function would have. Both lie in the kernel's
poke_arena, variables in its poke_data, and stay there: grace periods, after which they could be
freed, come later.
"""

import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from emu.errors import PokeError
from emu.guest.code import CodeRegion
from emu.guest.guest import Guest
from emu.image.frame_rules import ENTERED
from emu.image.object_file import ObjectFile
from emu.image.placed import Placed
from emu.image.symbols import Symbol, Symbols
from emu.moves.plan import Plan, Step, Store
from emu.patch.link import link
from emu.patch.room import Room
from emu.patch.text_poke import NOP5, TextPoke

SITE_SIZE = 5
_DROP_RETURN = bytes.fromhex("488d642408")  # lea rsp, [rsp + 8]: no flag changes
_ALIGN = 16
_TRAMPOLINE_SIZE = 16
_CALL, _JMP = 0xE8, 0xE9


@dataclass(frozen=True, slots=True)
class Redirect:
    """A function, its replacement, and the trampoline between. Addresses are virtual.

    code: what has to be written, (address, bytes) each, before the site may change.
    """

    function: str
    site: int
    trampoline: int
    replacement: int
    code: tuple[tuple[int, bytes], ...]

    @property
    def call(self) -> bytes:
        """The site as a call of the trampoline."""
        displacement = self.trampoline - (self.site + SITE_SIZE)
        if not -(1 << 31) <= displacement < 1 << 31:
            raise PokeError(f"{self.function} is too far from poke_arena for a call")
        return b"\xe8" + struct.pack("<i", displacement)

    @property
    def region(self) -> CodeRegion:
        """The trampoline, as stacks are walked through it.

        At both of its instructions a return address is on top of the stack: first the one to the
        site, then the one to the function's caller.
        """
        begin, jump = self.trampoline, self.trampoline + len(_DROP_RETURN)
        end, rules = jump + SITE_SIZE, {begin: ENTERED, jump: ENTERED}
        named = Symbols([Symbol(f"trampoline of {self.function}", begin, end - begin, "func")])
        return CodeRegion(begin, end, "trampoline", named, rules.get)

    @classmethod
    def of_plans(
        cls, plans: Sequence[Plan], name_of: Callable[[int], str]
    ) -> "tuple[Redirect, ...]":
        """Return the redirects that plans made by `Arena` and `poke_in` set up; of a replay."""
        written = {
            step.address + at: byte
            for plan in plans
            for step in plan.steps
            if isinstance(step, Store)
            for at, byte in enumerate(step.data)
        }
        found: dict[tuple[int, bytes], Redirect] = {}
        changes = [change for plan in plans for change in plan.changes]
        trampolines = {_target(change.address, change.new) for change in changes}
        for change in changes:
            trampoline = _target(change.address, change.new)
            jump = trampoline + len(_DROP_RETURN)
            code = bytes(written.get(jump + at, 0) for at in range(SITE_SIZE))
            if change.new[0] == _CALL and code[0] == _JMP:
                name = name_of(change.address)
                replacement = _target(jump, code)
                body = bytes(_run(written, replacement, trampolines))
                found[change.address, change.new] = cls(
                    name, change.address, trampoline, replacement, ((replacement, body),)
                )
        return tuple(found.values())

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Names for the trampoline and the replacement, where nobody else has any: in a replay."""
        region, begin = self.region, self.replacement
        end = begin + sum(len(code) for at, code in self.code if at == begin)
        named = Symbols([Symbol(self.function, begin, end - begin, "func")])
        return (
            Placed(self.function, (), (region.begin, region.end), region.symbols, {}),
            Placed(self.function, (), (begin, end), named, {}),
        )

    def poke_in(self) -> TextPoke:
        """Return the poke that redirects the function."""
        return TextPoke(self.site, NOP5, self.call)

    def poke_out(self) -> TextPoke:
        """Return the poke that gives the function back."""
        return TextPoke(self.site, self.call, NOP5)

    def poke_to(self, other: "Redirect") -> TextPoke:
        """Return the poke that redirects the function from here to another replacement."""
        if other.site != self.site:
            raise PokeError(f"{self.function} cannot become {other.function}: it is another site")
        return TextPoke(self.site, self.call, other.call)


def stores(redirects: Sequence[Redirect]) -> tuple[Step, ...]:
    """Return the steps that write what redirects need; what they share is written once."""
    code = dict.fromkeys(part for redirect in redirects for part in redirect.code)
    return tuple(
        Store(address + at, data[at : at + 8])
        for address, data in code
        for at in range(0, len(data), 8)
    )


def _run(written: Mapping[int, int], begin: int, trampolines: set[int]) -> Iterator[int]:
    """Yield the bytes that were written from an address on, up to a gap or a trampoline."""
    for address in itertools.count(begin):
        if address not in written or address in trampolines:
            return
        yield written[address]


def _target(address: int, branch: bytes) -> int:
    """Return where a 5-byte call or jmp at an address goes."""
    return address + SITE_SIZE + int.from_bytes(branch[1:], "little", signed=True) & (1 << 64) - 1


class Arena:
    """The memory the kernel provides for code and variables, given out from its start.

    guest: the kernel. placed: what lies there, to name places in it by.
    """

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self._text = _room(guest, "poke_arena")
        self._data = _room(guest, "poke_data") if "poke_data" in guest.image.symbols else None
        self.placed: list[Placed] = []

    def redirect(self, function: str, source: str, name: str = "patch.s") -> Redirect:
        """Place a trampoline and a replacement, given as assembly, for a function.

        Raises BadSymbol for an unknown function, NoSite for one without a site, BadAssembly.
        """
        from emu.image.assemble import assemble  # noqa: PLC0415 -- 30 ms of a start

        site = self.guest.image.sites.of(function)
        start = self._text.aligned(_ALIGN).start
        replacement = start + _TRAMPOLINE_SIZE
        code = assemble(source, replacement, self.guest.image.symbols, name)
        left = self._text.behind(replacement).left
        if len(code) > left:
            raise PokeError(
                f"the replacement of {function} has {len(code)} bytes, poke_arena has {left} left"
            )
        self._text = self._text.behind(replacement + len(code))
        trampoline = start, _trampoline(start, replacement)
        named = Symbols([Symbol(function, replacement, len(code), "func")], name)
        text = replacement, replacement + len(code)
        self._add(Placed(name, ((replacement, code),), text, named, {}))
        redirect = Redirect(function, site, start, replacement, (trampoline, (replacement, code)))
        self._name(redirect)
        return redirect

    def place(self, objects: Sequence[ObjectFile]) -> tuple[Placed, ...]:
        """Link objects into the kernel, all together.

        Raises BadSymbol, BadSource, PokeError; see `link`.
        """
        found, self._text, self._data = link(objects, self.guest.image, self._text, self._data)
        for each in found:
            self._add(each)
        return found

    def redirect_to(self, function: str, placed: Placed, name: str) -> Redirect:
        """Place a trampoline from a function to one, called `name`, of a placed object.

        Raises BadSymbol for an unknown function, NoSite for one without a site.
        """
        site = self.guest.image.sites.of(function)
        replacement = placed.symbols.function(name).address
        room = self._text.aligned(_ALIGN)
        if room.left < _TRAMPOLINE_SIZE:
            raise PokeError(f"poke_arena has no room for the trampoline of {function}")
        self._text = room.behind(room.start + _TRAMPOLINE_SIZE)
        trampoline = room.start, _trampoline(room.start, replacement)
        redirect = Redirect(function, site, room.start, replacement, (*placed.code, trampoline))
        self._name(redirect)
        return redirect

    def _add(self, placed: Placed) -> None:
        """Let code be named, and stacks be walked through it."""
        self.placed.append(placed)
        self.guest.add_code(CodeRegion.of(placed))

    def _name(self, redirect: Redirect) -> None:
        """Let a trampoline be named by the function it belongs to, and stacks pass it."""
        region = redirect.region
        text = region.begin, region.end
        self.placed.append(Placed(redirect.function, (), text, region.symbols, {}))
        self.guest.add_code(region)


def _room(guest: Guest, name: str) -> Room:
    symbols = guest.image.symbols
    return Room(name, symbols[name].address, symbols[f"{name}_end"].address)


def _trampoline(address: int, replacement: int) -> bytes:
    """Return the trampoline at an address."""
    jump = address + len(_DROP_RETURN) + SITE_SIZE
    return _DROP_RETURN + b"\xe9" + struct.pack("<i", replacement - jump)
