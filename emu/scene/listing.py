"""The listing of a scene: the code around an address, as memory holds it now."""

from dataclasses import dataclass


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
