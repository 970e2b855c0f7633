"""The listing panel: the code around the selected address, and the cores in it."""

from typing import Final

from PySide6.QtCore import QEvent
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QVBoxLayout

from emu.scene.scene import Scene
from gui.frame import Frame
from gui.label import Label
from gui.listing.delegate import ListingDelegate, slot
from gui.listing.model import ADDRESS, BYTES, CORES, FEW_BYTES, MANY_BYTES, ListingModel
from gui.listing.places import Place, Places
from gui.panel import Panel
from gui.rows import PADDING, RowView
from gui.selection import Selected, Selection
from gui.text import mono
from gui.theme import Theme

_Hint = QAbstractItemView.ScrollHint

_LOW: Final = 11  # lines; a panel that is lower does not repeat the selected row in full


class ListingPanel(Panel):
    """Code as memory holds it, with a fixed place for each core's program counter."""

    title = "Listing"
    needs = frozenset({"listing"})
    keys = (
        ("Up, Down, Page Up, Page Down", "select the instruction above or below"),
        ("Home, End", "select the first or the last instruction shown"),
    )

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self._scene: Scene | None = None
        self._address: int | None = None  # that the table has been scrolled to
        self.model = ListingModel(self)
        self.detail = Label("The selected instruction", wraps=True)
        families = ", ".join(f"'{family}'" for family in mono().families())
        self.detail.setStyleSheet(f"font-family: {families}")  # its size is the application's
        self.places = Places(theme)
        self.table = RowView()
        self.table.setAccessibleName(self.title)
        self.table.setModel(self.model)
        self._delegate = ListingDelegate(theme, self.model, self.table)
        self.table.setItemDelegate(self._delegate)
        self.detail.setIndent(PADDING)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.places)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.detail)
        self._make_room()
        self.setFocusProxy(self.table)
        self.setTabOrder(self.places, self.table)
        self.table.chosen.connect(self._choose)
        self.places.jumped.connect(self._jump)
        self.table.resized.connect(self._refit)
        self.table.verticalScrollBar().valueChanged.connect(self._show_places)

    def show_frame(self, frame: Frame) -> None:
        """Show the frame's listing, and where its cores are."""
        self._scene = frame.scene
        listing = frame.scene.listing if frame.scene else None
        self.head(f"{self.title}: {listing.title if listing else 'no code to show yet'}")
        if self.model.show(frame.scene):
            self._span()
            self._fit()
            self._address = None
        self._follow()
        self._show_places()
        self._show_detail()

    def show_selected(self, selected: Selected) -> None:
        """Scroll to the selected address; if it is not here, the next frame brings it."""
        del selected
        self._follow()

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        super().use_theme(theme)
        self._delegate.theme = theme
        self.places.use_theme(theme)
        self.table.viewport().update()

    def _wanted(self) -> int | None:
        """Return the address to show: the selected one, or the first site's."""
        if self.selection.now.address is not None:
            return self.selection.now.address
        return self._scene.sites[0].address if self._scene and self._scene.sites else None

    def _follow(self) -> None:
        wanted = self._wanted()
        line = None if wanted is None else self.model.line_of(wanted)
        if wanted == self._address or line is None:
            return
        self._address = wanted
        seen = line in self.table.in_view()
        self.table.put(line, _Hint.EnsureVisible if seen else _Hint.PositionAtCenter)
        self._show_above(line)
        self._show_detail()

    def _show_above(self, line: int) -> None:
        """Scroll so that the names that stand above an instruction can be seen, too."""
        first = line
        while first > 0 and self.model.shown[first - 1].line.kind != "instruction":
            first -= 1
        self.table.scrollTo(self.model.index(first, ADDRESS), _Hint.EnsureVisible)
        self.table.scrollTo(self.model.index(line, CORES), _Hint.EnsureVisible)

    def _choose(self, line: int) -> None:
        address = self.model.shown[line].line.row.address
        self._address = address
        self._show_above(line)
        self.selection.select_address(address)
        self._show_detail()

    def _jump(self, number: int) -> None:
        """Go to a core, also if its address is selected and only scrolled away."""
        if self._scene is None:
            return
        self._address = None
        self.selection.select_address(self._scene.cores[number].rip)
        self._follow()

    def _show_places(self) -> None:
        cores = self._scene.cores if self._scene else ()
        seen = self.table.in_view()
        self.places.show_places(
            tuple(
                Place(core.number, core.place, self.model.line_of(core.rip) in seen)
                for core in cores
            )
        )

    def _show_detail(self) -> None:
        """Say all of the current row, which the columns may have to cut."""
        row = self.table.currentIndex().row()
        text = ""
        if row >= 0:
            line = self.model.shown[row].line
            text = f"{line.name}:  {line.row.code.hex(' ')}   {line.row.text}"
        self.detail.show_text(text)

    def _make_room(self) -> None:
        """Make room for a line of the detail, so that the table keeps its height."""
        self.detail.setMinimumHeight(QFontMetrics(mono()).lineSpacing())

    def _span(self) -> None:
        """Give what stands above an instruction the width of the table."""
        self.table.clearSpans()
        columns = self.model.columnCount() - ADDRESS
        for number, shown in enumerate(self.model.shown):
            if shown.line.kind != "instruction":
                self.table.setSpan(number, ADDRESS, 1, columns)

    def _refit(self) -> None:
        """Follow the size of the table; the current row stays in view."""
        self._fit()
        if self.table.currentIndex().isValid():
            self._show_above(self.table.currentIndex().row())
        self._show_places()

    def _fit(self) -> None:
        """Make each column as wide as what it has to show; but bytes make room for the text."""
        metrics = QFontMetrics(mono())
        lines = [shown.line for shown in self.model.shown if shown.line.kind == "instruction"]
        height = self.table.verticalHeader().defaultSectionSize()
        header = self.table.horizontalHeader()
        offset = max((metrics.horizontalAdvance(line.offset) for line in lines), default=0)
        text = max((metrics.horizontalAdvance(line.row.text) for line in lines), default=0)
        size = max((min(len(line.row.code), MANY_BYTES + 1) for line in lines), default=0)
        byte = metrics.horizontalAdvance("00 ")
        for column, width in (
            (CORES, int(slot(max(self.model.cores, 1) - 1, height).right()) + 2),
            (ADDRESS, offset),
        ):
            named = header.sectionSizeHint(column)
            self.table.setColumnWidth(column, max(width + 2 * PADDING, named))
        rest = self.table.viewport().width() - header.sectionPosition(BYTES)
        room = rest - text - 5 * PADDING
        self.table.setColumnWidth(
            BYTES, min(max(room, FEW_BYTES * byte), size * byte) + 2 * PADDING
        )

    # Names below are Qt's.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the rows what room there is."""
        super().resizeEvent(event)
        self.detail.setVisible(self.height() > _LOW * QFontMetrics(self.font()).lineSpacing())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._make_room()
            self._fit()
