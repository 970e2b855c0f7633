"""Code that is in no image, as a log names it: modules, trampolines, what was put into the kernel.

It comes and goes, and a log tells of the past: so it is looked for whenever something has happened
outside the image, and what was there then is kept. What has gone before anybody looked has no name.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.guest.code import CodeRegion, Regions
from emu.guest.guest import Guest
from emu.machine import events
from emu.machine.state import E_ADDRESS, E_KIND

_PAGE: Final = 4096
_WORD: Final = (1 << 64) - 1
_MOST: Final = 1 << 12  # looks that are kept
_AT_CODE: Final = (events.TRAP, events.DELIVERED, events.STALE_FETCH, events.SERIALISED)
"""The kinds whose address is that of an instruction."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedCode:
    """What there was at one look.

    Attributes:
        since: the number of the first event that it is for.
        regions: by virtual address. pages: virtual pages by physical ones, by their numbers.
    """

    since: int
    regions: Regions
    pages: Mapping[int, int]

    def describe(self, address: int) -> str | None:
        """Return `pcspkr_event+0x5`, also in hex where it has no name; None outside."""
        region = self.regions.find(address)
        return None if region is None else region.symbols.describe(address)

    def virtual(self, physical: int) -> int | None:
        """Return the virtual address of a physical one; None outside."""
        page = self.pages.get(physical // _PAGE)
        return None if page is None else page * _PAGE + physical % _PAGE


def look_for(looks: Sequence[LoadedCode], number: int) -> LoadedCode | None:
    """Return the look that is for the event with a number; None if there is none."""
    index = bisect_right(looks, number, key=lambda each: each.since) - 1
    return looks[index] if index >= 0 else None


class LoadedCodeTable:
    """The looks so far, the oldest first."""

    def __init__(self, guest: Guest) -> None:
        self._guest, self._looks = guest, list[LoadedCode]()
        self._last: list[tuple[int, int, str]] = []

    def take(self, first: int, columns: NDArray[np.int64]) -> None:
        """Look, if any of these events happened outside the image; first: their first number.

        columns: int64 [8, n], a row for each column of `Event`.
        """
        if not self._outside(columns):
            return
        regions = self._guest.regions()
        known = [(each.begin, each.end, each.symbols.describe(each.begin)) for each in regions]
        if known == self._last:
            return
        self._last = known
        self._looks.append(LoadedCode(first, Regions(regions), self._pages(regions)))
        del self._looks[:-_MOST]

    def looks(self) -> tuple[LoadedCode, ...]:
        """Return them as they are now."""
        return tuple(self._looks)

    def _outside(self, columns: NDArray[np.int64]) -> bool:
        image, kinds, addresses = self._guest.image, columns[E_KIND], columns[E_ADDRESS]
        stores = np.unique(addresses[kinds == events.TEXT_STORE] // _PAGE).tolist()
        if any(image.link_address(page * _PAGE) is None for page in stores):
            return True
        kernel = np.isin(kinds, _AT_CODE) & (addresses < 0)  # as unsigned, the upper half
        pages = np.unique(addresses[kernel] // _PAGE).tolist()
        return any(not image.is_executable(page * _PAGE & _WORD) for page in pages)

    def _pages(self, regions: Sequence[CodeRegion]) -> dict[int, int]:
        found = {}
        for region in regions:
            for page in range(region.begin // _PAGE, -(-region.end // _PAGE)):
                try:
                    found[self._guest.physical(page * _PAGE) // _PAGE] = page
                except TextpokeError:
                    continue  # its memory has gone
        return found
