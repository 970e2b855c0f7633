"""The lines of a listing as the panel shows them: instructions, and what stands above them."""

from dataclasses import dataclass
from typing import Literal

from emu.scene.listing import Listing, ListingRow


@dataclass(frozen=True, slots=True)
class Line:
    """A line.

    Attributes:
        kind: "symbol" and "source" stand above the instruction that they belong to.
        text: the symbol, or place and text of the source line; "" of an instruction.
        row: the instruction; of the other kinds, the one below.
        offset: of the instruction in its symbol, as +0x.., or its address if that is not known.
        name: the same in full.
    """

    kind: Literal["symbol", "source", "instruction"]
    text: str
    row: ListingRow
    offset: str
    name: str


def lines_of(listing: Listing) -> tuple[Line, ...]:
    """Return the lines of a listing."""
    lines = []
    symbol, begin = "", 0
    for row in listing.rows:
        if row.symbol is not None:
            symbol, begin = row.symbol, row.address
        offset = f"+{row.address - begin:#x}" if symbol else f"{row.address:#x}"
        name = symbol + offset
        if row.symbol is not None:
            lines.append(Line("symbol", f"{row.symbol}:", row, offset, name))
        if row.place is not None:
            text = f"{row.place}  {(row.source or '').strip()}".rstrip()
            lines.append(Line("source", text, row, offset, name))
        lines.append(Line("instruction", "", row, offset, name))
    return tuple(lines)
