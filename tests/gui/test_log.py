"""The log: any number of rows, none read before it is seen; filters; the position is marked."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from gui.log.model import AT_ONCE, CORE, EVERYTHING, Filter, in_ms
from gui.log.view import LogPanel
from gui.selection import Selection
from gui.theme import DARK, LIGHT
from tests.gui.frames import Line, Log, a_frame


class LogOfCores(Log):
    """One in which the patcher does nothing."""

    def line(self, index: int) -> Line:
        return replace(super().line(index), core=1)


def a_panel(qtbot: QtBot, log: Log, position: int) -> LogPanel:
    panel = LogPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.resize(700, 300)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show_frame(a_frame(log=log, position=position))
    return panel


def current(panel: LogPanel) -> int:
    """Return the number of the line that is the current one."""
    return panel.model.line(panel.table.currentIndex().row()).time // 1000


def searched(qtbot: QtBot, panel: LogPanel) -> None:
    qtbot.waitUntil(lambda: panel.model.unread == 0)


def test_the_model_is_a_model(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    panel = a_panel(qtbot, Log(50), 10_000)
    qtmodeltester.check(panel.model)  # type: ignore[no-untyped-call]


def test_a_million_rows_are_not_read(qtbot: QtBot) -> None:
    log = Log(1_000_000)
    panel = a_panel(qtbot, log, 500_000_000)
    panel.grab()
    assert panel.model.rowCount() == 1_000_000
    assert log.read < 2000
    before = log.read
    panel.show_frame(a_frame(log=log, position=500_000_000))
    assert log.read - before < 100
    panel.table.verticalScrollBar().setValue(700_000)
    panel.grab()
    assert log.read - before < 2000


def test_rows_that_are_added_come_in_one_batch(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(100), 0)
    batches: list[tuple[int, int]] = []
    panel.model.rowsInserted.connect(lambda _parent, first, last: batches.append((first, last)))
    resets: list[int] = []
    panel.model.modelReset.connect(lambda: resets.append(1))
    panel.show_frame(a_frame(log=Log(5000), position=0))
    panel.show_frame(a_frame(log=Log(5000), position=0))
    assert batches == [(100, 4999)]
    assert not resets


def test_another_run_is_another_log(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(100), 0)
    panel.show_frame(a_frame(log=Log(200, "other "), position=0))
    assert panel.model.index(150, 3).data().startswith("other event 150")
    panel.show_frame(a_frame(log=Log(20, "other "), position=0))
    assert panel.model.rowCount() == 20
    panel.show_frame(a_frame(log=None, position=0))
    assert panel.model.rowCount() == 0
    panel.grab()


def test_the_row_at_the_position_is_marked_and_in_view(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 500_999)
    assert panel.model.index(500, 0).data() == "0.500000, now"
    assert panel.model.index(499, 0).data() == "0.499000"
    assert 500 in panel.table.in_view()
    panel.show_frame(a_frame(log=Log(1000), position=20_000))
    assert panel.table.currentIndex().row() == 20
    assert 20 in panel.table.in_view()
    assert panel.detail.text().startswith("0.020000 ms, patcher, switch: event 20 ")
    panel.show_frame(a_frame(log=Log(1000), position=-1))
    assert panel.table.currentIndex().row() == -1


def test_scrolling_is_not_disturbed_while_the_position_stays(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 500_000)
    panel.table.verticalScrollBar().setValue(3)
    panel.show_frame(a_frame(log=Log(1000), position=500_000))
    assert panel.table.verticalScrollBar().value() == 3


def test_cores_have_room_for_the_word_patcher_only_where_one_patches(qtbot: QtBot) -> None:
    panel, other = a_panel(qtbot, LogOfCores(50), 20_000), a_panel(qtbot, Log(50), 20_000)
    narrow = panel.table.columnWidth(CORE)
    assert narrow < other.table.columnWidth(CORE)
    panel.show_frame(a_frame(log=Log(200, "other "), position=40_000))
    panel.grab()
    panel.show_frame(a_frame(log=Log(200, "other "), position=41_000))
    assert panel.table.columnWidth(CORE) == other.table.columnWidth(CORE)


def test_a_row_that_is_selected_selects_its_time(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 500_000)
    QTest.keyClick(panel.table, Qt.Key.Key_Up)
    assert panel.selection.now.time == 499_000
    QTest.keyClick(panel.table, Qt.Key.Key_Home)
    assert panel.selection.now.time == 0
    box = panel.table.visualRect(panel.model.index(4, 3))
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert panel.selection.now.time == 4000


def test_a_row_that_was_chosen_stays_when_the_player_stops_near_it(qtbot: QtBot) -> None:
    """A player need not be able to stand at every time; Up has to get past that."""
    panel = a_panel(qtbot, Log(1000), 500_000)
    QTest.keyClick(panel.table, Qt.Key.Key_Up)
    panel.show_frame(a_frame(log=Log(1000), position=503_000))
    assert current(panel) == 499
    panel.show_frame(a_frame(log=Log(1000), position=504_000))  # this was not for the row
    assert current(panel) == 504


def test_c_and_k_filter_like_the_current_row_and_esc_ends_it(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 502_000)
    QTest.keyClick(panel.table, Qt.Key.Key_C)
    searched(qtbot, panel)
    assert panel.model.filter == Filter(core=1)
    assert panel.cores.currentText() == "core 1"
    assert [panel.model.line(row).time for row in range(3)] == [2000, 7000, 12_000]
    assert panel.model.rowCount() == 200
    assert current(panel) == 502
    QTest.keyClick(panel.table, Qt.Key.Key_C)
    assert panel.model.filter == EVERYTHING
    assert panel.model.rowCount() == 1000
    assert current(panel) == 502
    QTest.keyClick(panel.table, Qt.Key.Key_K)
    searched(qtbot, panel)
    assert panel.model.filter == Filter(kind="IPI")
    assert panel.kinds.currentText() == "IPI"
    QTest.keyClick(panel.table, Qt.Key.Key_Escape)
    assert panel.model.filter == EVERYTHING
    assert panel.kinds.currentText() == "all kinds"


def test_the_boxes_filter_too(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 502_000)
    panel.activateWindow()  # no window manager does it on Xvfb
    panel.kinds.setFocus()
    qtbot.waitUntil(panel.kinds.hasFocus)
    QTest.keyClick(panel.kinds, Qt.Key.Key_Down)
    searched(qtbot, panel)
    assert panel.kinds.currentText() == "IPI"
    assert {panel.model.line(row).kind for row in range(panel.model.rowCount())} == {"IPI"}
    assert panel.model.rowCount() == 200
    assert panel.found.text() == "200 events"


def test_a_search_is_done_in_parts_and_goes_on_with_new_rows(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(3 * AT_ONCE), 0)
    panel.use_filter(Filter(core=-1))
    assert panel.model.rowCount() == 0
    panel.model.search()
    assert panel.model.unread == 2 * AT_ONCE
    assert panel.model.rowCount() == -(-AT_ONCE // 5)
    searched(qtbot, panel)
    panel.show_frame(a_frame(log=Log(4 * AT_ONCE), position=0))
    searched(qtbot, panel)
    assert panel.model.rowCount() == -(-4 * AT_ONCE // 5)
    rows = [panel.model.line(row).time for row in range(panel.model.rowCount())]
    assert rows == list(range(0, 4 * AT_ONCE * 1000, 5000))


def test_a_filtered_row_is_marked_where_the_position_is(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 503_000)
    panel.use_filter(Filter(core=-1))
    searched(qtbot, panel)
    assert panel.model.line(panel.model.marked).time == 500_000
    assert panel.table.currentIndex().row() == panel.model.marked


def test_every_kind_of_what_has_been_read_can_be_chosen(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(1000), 0)
    kinds = {panel.kinds.itemText(index) for index in range(panel.kinds.count())}
    assert kinds == {"all kinds", "switch", "interrupt", "IPI", "int3 trap", "store"}


def test_times_are_exact() -> None:
    assert in_ms(0) == "0.000000"
    assert in_ms(8_832_104) == "8.832104"


def test_text_is_not_markup(qtbot: QtBot) -> None:
    panel = a_panel(qtbot, Log(10), 3000)
    assert panel.detail.textFormat() == Qt.TextFormat.PlainText
    assert panel.detail.text().endswith("event 3 of <b>int3 trap</b>")
    panel.use_theme(DARK)
    panel.grab()
