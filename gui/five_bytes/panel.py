"""The five bytes: a site in memory, and as each core would fetch it."""

from collections import Counter
from typing import Final

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout

from emu.scene.scene import Scene, Site
from gui.five_bytes.legend import Legend
from gui.five_bytes.model import BytesModel, rows_of
from gui.five_bytes.table import BytesTable
from gui.frame import Frame
from gui.label import FittedLabel
from gui.panel import Panel
from gui.selection import Selected, Selection
from gui.theme import Theme

FLASH_MS: Final = 180
"""How long a changed byte is marked."""

_COUNTS: Final = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


class FiveBytesPanel(Panel):
    """The change, a legend, and the table. Of several sites, the selected one.

    Attributes:
        flash: runs while changed bytes are marked.
    """

    title = "The five bytes"

    def __init__(self, theme: Theme, selection: Selection) -> None:
        super().__init__(theme, selection)
        self._scene: Scene | None = None
        self._shown: tuple[tuple[str, int], ...] = ()
        self.change = FittedLabel()
        self.sites = QComboBox()
        self.sites.setAccessibleName("Site")
        self.sites.activated.connect(self._pick_site)
        self.legend = Legend(theme)
        self.model = BytesModel()
        self.table = BytesTable(theme, self.model)
        self.table.core_picked.connect(selection.select_core)
        self.flash = QTimer(self)
        self.flash.setSingleShot(True)
        self.flash.setInterval(FLASH_MS)
        self.flash.timeout.connect(self.model.forget)
        self._lay_out()
        self.use_theme(theme)
        self._show_site()

    def show_frame(self, frame: Frame) -> None:
        """Show the bytes of the frame's scene."""
        if frame.scene is not self._scene:
            self._scene = frame.scene
            self._show_site()

    def show_selected(self, selected: Selected) -> None:
        """Show the site at the selected address, and mark the row of the selected core."""
        site = self._index()
        if site is not None and self._sites()[site] != self.model.site:
            self._show_site()
        self.table.follow(selected.core)

    def use_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        super().use_theme(theme)
        self.change.colour(theme.ink)
        self.legend.theme = theme
        self.legend.update()
        self.table.use_theme(theme)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the application's font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.table.share()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.change, 1)
        top.addWidget(self.sites)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self.legend)
        layout.addWidget(self.table, 1)

    def _sites(self) -> tuple[Site, ...]:
        return self._scene.sites if self._scene else ()

    def _index(self) -> int | None:
        """Return which site to show: at the selected address, else the one shown, else the first.

        None if there is no site.
        """
        sites, address = self._sites(), self.selection.now.address
        if not sites:
            return None
        shown = self.model.site.address if self.model.site and address is not None else None
        for index, site in enumerate(sites):
            if address is not None and site.address <= address < site.address + len(site.memory):
                return index
        return next((n for n, site in enumerate(sites) if site.address == shown), 0)

    def _show_site(self) -> None:
        index = self._index()
        for widget in (self.legend, self.table):
            widget.setVisible(index is not None)
        self._list_sites(index)
        if self._scene is None or index is None:
            self.head(self.title)
            self.change.show_text(
                "The kernel is not up yet."
                if self._scene is None
                else "No site has been patched yet, and none is being patched."
            )
            self.model.show_site(None, ())
            return
        site = self._scene.sites[index]
        count = _COUNTS.get(len(site.memory), str(len(site.memory)))
        self.head(f"The {count} bytes at {site.function}")
        self.change.show_text(_change(site))
        self.table.setAccessibleName(f"{self.heading}: {self.change.full}")
        changed = self.model.show_site(site, rows_of(self._scene, index))
        self.table.share()
        self.table.follow(self.selection.now.core)
        if changed:
            self.flash.start()

    def _list_sites(self, index: int | None) -> None:
        names = tuple((site.function, site.address) for site in self._sites())
        if names != self._shown:
            self._shown = names
            self.sites.clear()
            same = Counter(function for function, _ in names)
            self.sites.addItems(
                [f"{name} at {at:#x}" if same[name] > 1 else name for name, at in names]
            )
        self.sites.setVisible(len(names) > 1)
        if index is not None:
            self.sites.setCurrentIndex(index)

    def _pick_site(self, index: int) -> None:
        self.selection.select_address(self._sites()[index].address)


def _change(site: Site) -> str:
    """Return what becomes of the instruction, in words."""
    if site.old_text and site.new_text:
        return f"{site.old_text} becomes {site.new_text}"
    return f"{site.old.hex(' ')} becomes {site.new.hex(' ')}"
