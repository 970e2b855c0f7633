from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from emu.scene.scene import Scene
from gui.five_bytes.panel import FLASH_MS, FiveBytesPanel
from gui.selection import Selection
from gui.theme import DARK, LIGHT
from tests.gui import scenes
from tests.gui.fonts import LargeFont, large_font

__all__ = ["large_font"]

WORDS = Qt.ItemDataRole.AccessibleTextRole


def _shown(qtbot: QtBot, scene: Scene | None, size: tuple[int, int] = (620, 260)) -> FiveBytesPanel:
    panel = FiveBytesPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show_frame(scenes.frame(scene))
    panel.show()
    return panel


def _texts(panel: FiveBytesPanel, row: int) -> list[str]:
    model = panel.model
    return [str(model.index(row, column).data()) for column in range(model.columnCount())]


def _two_sites() -> Scene:
    """Two sites: the second has two bytes."""
    scene = scenes.scene()
    old, new = bytes.fromhex("6690"), bytes.fromhex("eb10")
    short = scenes.code("66 90", "66 90", old, new)
    other = replace(
        scene.sites[0], function="do_sync", address=0x1000, old=old, new=new, memory=short,
        decoded="nop", old_text="nop", new_text="jmp 0x1012",
    )  # fmt: skip
    cores = tuple(
        replace(core, sites=(*core.sites, short), decoded=(*core.decoded, "nop"))
        for core in scene.cores
    )
    return replace(scene, sites=(*scene.sites, other), cores=cores)


def test_sites_of_the_same_name_are_told_apart(qtbot: QtBot) -> None:
    scene = _two_sites()
    same = replace(scene.sites[1], function=scene.sites[0].function)
    panel = _shown(qtbot, replace(scene, sites=(scene.sites[0], same)))
    assert panel.sites.itemText(1) == f"{same.function} at 0x1000"


def _image(panel: FiveBytesPanel) -> QImage:
    return panel.table.viewport().grab().toImage()


@pytest.mark.parametrize("cores", range(1, 9))
def test_memory_and_every_core_have_a_row(qtbot: QtBot, cores: int) -> None:
    panel = _shown(qtbot, scenes.scene(cores, behind=(2,)), (620, 330))
    assert panel.model.rowCount() == cores + 1
    assert _texts(panel, 0) == [
        "Memory", "cc", "b7", "e3", "06", "1f", "int3", "what is stored",
    ]  # fmt: skip
    assert _texts(panel, 1)[0] == "core 0 reader/7"
    assert panel.table.verticalScrollBar().maximum() == 0  # all of them are in view


@pytest.mark.parametrize("size", [(420, 230), (560, 260), (620, 330), (1100, 600)])
def test_the_columns_share_the_width_and_bytes_can_be_read(
    qtbot: QtBot, size: tuple[int, int]
) -> None:
    panel = _shown(qtbot, scenes.scene(8), size)
    table = panel.table
    widths = [table.columnWidth(column) for column in range(panel.model.columnCount())]
    assert sum(widths) == table.viewport().width()
    byte = table.fontMetrics().horizontalAdvance("cc")
    assert all(width >= byte + 8 for width in widths[1:6])
    assert min(widths) > 0


def test_a_core_that_is_behind_says_what_it_waits_for_and_what_memory_holds(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    assert _texts(panel, 2)[-1] == "✓ yes"
    assert _texts(panel, 3)[-1] == "⚠ no: IPI on its way"
    assert _texts(panel, 4)[-1] == "⚠ no: interrupts off"
    assert panel.model.index(3, 2).data(WORDS) == "1f: old; stale: memory holds b7"
    assert panel.model.index(0, 1).data(WORDS) == "cc: int3"


def test_the_heading_says_how_many_bytes_and_what_becomes_of_them(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    assert panel.heading == "The five bytes at vfs_read"
    assert panel.change.full == "nop dword ptr [rax + rax] becomes call 0xffffffffa0012000"
    assert panel.sites.isHidden()
    assert panel.heading in panel.table.accessibleName()


def test_of_several_sites_the_selected_address_is_shown(qtbot: QtBot) -> None:
    panel = _shown(qtbot, _two_sites())
    assert not panel.sites.isHidden()
    panel.selection.select_address(0x1001)
    assert panel.heading == "The two bytes at do_sync"
    assert panel.model.columnCount() == 2 + 3
    assert panel.sites.currentText() == "do_sync"
    panel.selection.select_address(0x9999)  # nothing is there: stay
    assert panel.heading == "The two bytes at do_sync"
    panel.selection.select_address(scenes.SITE + 4)
    assert panel.heading == "The five bytes at vfs_read"


def test_another_site_is_reached_by_key(qtbot: QtBot) -> None:
    panel = _shown(qtbot, _two_sites())
    QTest.keyClick(panel.sites, Qt.Key.Key_Down)
    assert panel.selection.now.address == 0x1000
    assert panel.heading == "The two bytes at do_sync"


def test_mouse_and_keys_select_a_core(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    table = panel.table
    place = table.visualRect(panel.model.index(2, 3)).center()
    QTest.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
    )
    assert panel.selection.now.core == 1
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert panel.selection.now.core == 2
    for _ in range(3):
        QTest.keyClick(table, Qt.Key.Key_Up)
    assert panel.selection.now.core is None


def test_the_selected_core_is_marked_and_stays_so(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    panel.selection.select_core(3)
    rows = panel.table.selectionModel().selectedRows()
    assert [index.row() for index in rows] == [4]
    panel.show_frame(scenes.frame(scenes.scene(8), 2))  # the table is made anew
    rows = panel.table.selectionModel().selectedRows()
    assert [index.row() for index in rows] == [4]
    assert panel.selection.now.core == 3


def test_changed_bytes_flash_once_and_only_those(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene(memory="cc 1f 44 00 00", behind=()))
    quiet = _image(panel)
    assert not panel.model.fresh
    panel.show_frame(scenes.frame(scenes.scene(memory="cc b7 e3 06 1f", behind=(1, 2, 3)), 2))
    memory_and_core_0 = {(row, byte) for row in (0, 1) for byte in (1, 2, 3, 4)}
    # What memory holds behind a stale byte has changed for the others: they show it, too.
    assert memory_and_core_0 <= panel.model.fresh
    assert not {(row, 0) for row in range(5)} & panel.model.fresh
    flash = panel.flash
    assert flash.isActive()
    assert flash.isSingleShot()
    assert flash.interval() == FLASH_MS <= 200
    bright = _image(panel)
    flash.timeout.emit()
    assert not panel.model.fresh
    assert _image(panel) not in (bright, quiet)


def test_an_equal_scene_repaints_nothing(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    with (
        qtbot.assertNotEmitted(panel.model.dataChanged),
        qtbot.assertNotEmitted(panel.model.modelReset),
    ):
        panel.show_frame(scenes.frame(scenes.scene(), 2))


def test_what_looks_as_before_is_not_painted_again(qtbot: QtBot) -> None:
    before = scenes.scene()
    panel, cells = _shown(qtbot, before), set[tuple[int, int]]()
    panel.model.dataChanged.connect(lambda cell, _: cells.add((cell.row(), cell.column())))
    core = replace(before.cores[1], task="another", activity="runs")
    after = replace(before, cores=(before.cores[0], core, *before.cores[2:]))
    panel.show_frame(scenes.frame(after, 2))
    assert cells == {(2, 0)}
    cells.clear()
    sites = (replace(after.sites[0], decoded="otherwise"),)
    panel.show_frame(scenes.frame(replace(after, sites=sites), 3))
    decoded = panel.model.width + 1
    assert cells == {(row, decoded) for row in range(len(panel.model.rows))}  # bold by memory's


def test_without_a_site_the_panel_says_why(qtbot: QtBot) -> None:
    panel = _shown(qtbot, None)
    assert panel.change.full == "The kernel is not up yet."
    assert panel.table.isHidden()
    panel.show_frame(scenes.frame(replace(scenes.scene(), sites=(), cores=()), 2))
    assert "No site" in panel.change.full
    panel.show_frame(scenes.frame(scenes.scene(), 3))
    assert not panel.table.isHidden()


def test_another_theme_reaches_the_cells(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    before = _image(panel)
    panel.use_theme(DARK)
    assert _image(panel) != before


def test_a_larger_font_of_the_application_is_followed(qtbot: QtBot, large_font: LargeFont) -> None:
    panel = _shown(qtbot, scenes.scene(8), (1400, 600))
    header = panel.table.verticalHeader()
    width = panel.table.columnWidth(0)
    with large_font():
        assert panel.table.columnWidth(0) > width
        assert header.defaultSectionSize() > panel.table.fontMetrics().lineSpacing()


def test_memory_and_four_cores_are_in_view_in_the_least_height(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.scene())
    panel.resize(620, panel.minimumSizeHint().height())
    QApplication.processEvents()
    assert panel.table.verticalScrollBar().maximum() == 0
