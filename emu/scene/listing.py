"""The listing of a scene: the code around an address, as memory holds it now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emu.errors import BadImage, TextpokeError
from emu.image.disasm import Instruction, decode_one, disassemble
from emu.image.elf import ElfImage
from emu.image.lines import Place
from emu.image.listing import extent
from emu.image.placed import Placed
from emu.image.source import Sources
from emu.image.symbols import Symbol
from emu.scene.look import Look

_MOST = 1 << 14
"""Bytes of code that are listed at once."""


@dataclass(frozen=True, slots=True)
class ListingRow:
    """An instruction.

    Attributes:
        address, code: where, and its bytes in memory.
        text: mnemonic and operands, with names.
        symbol: the symbol that begins here, or None.
        place: `vfs.c:120` where the source line is another than the row's before, or None.
        source: the text of that line, or None.
        site: whether a site is here.
    """

    address: int
    code: bytes
    text: str
    symbol: str | None
    place: str | None
    source: str | None
    site: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Code. title: of what (`vfs_read`, `trampoline of vfs_read`)."""

    title: str
    rows: tuple[ListingRow, ...]

    def row_of(self, address: int) -> int | None:
        """Return the index of the row whose instruction covers an address, None if none does."""
        for index, row in enumerate(self.rows):
            if row.address <= address < row.address + len(row.code):
                return index
        return None


class Lister:
    """Lists code as memory holds it. sources: where the text of lines comes from."""

    def __init__(self, image: ElfImage, sources: Sources) -> None:
        self._image, self._sources = image, sources
        self._sites = frozenset(image.sites.all)

    def listing(self, look: Look, address: int) -> Listing | None:
        """Return the function at an address; None where there is none, or nothing is mapped."""
        placed = look.names.placed(address)
        symbols = placed.symbols if placed else self._image.symbols
        found = symbols.at(address)
        if found is None:
            return None
        try:
            begin, end = _extent(found[0], placed) if placed else extent(self._image, hex(address))
            begin = max(begin, address - _MOST // 2)  # of a very large one, the part around
            end = min(end, begin + _MOST)
            code = look.memory(begin, end - begin)
        except TextpokeError:
            return None
        places, rows, before = self._places(placed), list[ListingRow](), None
        for each in _instructions(code, begin, {p.address: len(p.old) for p in look.sites}):
            place = places(each.address)
            changed = place if place is not None and place != before else None
            before = place
            at = symbols.at(each.address)
            rows.append(
                ListingRow(
                    each.address,
                    each.bytes,
                    look.names.decoded(each.bytes, each.address),
                    at[0].name if at is not None and at[1] == 0 else None,
                    str(changed) if changed else None,
                    self._sources.line(*changed) if changed else None,
                    each.address in self._sites,
                )
            )
        return Listing(found[0].name, tuple(rows))

    def _places(self, placed: Placed | None) -> Callable[[int], Place | None]:
        """Return what knows source lines; a listing does without what cannot be read."""
        try:
            return (placed.lines if placed else self._image.lines).place
        except BadImage:
            return lambda _address: None


def _extent(symbol: Symbol, placed: Placed) -> tuple[int, int]:
    end = symbol.address + symbol.size if symbol.size else placed.text[1]
    return symbol.address, end


def _instructions(code: bytes, begin: int, sites: Mapping[int, int]) -> list[Instruction]:
    """Return the instructions of some code; a site is one, whatever its first byte is now."""
    end, found, at = begin + len(code), list[Instruction](), begin
    for site in sorted(site for site in sites if begin <= site < end):
        found += disassemble(code[at - begin : site - begin], at)
        at = min(site + sites[site], end)
        whole = code[site - begin : at - begin]
        first = decode_one(whole, site)
        found.append(Instruction(site, whole, first.mnemonic, first.op_str))
    return found + list(disassemble(code[at - begin :], at))
