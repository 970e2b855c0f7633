"""Holds: a core gets no turns while a byte is what it is, until another core has come somewhere.

    core 0 while *cmdline_proc_show == 0xcc until core 1 executes cmdline_proc_show

A window of a patch is open for a few thousand instructions, and chance seldom sends a core through
it. So the core that would close it waits; but not for one that is still to be started, since nobody
else might do that. Nothing is done to the machine: a hold decides only who gets the next turn, and
what is saved of the run are its moves.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from emu.errors import BadSymbol, TextpokeError
from emu.guest.guest import Guest

FORM: Final = "core C while *ADDR == BYTE until core D executes ADDR"

_PLACE = r"[A-Za-z_.$][\w.$]*(?:\s*\+\s*(?:0[xX][0-9a-fA-F]{1,8}|\d{1,8}))?"
_NUMBER = r"0[xX][0-9a-fA-F]{1,8}|\d{1,8}"
_HOLD = re.compile(
    rf"\s*core\s+(\d{{1,8}})\s+while\s+\*\s*({_PLACE})\s*==\s*({_NUMBER})\s+"
    rf"until\s+core\s+(\d{{1,8}})\s+executes\s+({_PLACE})\s*"
)


@dataclass(frozen=True, slots=True)
class Place:
    """An address by a symbol of the kernel, and bytes from there on."""

    symbol: str
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `symbol` or `symbol+offset` names."""
        symbol, _, offset = text.partition("+")
        return cls(symbol.strip(), int(offset, 0) if offset else 0)

    def __str__(self) -> str:
        return f"{self.symbol}+{self.offset:#x}" if self.offset else self.symbol

    def check(self, guest: Guest) -> None:
        """Raise BadSymbol unless the kernel has it."""
        symbols = guest.image.symbols
        if symbols.get(self.symbol) is None:
            names = (symbol.name for symbol in symbols)
            raise BadSymbol.unknown("symbol", self.symbol, names, guest.image.name)

    def is_code(self, guest: Guest) -> bool:
        """Return whether it is in a function."""
        symbol = guest.image.symbols[self.symbol]
        return symbol.kind == "func" and self.offset < symbol.size

    def physical(self, guest: Guest) -> int | None:
        """Return its physical address; None as long as the kernel has not mapped it."""
        symbol = guest.image.symbols[self.symbol]
        try:
            found = guest.physical(symbol.address + self.offset)
        except TextpokeError:
            return None
        return found if found < guest.machine.ram_mib << 20 else None  # else paging is still off


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold. Each time the byte becomes `value` it begins anew.

    Attributes:
        core: gets no turns
        byte, value: while this byte has this value,
        until, reached: until this core has executed the instruction at this place.
    """

    core: int
    byte: Place
    value: int
    until: int
    reached: Place

    @classmethod
    def parse(cls, text: str, cores: int) -> Self:
        """Return the hold that a text describes, for a machine with so many cores.

        Raises:
            TextpokeError: it is none, or there is no such core.
        """
        found = _HOLD.fullmatch(text)
        if found is None:
            raise TextpokeError(f"{text[:80]!r} is no hold: the form is {FORM!r}")
        core, byte, value, until, reached = found.groups()
        hold = cls(int(core), Place.parse(byte), int(value, 0), int(until), Place.parse(reached))
        for each in (hold.core, hold.until):
            if each >= cores:
                raise TextpokeError(f"hold: no core {each}: there are {cores}, from 0 on")
        if hold.core == hold.until:
            raise TextpokeError(f"hold: core {hold.core} cannot execute anything while it is held")
        if hold.value > 0xFF:
            raise TextpokeError(f"hold: {value} is no byte: 0 to 0xff")
        return hold

    def __str__(self) -> str:
        return (
            f"core {self.core} while *{self.byte} == {self.value:#04x} "
            f"until core {self.until} executes {self.reached}"
        )
