"""The listing as a table: which cores stand in a line, where it is, its bytes, what it does.

After each frame only the lines that differ are announced as changed, so only they are painted.
"""

from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, Qt

from emu.scene.listing import Listing
from emu.scene.scene import Byte, Core, Scene
from gui.cells import describe
from gui.listing.lines import Line, lines_of
from gui.row_model import RowModel
from gui.rows import Index

CORES, ADDRESS, BYTES, TEXT = range(4)
HEADERS: Final = ("cores", "address", "bytes", "instruction")
FEW_BYTES: Final = 5
"""A site's, which are always shown all."""
MANY_BYTES: Final = 8
"""Longer instructions are shown in part; the longest has 15 bytes, and few have more than 8."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line with what changes: the cores in it, and a site's bytes in memory, if it is one."""

    line: Line
    cores: tuple[int, ...] = ()
    site: tuple[Byte, ...] = ()


class ListingModel(RowModel):
    """The lines of a listing."""

    headers = HEADERS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._listing: Listing | None = None
        self._lines: tuple[Line, ...] = ()
        self._covering: dict[int, int] = {}
        self.shown: tuple[Shown, ...] = ()
        self.cores = 0

    def show(self, scene: Scene | None) -> bool:
        """Take over a scene; return whether these are other lines than before, or other cores."""
        listing = scene.listing if scene else None
        others = len(scene.cores if scene else ()) != self.cores
        if listing is not self._listing:
            before_lines, self._listing = self._lines, listing
            self._lines = lines_of(listing) if listing else ()
            others |= _places(self._lines) != _places(before_lines)
            self._covering = {
                line.row.address + at: number
                for number, line in enumerate(self._lines)
                if line.kind == "instruction"
                for at in range(len(line.row.code))
            }
        cores = scene.cores if scene else ()
        before, shown = self.shown, self._filled(scene, cores)
        if others:
            self.beginResetModel()
            self.shown, self.cores = shown, len(cores)
            self.endResetModel()
            return True
        self.shown = shown
        for number, (old, new) in enumerate(zip(before, shown, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, TEXT))
        return False

    def line_of(self, address: int) -> int | None:
        """Return the number of the line whose instruction covers an address, None if none does."""
        return self._covering.get(address)

    def _filled(self, scene: Scene | None, cores: tuple[Core, ...]) -> tuple[Shown, ...]:
        shown = [Shown(line) for line in self._lines]
        for site in scene.sites if scene else ():
            at = self.line_of(site.address)
            if at is not None and (line := self._lines[at]).row.address == site.address:
                shown[at] = Shown(line, (), site.memory[: len(line.row.code)])
        for core in cores:
            at = self.line_of(core.rip)
            if at is not None:
                old = shown[at]
                shown[at] = Shown(old.line, (*old.cores, core.number), old.site)
        return tuple(shown)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.shown)

    # Names below are Qt's.

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that instructions can be selected, and what stands above them cannot."""
        if self.shown[index.row()].line.kind == "instruction":
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell in words, for screen readers; the delegate paints from `shown`."""
        if role not in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return None
        shown = self.shown[index.row()]
        line = shown.line
        if line.kind != "instruction":
            return line.text if index.column() == ADDRESS else ""
        if shown.site and index.column() == BYTES and role == Qt.ItemDataRole.AccessibleTextRole:
            return "; ".join(describe(byte) for byte in shown.site)
        return {
            CORES: ", ".join(f"core {core}" for core in shown.cores),
            ADDRESS: line.name,
            BYTES: line.row.code.hex(" "),
            TEXT: line.row.text,
        }[index.column()]


def _places(lines: tuple[Line, ...]) -> list[tuple[str, str, int, str]]:
    """Return what makes lines the same ones, whatever memory holds there now."""
    return [(line.kind, line.text, line.row.address, line.name) for line in lines]
