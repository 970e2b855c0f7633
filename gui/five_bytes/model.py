"""The five bytes as a table: memory in the first row, then a row for each core.

The delegate paints it; keyboard and screen readers get what it says in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt

from emu.scene.scene import Byte, Core, Scene, Site, version
from gui.cells import describe
from gui.rows import Index
from gui.text import tooltip

_NOWHERE: Final = QModelIndex()

_JUST: Final = 1_000  # ns for which a row says what was executed rather than what may be


@dataclass(frozen=True, slots=True)
class Row:
    """Who looks, and what they see. core: None is memory itself. serialised: None for memory."""

    core: int | None
    name: str
    task: str
    code: tuple[Byte, ...]
    decoded: str
    serialised: bool | None
    since: str


def rows_of(scene: Scene, site: int) -> tuple[Row, ...]:
    """Return the rows for one of a scene's sites, by its index."""
    memory = scene.sites[site]
    first = Row(None, "Memory", "", memory.memory, memory.decoded, None, "what is stored")
    return (first, *(_executed(core, memory, scene) or _row(core, site) for core in scene.cores))


def _executed(core: Core, site: Site, scene: Scene) -> Row | None:
    """Return what a core has just executed where it went wrong; None if it has not."""
    failure = scene.failure
    if failure is None or not failure.code or scene.time - failure.time > _JUST:
        return None
    if (failure.core, failure.address) != (core.number, site.address):
        return None
    code = tuple(
        Byte(value, byte.value, version(value, old, new, index))
        for index, (value, byte, old, new) in enumerate(
            zip(failure.code, site.memory, site.old, site.new, strict=False)
        )
    )
    name = f"core {core.number}"
    return Row(core.number, name, "executed", code, failure.became, False, f"⚠ {failure.finding}")


def _row(core: Core, site: int) -> Row:
    task = core.task if core.activity == "runs" else core.activity
    no = f"⚠ no: {core.waiting}" if core.waiting else "⚠ no"
    return Row(
        core.number,
        f"core {core.number}",
        task,
        core.sites[site],
        core.decoded[site],
        core.serialised,
        "✓ yes" if core.serialised else no,
    )


class BytesModel(QAbstractTableModel):
    """The rows of one site.

    Attributes:
        site: the shown one, or None.
        rows: as they are shown.
        fresh: the cells whose byte has just changed: (row, index of the byte).
    """

    def __init__(self) -> None:
        super().__init__()
        self.site: Site | None = None
        self.rows: tuple[Row, ...] = ()
        self.fresh: frozenset[tuple[int, int]] = frozenset()

    @property
    def width(self) -> int:
        """How many bytes the site has."""
        return len(self.site.memory) if self.site else 0

    def show_site(self, site: Site | None, rows: tuple[Row, ...]) -> bool:
        """Show a site; say whether any byte of it has changed since it was shown last."""
        before = self.rows
        same = (
            site is not None
            and self.site is not None
            and (site.address, len(site.memory)) == (self.site.address, self.width)
            and len(before) == len(rows)
        )
        if not same:
            self.beginResetModel()
            self.site, self.rows, self.fresh = site, rows, frozenset()
            self.endResetModel()
            return False
        if rows == before:
            return False
        self.site, self.rows = site, rows
        for number, (old, new) in enumerate(zip(before, rows, strict=True)):
            for column in self._columns(old, new, told_apart=before[0].decoded != rows[0].decoded):
                self._changed(number, column)
        fresh = frozenset(
            (number, index)
            for number, (old, new) in enumerate(zip(before, rows, strict=True))
            for index, (was, is_) in enumerate(zip(old.code, new.code, strict=True))
            if was != is_
        )
        if fresh:
            self._set_fresh(fresh)
        return bool(fresh)

    def forget(self) -> None:
        """Let no cell be fresh any more."""
        self._set_fresh(frozenset())

    def row_of(self, core: int | None) -> int | None:
        """Return the row of a core, or of memory; None if there is none."""
        numbers = (number for number, row in enumerate(self.rows) if row.core == core)
        return next(numbers, None)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return one for memory, and one for each core."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of bytes, and three."""
        return 0 if parent.isValid() or not self.site else self.width + 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell says: as it is painted, or in words."""
        row, column = self.rows[index.row()], index.column()
        spoken = (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)
        if role != Qt.ItemDataRole.DisplayRole and role not in spoken:
            return None
        if column == 0:
            text = f"{row.name} {row.task}".strip()
        elif column <= self.width:
            byte = row.code[column - 1]
            text = f"{byte.value:02x}" if role == Qt.ItemDataRole.DisplayRole else describe(byte)
        else:
            text = row.decoded if column == self.width + 1 else row.since
        return tooltip(text) if role == Qt.ItemDataRole.ToolTipRole else text

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return what a column is about."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            byte = 0 < section <= self.width
            side = Qt.AlignmentFlag.AlignHCenter if byte else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and section == self.width + 2:
            return (
                "Whether the core has serialised since the last store that it may not have seen; "
                "until it does, it may fetch stale bytes"
            )
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        bytes_ = [f"+{index}" for index in range(self.width)]
        return ["who looks", *bytes_, "would decode as", "serialised since?"][section]

    def _set_fresh(self, fresh: frozenset[tuple[int, int]]) -> None:
        cells = self.fresh ^ fresh
        self.fresh = fresh
        for row, index in sorted(cells):
            self._changed(row, 1 + index)

    def _columns(self, old: Row, new: Row, *, told_apart: bool) -> Iterator[int]:
        """Yield what looks different. told_apart: memory decodes otherwise than before.

        An instruction that is not memory's is bold.
        """
        if old == new and not told_apart:
            return
        if (old.name, old.task, old.core) != (new.name, new.task, new.core):
            yield 0
        for index, (was, is_) in enumerate(zip(old.code, new.code, strict=True)):
            if was != is_:
                yield 1 + index
        if old.decoded != new.decoded or told_apart:
            yield self.width + 1
        if (old.since, old.serialised) != (new.since, new.serialised):
            yield self.width + 2

    def _changed(self, row: int, column: int) -> None:
        cell = self.index(row, column)
        self.dataChanged.emit(cell, cell)
