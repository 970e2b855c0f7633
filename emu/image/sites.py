"""Sites: where functions can be patched.

gcc -pg -mfentry -mrecord-mcount puts a 5-byte call (or, with -mnop-mcount, a NOP) at the entry of
each traceable function and its address into the section __mcount_loc; the linker script names the
ends of the table. With -fcf-protection=branch the site follows a 4-byte endbr64.
Source: Linux scripts/recordmcount.c, include/asm-generic/vmlinux.lds.h (MCOUNT_REC).
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from emu.errors import BadImage, NoSite, closest
from emu.image.symbols import Symbols

SITE_SIZE = 5
"""Bytes of a site: one call, jump or NOP."""

ENDBR64 = bytes.fromhex("f30f1efa")
START_SYMBOL = "__start_mcount_loc"
STOP_SYMBOL = "__stop_mcount_loc"
MAX_SITES = 1 << 20

_DROPPED = 0
"""In the table for a weak function that another replaced. Source: Linux scripts/sorttable.c."""


class Image(Protocol):
    """What sites are read from; `ElfImage` is one."""

    @property
    def name(self) -> str:
        """File name, for messages."""

    @property
    def symbols(self) -> Symbols:
        """The symbol table."""

    @property
    def read_virtual(self) -> Callable[[int, int], bytes]:
        """Bytes at a link address."""

    @property
    def is_executable(self) -> Callable[[int], bool]:
        """Whether a link address is code."""


def crossed(site: int) -> str | None:
    """Return the widest border that the 5 bytes of a site cross, None if one word holds them.

    What crosses one cannot be written at once: a store is atomic within an aligned word of 8 bytes
    (AMD) or a cache line (Intel), and each page has its own frame. Source: SDM 3A, 9.1.1.
    """
    borders = ((4096, "a page"), (64, "a cache line"), (8, "an 8-byte word"))
    return next((name for size, name in borders if site % size > size - SITE_SIZE), None)


class Sites:
    """The sites of an image.

    Attributes:
        all: link addresses of the sites, ascending.
        functions: site address by function name.
    """

    def __init__(
        self, addresses: Iterable[int], functions: Mapping[str, int], symbols: Symbols, where: str
    ) -> None:
        self.all = tuple(sorted(addresses))
        self.functions = dict(functions)
        self._symbols = symbols
        self._where = where

    @classmethod
    def read(cls, image: Image) -> "Sites":
        """Read the table of an image; an image without one has no sites.

        Raises:
            BadImage: the table is malformed.
        """
        symbols = image.symbols
        start, stop = symbols.get(START_SYMBOL), symbols.get(STOP_SYMBOL)
        if start is None or stop is None:
            return cls((), {}, symbols, image.name)
        size = stop.address - start.address
        if size < 0 or size % 8 or size // 8 > MAX_SITES:
            raise BadImage(f"{image.name}: the table of sites has {size} bytes")
        table = struct.unpack(f"<{size // 8}Q", image.read_virtual(start.address, size))
        addresses = frozenset(table) - {_DROPPED}
        for address in sorted(addresses):
            if not (image.is_executable(address) and image.is_executable(address + SITE_SIZE - 1)):
                raise BadImage(f"{image.name}: the site {address:#x} is not in executable memory")
        return cls(addresses, dict(_functions(image, addresses)), symbols, image.name)

    def slid(self, offset: int, symbols: Symbols) -> "Sites":
        """Return the same sites at addresses that are higher; symbols: as they are there."""
        functions = {name: site + offset for name, site in self.functions.items()}
        return Sites((site + offset for site in self.all), functions, symbols, self._where)

    def __len__(self) -> int:
        return len(self.all)

    def of(self, function: str) -> int:
        """Return the address of the site of `function`.

        Raises:
            BadSymbol: no such function.
            NoSite: the function has none; the message says what to do.
        """
        site = self.functions.get(function)
        if site is not None:
            return site
        self._symbols.function(function)
        if not self.all:
            why = "the image has no table of sites: build it with -pg -mfentry -mrecord-mcount"
        else:
            near = closest(function, self.functions)
            hint = f", for example {near[0]}" if near else ""
            why = f"it was built without one (notrace?): choose a traceable function{hint}"
        raise NoSite(f"{self._where}: {function!r} has no site: {why}")


def _functions(image: Image, addresses: frozenset[int]) -> Iterator[tuple[str, int]]:
    """Yield (name, site) of each function whose entry is a site; a name means one function."""
    for symbol in image.symbols:
        site = symbol.address
        if symbol.kind != "func" or not (site in addresses or site + len(ENDBR64) in addresses):
            continue
        if image.symbols[symbol.name] != symbol:
            continue
        if site in addresses:
            yield symbol.name, site
        elif image.read_virtual(site, len(ENDBR64)) == ENDBR64:
            yield symbol.name, site + len(ENDBR64)
