"""The timeline panel: what it shows, what it asks for, and when it paints."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from emu.scene.lanes import Band, Kind, Lanes, Left
from gui.frame import Frame, State
from gui.selection import Selection
from gui.theme import DARK, LIGHT, THEMES, Theme
from gui.timeline.interval import Interval
from gui.timeline.panel import TimelinePanel
from gui.timeline.sheet import Sheet
from tests.gui.timeline.synthetic import PHASES, lane, lanes, many, story

PAGE = 1_000_000


def frame(
    made: Lanes | None, position: int, state: State = "paused", edge: int | None = None
) -> Frame:
    end = 0 if made is None else made.end
    return Frame(1, state, None, position, end if edge is None else edge, made, "")


@pytest.fixture
def panel(qtbot: QtBot) -> TimelinePanel:
    """An empty panel on the (offscreen) screen."""
    made = TimelinePanel(LIGHT, Selection())
    qtbot.addWidget(made)
    made.resize(1_280, 260)
    made.show()
    qtbot.waitExposed(made)
    return made


def picture(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def sheet(panel: TimelinePanel) -> Sheet:
    return panel.view._sheet()


def point(panel: TimelinePanel, time: int, core: int) -> QPoint:
    """The middle of a core's box at a time."""
    where = sheet(panel)
    return QPoint(round(where.x(time)), int(where.lanes[core].box.middle))


def look(panel: TimelinePanel, begin: int, end: int) -> None:
    panel.view.interval_picked.emit(Interval(begin, end))


def colours(image: QImage, x: int, y: int, wide: int, high: int) -> set[str]:
    return {
        image.pixelColor(at, line).name()
        for at in range(max(x, 0), x + wide)
        for line in range(max(y, 0), y + high)
    }


class Paints(QObject):
    """Counts how often widgets are painted."""

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self.count = 0
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, _widget: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def settle() -> None:
    QApplication.sendPostedEvents()
    QApplication.processEvents()


# What is painted


def test_one_int3_among_a_million_ticks_is_seen_from_far_away(panel: TimelinePanel) -> None:
    each = 1_000_000
    kinds = np.full(each, Kind.TICK, dtype=np.uint8)
    plain = replace(
        lane(), time=np.arange(each, dtype=np.int64) * 1_000, kind=kinds, event=np.arange(each)
    )
    rare = replace(plain, kind=kinds.copy())
    rare.kind[400_000] = Kind.INT3
    found = []
    for core in (plain, rare):
        made = lanes(core, end=each * 1_000)
        panel.show_frame(frame(made, made.end))
        look(panel, 0, made.end)
        signs = sheet(panel).lanes[0].signs
        x = round(sheet(panel).x(400_000_000))
        found.append(LIGHT.int3 in colours(picture(panel.view), x - 2, signs.top, 4, signs.height))
        strip = colours(picture(panel.strip), x - 4, 4, 8, panel.strip.height() - 8)
        found.append(any(_is_amber(name) for name in strip))
    assert found == [False, False, True, True]


def _is_amber(name: str) -> bool:
    red, green, blue = (int(name[at : at + 2], 16) for at in (1, 3, 5))
    return red > 180 and green > 140 and blue < 110


@pytest.mark.parametrize("theme", list(THEMES.values()), ids=list(THEMES))
def test_how_a_slice_ended_is_told_without_colour(panel: TimelinePanel, theme: Theme) -> None:
    panel.use_theme(theme)
    drawn = []
    for left in (Left.PREEMPTED, Left.YIELDED, Left.BLOCKED):
        made = lanes(lane([(0, 1, left), (500_000, 2, Left.NOT_YET)]), end=PAGE)
        panel.show_frame(frame(made, PAGE))
        look(panel, 0, PAGE)
        where, box = sheet(panel), sheet(panel).lanes[0].box
        x = int(where.x(500_000)) - where.sign - 2
        image = picture(panel.view).copy(x, box.top, where.sign, box.height)
        drawn.append(image.convertToFormat(QImage.Format.Format_Grayscale8))
    for one in range(3):
        for other in range(one):
            differing = sum(
                abs(drawn[one].pixelColor(x, y).red() - drawn[other].pixelColor(x, y).red()) > 60
                for x in range(drawn[one].width())
                for y in range(drawn[one].height())
            )
            assert differing >= 12


def test_an_idle_core_has_no_box_and_a_core_nobody_describes_has_a_line(
    panel: TimelinePanel,
) -> None:
    made = lanes(lane([(0, 0, Left.NOT_YET)]), lane([(0, 1, Left.NOT_YET)]), lane(), end=PAGE)
    panel.show_frame(frame(made, PAGE))
    image = picture(panel.view)
    seen = []
    for core in range(3):
        at = point(panel, 777_000, core)
        seen.append(colours(image, at.x(), sheet(panel).lanes[core].box.top, 1, 20))
    assert not seen[0] & set(LIGHT.cores)
    assert len(seen[1]) >= 2  # fill and border
    assert LIGHT.cores[2] in seen[2]


def test_the_present_phase_is_stronger(panel: TimelinePanel) -> None:
    made = lanes(
        lane(), end=PAGE, bands=[Band("int3", 0, 400_000, 1), Band("tail", 400_000, -1, 1)]
    )
    tints = []
    for position in (200_000, PAGE):
        panel.show_frame(frame(made, position))
        image, y = picture(panel.view), sheet(panel).names.bottom - 1
        tints.append(image.pixelColor(round(sheet(panel).x(150_000)), y).name())
    assert tints[0] == LIGHT.tint
    assert tints[1] not in {LIGHT.tint, LIGHT.panel}


def test_what_lies_behind_the_position_fades(panel: TimelinePanel) -> None:
    made = lanes(lane([(0, 1, Left.NOT_YET)]), end=PAGE)
    panel.show_frame(frame(made, 500_000))
    image, y = picture(panel.view), sheet(panel).lanes[0].box.bottom - 1
    before, behind = (
        image.pixelColor(round(sheet(panel).x(time)), y).lightness() for time in (400_000, 600_000)
    )
    assert behind > before + 40


def test_an_interrupt_on_its_way_is_hollow_until_it_is_taken(panel: TimelinePanel) -> None:
    taken = lane(instants=[(600_000, Kind.SYNC)])
    made = lanes(lane(), taken, end=PAGE, sent=[(300_000, 0, 1, 600_000)])
    heads = []
    for position in (599_999, 600_000):
        panel.show_frame(frame(made, position))
        where = sheet(panel)
        x, y = round(where.x(600_000)), int(where.lanes[1].signs.middle)
        # Left of the middle, beside the position's line.
        heads.append(colours(picture(panel.view), x - 4, y - 1, 2, 3))
    assert LIGHT.accent not in heads[0]
    assert LIGHT.accent in heads[1]


def test_where_arrows_crowd_their_lanes_are_still_told(panel: TimelinePanel) -> None:
    sent = [(at, 1, 2, at + 10) for at in range(400_000, 600_000, 100)]
    made = lanes(lane(), lane(), lane(), lane(), end=PAGE, sent=sent)
    panel.show_frame(frame(made, PAGE))
    image, where = picture(panel.view), sheet(panel)
    x, marked = round(where.x(512_345)), []  # no line of the ruler
    for upper, lower in pairwise(where.lanes):
        y = (upper.box.middle + lower.box.middle) // 2
        marked.append(image.pixelColor(x, int(y)).name() != LIGHT.panel)
    assert marked == [False, True, False]


def test_the_position_has_a_line_there_and_nowhere_else(panel: TimelinePanel) -> None:
    made = lanes(lane(), end=PAGE)
    for position in (250_000, 750_000):
        panel.show_frame(frame(made, position))
        image, where = picture(panel.view), sheet(panel)
        y = where.lanes[0].box.bottom
        xs = [x for x in range(where.left, 1_280) if image.pixelColor(x, y).name() == LIGHT.accent]
        assert xs
        assert all(abs(x - where.x(position)) <= 2 for x in xs)


@pytest.mark.parametrize("cores", range(1, 9))
def test_any_number_of_cores_fits_from_the_least_height_on(
    panel: TimelinePanel, cores: int
) -> None:
    panel.show_frame(frame(story(cores=cores), 8_832_120))
    panel.resize(1_280, panel.minimumSizeHint().height())
    where, text = sheet(panel), panel.fontMetrics().height()
    assert len(where.lanes) == cores
    assert where.bottom <= panel.view.height()
    assert all(each.box.height >= text - 4 for each in where.lanes)
    assert not picture(panel).isNull()


def test_empty_lanes_and_no_lanes_are_painted_in_both_themes(panel: TimelinePanel) -> None:
    for made in (None, lanes(end=0), lanes(lane(), begin=2**62, end=2**62), lanes(lane(), end=5)):
        panel.show_frame(frame(made, made.end if made else 0))
        for theme in (DARK, LIGHT):
            panel.use_theme(theme)
            assert not picture(panel).isNull()
        for key in "WSADNF.,":
            QTest.keyClicks(panel, key)


# When it is painted


def test_nothing_is_painted_when_nothing_that_is_seen_has_changed(panel: TimelinePanel) -> None:
    made = many(20_000, 4)
    panel.show_frame(frame(made, 200_000))
    look(panel, 100_000, 300_000)
    settle()
    paints = Paints(panel.view, panel.strip)
    longer = replace(made, end=made.end + 1)
    for each in (frame(made, 200_000), frame(replace(made), 200_000), frame(longer, 200_000)):
        panel.show_frame(replace(each, number=2))
    settle()
    assert paints.count == 0
    panel.show_frame(frame(made, 200_001))
    settle()
    assert paints.count > 0


def test_other_arrays_with_the_same_in_them_are_no_change(panel: TimelinePanel) -> None:
    panel.show_frame(frame(many(20_000, 4), 200_000))
    settle()
    paints = Paints(panel.view, panel.strip)
    panel.show_frame(frame(many(20_000, 4), 200_000))
    settle()
    assert paints.count == 0


def test_what_is_filled_in_later_is_painted(panel: TimelinePanel) -> None:
    core = lane([(0, 1, Left.NOT_YET)])
    made = lanes(core, core, end=PAGE, sent=[(300_000, 0, 1, -1)])
    panel.show_frame(frame(made, PAGE))
    settle()
    paints = Paints(panel.view)
    made.arrows.delivered[0] = 400_000
    panel.show_frame(frame(replace(made), PAGE))
    settle()
    assert paints.count == 1
    core.left[0] = Left.BLOCKED
    panel.show_frame(frame(replace(made), PAGE))
    settle()
    assert paints.count == 2


def test_moving_the_position_leaves_what_does_not_move(panel: TimelinePanel) -> None:
    made = many(20_000, 4)
    panel.show_frame(frame(made, 250_000))
    look(panel, 100_000, 300_000)
    picture(panel.view)
    still = panel.view._still
    panel.show_frame(frame(made, 251_000))
    picture(panel.view)
    assert panel.view._still is still
    look(panel, 100_001, 300_001)
    picture(panel.view)
    assert panel.view._still is not still


def test_the_strip_is_painted_anew_only_when_the_run_has_grown_by_a_pixel(
    panel: TimelinePanel,
) -> None:
    made = lanes(lane(), end=100 * PAGE)
    panel.show_frame(frame(made, 0))
    picture(panel.strip)
    still = panel.strip._still
    panel.show_frame(frame(replace(made, end=made.end + PAGE // 100), 0))
    picture(panel.strip)
    assert panel.strip._still is still
    panel.show_frame(frame(replace(made, end=made.end + PAGE), 0))
    picture(panel.strip)
    assert panel.strip._still is not still


# What it follows


def test_the_interval_follows_a_run_until_the_user_moves_it(panel: TimelinePanel) -> None:
    for end in (5 * PAGE, 6 * PAGE):
        panel.show_frame(frame(lanes(lane(), end=end), end, "running"))
        assert panel.interval == Interval(end - PAGE, end)
    look(panel, PAGE, 2 * PAGE)
    panel.show_frame(frame(lanes(lane(), end=7 * PAGE), 7 * PAGE, "running"))
    assert panel.interval == Interval(PAGE, 2 * PAGE)
    QTest.keyClick(panel, Qt.Key.Key_End)
    panel.show_frame(frame(lanes(lane(), end=8 * PAGE), 8 * PAGE, "running"))
    assert panel.interval.end == 8 * PAGE
    assert panel.selection.now.time is None  # looking at the end stops nothing


def test_a_step_out_of_the_interval_takes_it_along(panel: TimelinePanel) -> None:
    made = lanes(lane(), end=9 * PAGE)
    panel.show_frame(frame(made, 9 * PAGE))
    panel.show_frame(frame(made, 3 * PAGE))
    assert panel.interval.holds(3 * PAGE)
    before = panel.interval
    panel.show_frame(frame(made, 3 * PAGE + 7))
    assert panel.interval == before


def test_another_run_is_looked_at_from_where_it_stands(panel: TimelinePanel) -> None:
    panel.show_frame(frame(lanes(lane(), end=900 * PAGE), 900 * PAGE))
    panel.show_frame(frame(lanes(lane(), end=3 * PAGE), 3 * PAGE))
    assert panel.interval == Interval(2 * PAGE, 3 * PAGE)


def test_the_description_says_what_is_at_the_position_when_paused(panel: TimelinePanel) -> None:
    made = story()
    panel.show_frame(frame(made, 8_832_120, "running"))
    assert not panel.accessibleDescription()
    panel.show_frame(frame(made, 8_832_120))
    assert panel.accessibleDescription().startswith("At 8.832")
    assert all(f"core {core} " in panel.accessibleDescription() for core in range(4))


# Mouse


def test_a_click_selects_time_and_core(panel: TimelinePanel) -> None:
    panel.show_frame(frame(lanes(lane(), lane(), end=PAGE), PAGE))
    at = point(panel, 300_000, 1)
    QTest.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=at)
    assert panel.selection.now.core == 1
    assert panel.selection.now.time == pytest.approx(300_000, abs=PAGE // 1_000)


def test_a_click_on_a_sign_selects_its_exact_time(panel: TimelinePanel) -> None:
    core = lane(instants=[(300_001, Kind.INT3), (304_000, Kind.TICK)])
    panel.show_frame(frame(lanes(core, end=PAGE), PAGE))
    at = point(panel, 302_500, 0)
    QTest.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=at)
    assert panel.selection.now.time == 300_001


def test_a_drag_in_the_lanes_pans_and_selects_nothing(panel: TimelinePanel) -> None:
    panel.show_frame(frame(lanes(lane(), end=9 * PAGE), 9 * PAGE))
    look(panel, 4 * PAGE, 5 * PAGE)
    begin = point(panel, 4_500_000, 0)
    QTest.mousePress(panel.view, Qt.MouseButton.LeftButton, pos=begin)
    for moved in (20, 60, 100):
        QTest.mouseMove(panel.view, begin + QPoint(moved, 0))
    QTest.mouseRelease(panel.view, Qt.MouseButton.LeftButton, pos=begin + QPoint(100, 0))
    expected = 4 * PAGE - 100 * PAGE // sheet(panel).width
    assert panel.interval.begin == pytest.approx(expected, abs=PAGE // 1_000)
    assert panel.interval.span == PAGE
    assert panel.selection.now.time is None


def _in_ruler(panel: TimelinePanel, time: int) -> QPoint:
    return QPoint(round(sheet(panel).x(time)), int(sheet(panel).ruler.middle))


def _at_line(panel: TimelinePanel, time: int) -> QPoint:
    return point(panel, time, 0)


@pytest.mark.parametrize("where", [_in_ruler, _at_line], ids=["ruler", "line"])
def test_dragging_the_position_selects_times_and_the_latest_wins(
    panel: TimelinePanel, where: Callable[[TimelinePanel, int], QPoint]
) -> None:
    panel.show_frame(frame(lanes(lane(), end=PAGE), 500_000))
    before = panel.interval
    QTest.mousePress(panel.view, Qt.MouseButton.LeftButton, pos=where(panel, 500_000))
    for time in (400_000, 300_000, 200_000):
        QTest.mouseMove(panel.view, where(panel, time))
        assert panel.selection.now.time == pytest.approx(time, abs=PAGE // 1_000)
    assert panel.interval == before


def test_the_strip_is_a_slider_of_the_whole_run(panel: TimelinePanel) -> None:
    panel.show_frame(frame(lanes(lane(), begin=PAGE, end=101 * PAGE), 101 * PAGE))
    left, width = panel.strip._axis()
    y = panel.strip.height() // 2
    quarter = QPoint(left + width // 4, y)
    QTest.mousePress(panel.strip, Qt.MouseButton.LeftButton, pos=quarter)
    assert panel.selection.now.time == pytest.approx(26 * PAGE, abs=PAGE // 5)
    QTest.mouseMove(panel.strip, QPoint(left + width // 2, y))
    assert panel.selection.now.time == pytest.approx(51 * PAGE, abs=PAGE // 5)
    assert panel.interval.holds(panel.selection.now.time or 0)
    QTest.mouseMove(panel.strip, QPoint(5_000, y))
    assert panel.selection.now.time == 101 * PAGE


def test_the_wheel_zooms_at_the_pointer(panel: TimelinePanel) -> None:
    panel.show_frame(frame(lanes(lane(), end=9 * PAGE), 9 * PAGE))
    look(panel, 4 * PAGE, 5 * PAGE)
    at = QPointF(point(panel, 4_250_000, 0))
    for notches, span in ((1, 0.8), (-1, 1.0), (-2, 1.5625)):
        turn = QWheelEvent(
            at,
            panel.view.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(panel.view, turn)
        assert panel.interval.span == pytest.approx(span * PAGE, abs=10)
        assert sheet(panel).time(at.x()) == pytest.approx(4_250_000, abs=2_000)


def test_pointing_says_what_is_there_and_leaving_ends_it(panel: TimelinePanel) -> None:
    core = lane([(0, 1, Left.NOT_YET)], [(300_000, Kind.INT3)])
    panel.show_frame(frame(lanes(core, end=PAGE), PAGE))
    QTest.mouseMove(panel.view, point(panel, 300_000, 0))
    assert panel.view.hint.endswith(": int3")
    QTest.mouseMove(panel.view, point(panel, 600_000, 0))
    assert "sshd/410" in panel.view.hint
    QTest.mouseMove(panel.view, QPoint(600, 2))
    assert not panel.view.hint


# Keys


@pytest.fixture
def patched(panel: TimelinePanel) -> TimelinePanel:
    """The panel with a run of 9 ms, in the middle of it, with an int3 before and one behind."""
    core0 = lane([(0, 1, Left.PREEMPTED), (5_000_000, 2, Left.NOT_YET)], [(4_600_000, Kind.TICK)])
    core1 = lane([], [(4_300_000, Kind.INT3), (4_400_000, Kind.TICK), (7_000_000, Kind.INT3)])
    band = Band(PHASES[1], 4_000_000, 4_800_000, 1)
    panel.show_frame(frame(lanes(core0, core1, end=9 * PAGE, bands=[band]), 4_500_000))
    return panel


def test_w_and_s_zoom_at_the_position(patched: TimelinePanel) -> None:
    before, x = patched.interval, sheet(patched).x(4_500_000)
    QTest.keyClick(patched, Qt.Key.Key_W)
    assert patched.interval.span == pytest.approx(before.span / 1.5, abs=2)
    assert sheet(patched).x(4_500_000) == pytest.approx(x, abs=1)
    QTest.keyClick(patched, Qt.Key.Key_S)
    assert patched.interval.span == pytest.approx(before.span, abs=2)


def test_a_and_d_pan(patched: TimelinePanel) -> None:
    before = patched.interval
    QTest.keyClick(patched, Qt.Key.Key_D)
    assert patched.interval == before.moved(before.span // 4)
    QTest.keyClick(patched, Qt.Key.Key_A)
    assert patched.interval == before


def test_period_and_comma_go_along_the_selected_core(patched: TimelinePanel) -> None:
    found = []
    for core in (0, 1):
        for key in (Qt.Key.Key_Period, Qt.Key.Key_Comma):
            patched.selection.clear()
            patched.selection.select_core(core)
            patched._arrived = patched._asked = None
            QTest.keyClick(patched, key)
            found.append(patched.selection.now.time)
    assert found == [4_600_000, 0, 7_000_000, 4_400_000]


def test_period_goes_on_although_the_player_stops_short(patched: TimelinePanel) -> None:
    lanes_now = patched._lanes
    QTest.keyClick(patched, Qt.Key.Key_Period)
    assert patched.selection.now.time == 4_600_000
    patched.show_frame(frame(lanes_now, 4_599_998))
    QTest.keyClick(patched, Qt.Key.Key_Period)
    assert patched.selection.now.time == 5_000_000


def test_going_where_one_was_sent_before_is_a_change_once_more(
    patched: TimelinePanel, qtbot: QtBot
) -> None:
    QTest.keyClick(patched, Qt.Key.Key_Home)
    patched.show_frame(frame(patched._lanes, 0))
    patched.show_frame(frame(patched._lanes, 100))  # a step
    with qtbot.waitSignal(patched.selection.changed):
        QTest.keyClick(patched, Qt.Key.Key_Home)
    assert patched.selection.now.time == 0


def test_n_goes_to_the_next_int3_on_any_core_and_says_when_there_is_none(
    patched: TimelinePanel,
) -> None:
    QTest.keyClick(patched, Qt.Key.Key_N)
    assert (patched.selection.now.time, patched.selection.now.core) == (7_000_000, 1)
    assert "int3" in patched.view.hint
    assert patched.interval.holds(7_000_000)
    QTest.keyClick(patched, Qt.Key.Key_N)
    assert patched.selection.now.time == 7_000_000
    assert patched.view.hint == "no int3 behind this moment"


def test_f_fits_the_phase_and_then_the_run(patched: TimelinePanel) -> None:
    QTest.keyClick(patched, Qt.Key.Key_F)
    assert patched.interval == Interval(3_900_000, 4_900_000)
    QTest.keyClick(patched, Qt.Key.Key_F)
    assert patched.interval == Interval(0, 9 * PAGE)


def test_home_and_end_go_to_the_ends(patched: TimelinePanel) -> None:
    QTest.keyClick(patched, Qt.Key.Key_Home)
    assert patched.selection.now.time == 0
    assert patched.interval.begin == 0
    QTest.keyClick(patched, Qt.Key.Key_End)
    assert patched.selection.now.time == 9 * PAGE
    assert patched.interval.end == 9 * PAGE


def test_every_key_of_the_help_does_something_and_keeps_its_letter(
    patched: TimelinePanel,
) -> None:
    named = " ".join(name for name, _ in patched.keys).replace(",", " ").split()
    keys = {Qt.Key.Key_Comma, *(_KEYS[name] for name in named)}
    assert keys == set(patched._actions)
    for key in keys:
        override = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        override.ignore()
        QApplication.sendEvent(patched, override)
        assert override.isAccepted()
    control = QKeyEvent(
        QEvent.Type.ShortcutOverride, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier
    )
    control.ignore()
    QApplication.sendEvent(patched, control)
    assert not control.isAccepted()


_KEYS = {
    "Home": Qt.Key.Key_Home,
    "End": Qt.Key.Key_End,
    ".": Qt.Key.Key_Period,
    **{letter: Qt.Key(ord(letter)) for letter in "WSADNF"},
}
