"""The listing: a fixed slot for each core, the selection both ways, only changes are painted."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from emu.scene.listing import Listing
from emu.scene.scene import Scene
from gui.listing.delegate import ListingDelegate, slot
from gui.listing.lines import lines_of
from gui.listing.model import ADDRESS, BYTES, CORES, TEXT
from gui.listing.view import ListingPanel
from gui.rows import Index
from gui.selection import Selection
from gui.theme import DARK, LIGHT
from tests.gui.frames import AWAY, BEGIN, SITE, a_frame, a_listing, a_scene, code


def a_panel(qtbot: QtBot, scene: Scene | None = None, *, cores: int = 4) -> ListingPanel:
    panel = ListingPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.resize(700, 400)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show_frame(a_frame(cores, scene))
    return panel


def moved(scene: Scene, core: int, address: int) -> Scene:
    cores = list(scene.cores)
    cores[core] = replace(cores[core], rip=address)
    return replace(scene, cores=tuple(cores))


def current(panel: ListingPanel) -> int:
    return panel.model.shown[panel.table.currentIndex().row()].line.row.address


def buttons(panel: ListingPanel) -> list[QToolButton]:
    return [each for each in panel.places.findChildren(QToolButton) if each.isVisible()]


def test_names_and_sources_stand_above_their_instruction() -> None:
    lines = lines_of(a_listing(12))
    assert [line.kind for line in lines[:4]] == ["symbol", "source", "instruction", "instruction"]
    assert lines[0].text == "vfs_read:"
    assert lines[1].text.startswith("vfs.c:120  ssize_t vfs_read(")
    assert (lines[3].offset, lines[3].name) == ("+0x4", "vfs_read+0x4")


def test_an_address_without_a_symbol_is_hexadecimal() -> None:
    (line,) = lines_of(Listing("?", (code(0x81000010, 1, "nop"),)))
    assert line.offset == line.name == "0x81000010"


def test_the_slot_of_a_core_is_the_same_in_every_line(qtbot: QtBot) -> None:
    """Wherever core 1 stands, it is at the same x; and no two cores share a slot."""
    panel = a_panel(qtbot)
    scene = a_scene()
    colour = QColor(LIGHT.cores[1])

    def columns_of_core_1(address: int) -> set[int]:
        panel.show_frame(a_frame(scene=moved(scene, 1, address)))
        image = QImage(panel.table.viewport().grab().toImage())
        width = panel.table.columnWidth(CORES)
        return {
            x for x in range(width) for y in range(image.height())
            if image.pixelColor(x, y) == colour
        }  # fmt: skip

    places = [columns_of_core_1(scene.listing.rows[n].address) for n in (1, 3, 4)]  # type: ignore[union-attr]
    assert places[0]
    assert places[0] == places[1] == places[2]
    slots = [slot(core, 18.0) for core in range(8)]
    assert not any(a.intersects(b) for a in slots for b in slots if a != b)


def test_only_lines_that_changed_are_painted(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = a_panel(qtbot)
    scene = a_scene()
    panel.show_frame(a_frame(scene=scene))
    QApplication.processEvents()
    painted: list[int] = []
    paint = ListingDelegate.paint_content

    def noted(self: ListingDelegate, painter: QPainter, box: QRectF, index: Index) -> None:
        painted.append(index.row())
        paint(self, painter, box, index)

    monkeypatch.setattr(ListingDelegate, "paint_content", noted)
    panel.show_frame(a_frame(scene=scene))
    QApplication.processEvents()
    assert not painted
    rows = a_listing().rows
    there, here = panel.model.line_of(rows[5].address), panel.model.line_of(rows[4].address)
    panel.show_frame(a_frame(scene=moved(scene, 2, rows[4].address)))
    QApplication.processEvents()
    assert {there, here} <= set(painted)
    assert len(set(painted)) <= 4  # Qt may paint a neighbour whose edge it touches
    assert len(painted) <= 4 * len(set(painted))


def test_changed_bytes_are_shown_without_scrolling(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    scene = a_scene()
    panel.table.verticalScrollBar().setValue(20)
    rows = list(a_listing().rows)
    rows[1] = replace(rows[1], code=bytes.fromhex("e8 b7 e3 06 1f"), text="call trampoline")
    panel.show_frame(a_frame(scene=replace(scene, listing=Listing("vfs_read", tuple(rows)))))
    line = panel.model.line_of(SITE)
    assert line is not None
    assert panel.model.index(line, BYTES).data() == "e8 b7 e3 06 1f"
    assert panel.model.index(line, TEXT).data() == "call trampoline"
    assert panel.table.verticalScrollBar().value() == 20
    assert "e8 b7 e3 06 1f" in panel.detail.text()


def test_at_first_the_site_is_selected(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    assert current(panel) == SITE
    assert panel.selection.now.address is None


def test_it_follows_the_selected_address(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    row = a_listing().rows[50]
    panel.selection.select_address(row.address + 1)  # inside the instruction
    assert current(panel) == row.address
    assert panel.selection.now.address == row.address + 1
    assert panel.table.currentIndex().row() in panel.table.in_view()
    assert row.text in panel.detail.text()


def test_an_address_that_is_elsewhere_is_shown_when_it_comes(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    panel.selection.select_address(AWAY)
    assert current(panel) == SITE
    other = replace(code(AWAY, 2, "hlt"), symbol="idle")
    panel.show_frame(a_frame(scene=a_scene_of(other)))
    assert current(panel) == AWAY


def a_scene_of(*rows: object) -> Scene:
    return replace(a_scene(), listing=Listing("idle", rows))  # type: ignore[arg-type]


def test_keys_select_instructions_and_skip_what_stands_above(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    rows = a_listing().rows
    QTest.keyClick(panel.table, Qt.Key.Key_Down)  # over a source line
    assert panel.selection.now.address == rows[2].address
    QTest.keyClick(panel.table, Qt.Key.Key_Up)
    assert panel.selection.now.address == SITE
    QTest.keyClick(panel.table, Qt.Key.Key_End)
    assert panel.selection.now.address == rows[-1].address
    QTest.keyClick(panel.table, Qt.Key.Key_Home)
    assert panel.selection.now.address == BEGIN
    assert panel.table.rowAt(0) == 0  # the name above it is in view, too
    QTest.keyClick(panel.table, Qt.Key.Key_PageDown)
    assert (panel.selection.now.address or 0) > SITE


def test_a_click_selects_the_address(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    line = panel.model.line_of(a_listing().rows[3].address)
    assert line is not None
    box = panel.table.visualRect(panel.model.index(line, TEXT))
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert panel.selection.now.address == a_listing().rows[3].address


def test_cores_that_are_not_in_view_are_named_and_a_click_goes_there(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    names = [button.accessibleName() for button in buttons(panel)]
    assert names[0] == "core 0, cmdline_proc_show+0x1a, not in view: go there"
    assert names[1] == "core 1, vfs_read+0x4, in view: go there"
    panel.table.verticalScrollBar().setValue(panel.table.verticalScrollBar().maximum())
    assert "not in view" in buttons(panel)[1].accessibleName()
    QTest.mouseClick(buttons(panel)[1], Qt.MouseButton.LeftButton)
    assert panel.selection.now.address == SITE
    assert ", in view" in buttons(panel)[1].accessibleName()
    QTest.keyClick(buttons(panel)[0], Qt.Key.Key_Space)
    assert panel.selection.now.address == AWAY


def test_a_jump_goes_back_to_the_selected_address(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    panel.selection.select_address(SITE)
    panel.table.verticalScrollBar().setValue(panel.table.verticalScrollBar().maximum())
    QTest.mouseClick(buttons(panel)[1], Qt.MouseButton.LeftButton)
    assert ", in view" in buttons(panel)[1].accessibleName()


@pytest.mark.parametrize("cores", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("width", [200, 500, 1200])
def test_the_places_of_all_cores_fit(qtbot: QtBot, cores: int, width: int) -> None:
    panel = a_panel(qtbot, cores=cores)
    panel.resize(width, 400)
    boxes = [QRectF(button.geometry()) for button in buttons(panel)]
    assert len(boxes) == cores
    assert not any(a.intersects(b) for a in boxes for b in boxes if a is not b)
    assert all(QRectF(panel.places.rect()).contains(box) for box in boxes)


def test_another_number_of_cores_and_no_scene_at_all(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, cores=8)
    panel.show_frame(a_frame(2))
    assert len(buttons(panel)) == 2
    panel.show_frame(replace(a_frame(), scene=None))
    assert panel.model.rowCount() == 0
    assert panel.heading == "Listing: no code to show yet"
    panel.use_theme(DARK)
    panel.grab()


def test_screen_readers_get_every_cell_in_full(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    line = panel.model.line_of(SITE)
    assert line is not None
    row = [panel.model.index(line, column).data() for column in range(4)]
    assert row == ["core 1", "vfs_read+0x4", "cc b7 e3 06 1f", "int3"]
    assert panel.model.index(0, ADDRESS).data() == "vfs_read:"


def test_the_bytes_of_a_site_are_told_by_their_version(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    line = panel.model.line_of(SITE)
    assert line is not None
    index = panel.model.index(line, BYTES)
    told = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.startswith("cc: int3; b7: new; e3: new")
    image = panel.table.viewport().grab(panel.table.visualRect(index)).toImage()
    colours = {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }
    assert {LIGHT.int3, LIGHT.new} <= colours


def test_it_follows_the_font(qtbot: QtBot) -> None:
    panel = a_panel(qtbot)
    widths = [panel.table.columnWidth(column) for column in range(3)]
    height = panel.table.rowHeight(0)
    before = QApplication.font()
    larger = QFont(before)
    larger.setPointSizeF(before.pointSizeF() * 2)
    QApplication.setFont(larger)
    try:
        QApplication.processEvents()
        assert panel.table.rowHeight(0) >= 1.7 * height
        assert panel.table.columnWidth(CORES) >= 1.6 * widths[CORES]
        assert panel.table.columnWidth(ADDRESS) >= 1.5 * widths[ADDRESS]
    finally:
        QApplication.setFont(before)
