"""Redirecting a function: its entry calls a trampoline, which lands in a replacement.

The trampoline is entered by a call, real or acted out by the int3 handler, so its stack holds
the address behind the site above the caller's return address. It drops the former and jumps;
the replacement returns to the caller as the function would have. Both lie in the kernel's
poke_arena and stay there: grace periods, after which they could be freed, come later.
"""

import struct
from dataclasses import dataclass

from emu.errors import PokeError
from emu.guest.guest import Guest
from emu.image.assemble import assemble
from emu.moves.plan import Step, Store
from emu.patch.text_poke import NOP5, TextPoke

SITE_SIZE = 5
_DROP_RETURN = bytes.fromhex("488d642408")  # lea rsp, [rsp + 8]: no flag changes
_ALIGN = 16
_TRAMPOLINE_SIZE = 16


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

    def poke_in(self) -> TextPoke:
        """Return the poke that redirects the function."""
        return TextPoke(self.site, NOP5, self.call)

    def poke_out(self) -> TextPoke:
        """Return the poke that gives the function back."""
        return TextPoke(self.site, self.call, NOP5)

    def stores(self) -> tuple[Step, ...]:
        """Return the steps that write trampoline and replacement."""
        return tuple(
            Store(address + at, code[at : at + 8])
            for address, code in self.code
            for at in range(0, len(code), 8)
        )


class Arena:
    """The memory the kernel provides for code, given out from its start."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._next = guest.image.symbols["poke_arena"].address
        self._end = guest.image.symbols["poke_arena_end"].address

    def redirect(self, function: str, source: str, name: str = "patch.s") -> Redirect:
        """Place a trampoline and a replacement, given as assembly, for a function.

        Raises BadSymbol for an unknown function, NoSite for one without a site, BadAssembly.
        """
        site = self._guest.image.sites.of(function)
        start = -(-self._next // _ALIGN) * _ALIGN
        replacement = start + _TRAMPOLINE_SIZE
        code = assemble(source, replacement, self._guest.image.symbols, name)
        end = replacement + len(code)
        if end > self._end:
            raise PokeError(
                f"the replacement of {function} has {len(code)} bytes, poke_arena has "
                f"{max(0, self._end - replacement)} left"
            )
        jump = start + len(_DROP_RETURN) + 5
        trampoline = _DROP_RETURN + b"\xe9" + struct.pack("<i", replacement - jump)
        self._next = end
        return Redirect(function, site, start, replacement, ((start, trampoline), (replacement, code)))

