"""ORC: the tables by which Linux finds the caller of any instruction of its own.

Two arrays of equal length. .orc_unwind_ip has, ascending, the distance from each of its words to
the first address that an entry is about; .orc_unwind has the entries. They are about all code of
the kernel, assembly too, and exact at each instruction: objtool made them by following all paths.
A module has its own two arrays, in its memory. Where a section ends stands a terminator, which
says "undefined".
Source: arch/x86/kernel/unwind_orc.c, orc_find and orc_ip; scripts/sorttable.h.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import numpy as np

from emu.errors import BadImage, BadSymbol
from emu.image.cursor import Malformed, malformed_is_bad
from emu.image.elf import ElfImage
from emu.image.frame_rules import Rules
from emu.image.orc_layout import SIZE, OrcLayout
from emu.image.orc_rules import rules

MAX_ENTRIES: Final = 1 << 22
"""Of a table; Debian's largest kernel has half a million."""

_WHAT = "the ORC table"
_RECORD = np.dtype([("offsets", "<u4"), ("flags", "<u2")])


class OrcTable:
    """The ORC tables of a kernel, or of a module.

    Args:
        where: what they are of, for messages.
        ips: the words of .orc_unwind_ip.
        address: where those lie, as a link address or wherever a module is.
        entries: of .orc_unwind.
        layout: of entries; None: as they look.

    Raises:
        BadImage: the tables are malformed.
    """

    def __init__(
        self, where: str, ips: bytes, address: int, entries: bytes, layout: OrcLayout | None = None
    ) -> None:
        with malformed_is_bad(where, _WHAT):
            self._ips = _addresses(ips, address)
            if len(entries) != len(self._ips) * SIZE:
                raise Malformed(f"{len(self._ips)} addresses and {len(entries)} bytes of entries")
        self._entries = np.frombuffer(entries, _RECORD)
        self.layout = OrcLayout.guess(self._entries["flags"]) if layout is None else layout
        self._known: dict[int, Rules | None] = {}

    @classmethod
    def of(cls, image: ElfImage) -> "OrcTable":
        """Return the table of a kernel, which symbols or sections tell of.

        Raises:
            BadImage: there is none, or it is malformed.
        """
        ips, entries = (_part(image, name) for name in ("orc_unwind_ip", "orc_unwind"))
        address, size = ips
        return cls(
            image.name,
            image.read_virtual(address, size),
            address,
            image.read_virtual(*entries),
            _layout(image),
        )

    def __len__(self) -> int:
        return len(self._ips)

    def at(self, address: int) -> Rules | None:
        """Return the rules at an address; None if nothing is known of it."""
        index = self._index(address)
        return None if index < 0 else self._rules(index)

    def rows(self, begin: int, end: int) -> Iterator[tuple[int, Rules | None]]:
        """Yield where rules begin, and the rules, from the row of `begin` up to `end`."""
        for index in range(max(self._index(begin), 0), self._index(end - 1) + 1):
            yield int(self._ips[index]), self._rules(index)

    def _index(self, address: int) -> int:
        """Return the last entry that is not behind an address, -1 if all are."""
        if not 0 <= address < 1 << 64:
            return -1 if address < 0 else len(self._ips) - 1
        return int(np.searchsorted(self._ips, np.uint64(address), side="right")) - 1

    def _rules(self, index: int) -> Rules | None:
        """Return the rules of an entry; there are a few hundred different ones."""
        offsets, flags = self._entries[index].item()
        entry = offsets | flags << 32
        if entry not in self._known:
            self._known[entry] = rules(entry, self.layout)
        return self._known[entry]


def _addresses(ips: bytes, address: int) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    if len(ips) % 4 or not 0 < len(ips) // 4 <= MAX_ENTRIES:
        raise Malformed(f"{len(ips)} bytes of addresses")
    places = np.arange(len(ips) // 4, dtype=np.uint64) * np.uint64(4) + np.uint64(address)
    found = places + np.frombuffer(ips, "<i4").astype(np.int64).astype(np.uint64)
    if bool((found[1:] < found[:-1]).any()):
        raise Malformed("its addresses do not ascend")
    return found


def _part(image: ElfImage, name: str) -> tuple[int, int]:
    """Return link address and size of a section of the kernel: by its symbols, or by name."""
    begin, end = (image.symbols.get(f"__{side}_{name}") for side in ("start", "stop"))
    if begin is not None and end is not None:
        found: tuple[int, int] | None = begin.address, end.address - begin.address
    else:
        found = image.place_of(f".{name}")
    if found is None or not 0 < found[1] <= MAX_ENTRIES * SIZE:
        raise BadImage(
            f"{image.name} has no ORC tables, by which stacks are read: "
            "a kernel has them with CONFIG_UNWINDER_ORC"
        )
    return found


def _layout(image: ElfImage) -> OrcLayout | None:
    """Return the layout that the kernel's type information says, None if it does not."""
    with suppress(BadImage, BadSymbol, Malformed):
        return OrcLayout.of(image.types["struct orc_entry"])
    return None
