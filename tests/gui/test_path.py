import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from emu.scene.path import CallPath, Edge, Role
from gui.path.panel import PathPanel
from gui.path.routes import Grid, lay_out
from gui.path.station import furnish
from gui.selection import Selection
from gui.text import scaled
from gui.theme import DARK, LIGHT
from tests.gui import scenes
from tests.gui.fonts import LargeFont, large_font

__all__ = ["large_font"]

SIZES = [(260, 215), (370, 400), (600, 300), (900, 580)]
ROLES: tuple[Role, ...] = ("caller", "function", "int3", "trampoline", "replacement")
# What a patched function can have: into the body, by the int3 handler, by the site; and back.
WAYS: tuple[tuple[Role, Role], ...] = (
    ("caller", "function"),
    ("function", "int3"),
    ("int3", "function"),
    ("function", "trampoline"),
    ("trampoline", "function"),
    ("int3", "trampoline"),
    ("int3", "replacement"),
    ("trampoline", "replacement"),
    ("function", "replacement"),
    ("caller", "int3"),
    ("caller", "replacement"),
)


def _shown(qtbot: QtBot, path: CallPath | None, size: tuple[int, int] = (370, 420)) -> PathPanel:
    panel = PathPanel(LIGHT, Selection())
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show_frame(scenes.frame(replace(scenes.scene(), path=path)))
    panel.show()
    return panel


def _grid(edges: tuple[Edge, ...], size: tuple[int, int]) -> Grid:
    metrics = QFontMetricsF(scaled(QApplication.font(), 1, bold=True))
    path = replace(scenes.path(), edges=edges)
    return lay_out(path, QRectF(0, 0, *size), metrics.lineSpacing(), metrics.horizontalAdvance)


def _subsets() -> list[tuple[Edge, ...]]:
    """All ways, then any two of them, and all but any two."""
    edges = tuple(Edge(*way, f"{way[0][:4]} to {way[1][:4]}", "yes", ()) for way in WAYS)
    pairs = list(itertools.combinations(edges, 2))
    return [edges, *pairs, *(tuple(e for e in edges if e not in pair) for pair in pairs)]


def _segments(grid: Grid) -> list[tuple[int, QRectF]]:
    """Every straight piece of every route, as a thin box, with the route's number."""
    return [
        (number, QRectF(a, b).normalized().adjusted(-0.5, -0.5, 0.5, 0.5))
        for number, route in enumerate(grid.routes)
        for a, b in itertools.pairwise(route.points)
    ]


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("size", SIZES)
def test_stations_lines_and_labels_keep_clear_of_each_other(size: tuple[int, int]) -> None:
    for edges in _subsets():
        grid = _grid(edges, size)
        assert len(grid.routes) == len(edges)
        boxes = list(grid.boxes.values())
        labels = [route.label for route in grid.routes]
        room = QRectF(0, 0, *size)
        for one, other in itertools.combinations([*boxes, *labels], 2):
            assert not one.intersects(other), (edges, one, other)
        for box in (*boxes, *labels):
            assert room.contains(box), (edges, box)
            assert box.width() >= 10
            assert box.height() >= 10
        for _, piece in _segments(grid):
            inside = [box for box in boxes if box.adjusted(1, 1, -1, -1).intersects(piece)]
            assert not inside, (edges, piece, inside)
            crossed = [label for label in labels if label.intersects(piece)]
            assert not crossed, (edges, piece, crossed)


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("size", SIZES)
def test_an_edge_runs_from_its_source_to_its_target(size: tuple[int, int]) -> None:
    for route in _grid(_subsets()[0], size).routes:
        boxes = _grid(_subsets()[0], size).boxes
        for role, end in ((route.edge.source, 0), (route.edge.target, -1)):
            box = boxes[role]
            assert box.adjusted(-1, -1, 1, 1).contains(route.points[end]), route
            assert not box.adjusted(1, 1, -1, -1).contains(route.points[end]), route


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("waiting", [0, 12])
@pytest.mark.parametrize("cores", range(9))
def test_badges_and_texts_of_a_station_keep_clear_of_each_other(
    size: tuple[int, int], waiting: int, cores: int
) -> None:
    grid = _grid(scenes.path().edges, size)
    node = replace(scenes.path().nodes[1], cores=tuple(range(cores)), waiting=waiting)
    box = grid.boxes["function"]
    station = furnish(node, box, scaled(QApplication.font(), grid.scale))
    parts = [station.title, *(badge for _, badge in station.badges)]
    parts += [station.detail] if station.detail else []
    parts += [station.waiting[1]] if station.waiting else []
    assert bool(station.waiting) == bool(waiting)
    assert all(box.contains(part) for part in parts)
    for one, other in itertools.combinations(parts, 2):
        assert not one.intersects(other), (one, other)
    if station.badges:
        assert [core for core, _ in station.badges] == list(node.cores)
        assert min(badge.height() for _, badge in station.badges) >= 7
    elif cores:
        assert station.line == f"cores 0-{cores - 1}"


def test_the_path_is_told_in_words(qtbot: QtBot) -> None:
    words = _shown(qtbot, scenes.path()).accessibleDescription()
    assert "Core 0 stands in ksys_read." in words
    assert "Cores 2 and 3 stand in vfs_read. 2 tasks wait in vfs_read." in words
    assert "From vfs_read to int3 handler: int3, open; core 1 came by it." in words
    assert "From vfs_read to trampoline: call at the site, closed." in words
    assert "acts out the call, open to some cores." in words


def test_where_there_is_no_path_one_sentence_says_why(qtbot: QtBot) -> None:
    panel = _shown(qtbot, None)
    assert panel.grid is None
    assert "No function is being patched" in panel.accessibleDescription()
    panel.show_frame(scenes.frame(None, 2))
    assert panel.accessibleDescription() == "The kernel is not up yet."
    assert panel.words_at(QPointF(50, 50)) == ""


def test_a_click_on_a_badge_selects_the_core_and_one_beside_it_the_address(qtbot: QtBot) -> None:
    path = scenes.path()
    nodes = tuple(replace(node, address=0x1000 + n) for n, node in enumerate(path.nodes))
    panel = _shown(qtbot, replace(path, nodes=nodes))
    function = panel.stations[1]
    badge = dict(function.badges)[3].center().toPoint()
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(panel, left, none, badge)
    assert (panel.selection.now.core, panel.selection.now.address) == (3, None)
    QTest.mouseClick(panel, left, none, function.title.topLeft().toPoint() + QPoint(3, 3))
    assert (panel.selection.now.core, panel.selection.now.address) == (2, 0x1001)
    QTest.mouseClick(panel, left, none, QPoint(panel.width() - 4, panel.height() - 4))
    assert (panel.selection.now.core, panel.selection.now.address) == (2, 0x1001)


def test_keys_go_from_station_to_station(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.path())
    QTest.keyClick(panel, Qt.Key.Key_Up)  # is at the first: stays
    QTest.keyClick(panel, Qt.Key.Key_Return)
    assert panel.selection.now.core == 0
    for _ in range(2):
        QTest.keyClick(panel, Qt.Key.Key_Down)
    QTest.keyClick(panel, Qt.Key.Key_Enter)
    assert panel.selection.now.core == 1


def test_what_is_under_the_mouse_is_told_in_full(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.path())
    assert panel.words_at(panel.stations[1].box.center()) == (
        "vfs_read: int3, then the old body. Cores 2 and 3 stand in vfs_read. "
        "2 tasks wait in vfs_read."
    )
    assert panel.grid is not None
    label = panel.grid.routes[0].label
    assert panel.words_at(label.center()) == "call, open"


def test_the_picture_follows_size_theme_selection_and_openness(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.path())
    pictures = [panel.grab().toImage()]
    panel.selection.select_core(3)
    pictures.append(panel.grab().toImage())
    closed = tuple(replace(edge, open="no") for edge in scenes.path().edges)
    path = replace(scenes.path(), edges=closed)
    panel.show_frame(scenes.frame(replace(scenes.scene(), path=path), 2))
    pictures.append(panel.grab().toImage())
    panel.use_theme(DARK)
    pictures.append(panel.grab().toImage())
    panel.resize(600, 420)
    pictures.append(panel.grab().toImage())
    assert all(one != other for one, other in itertools.combinations(pictures, 2))


def test_an_equal_path_is_not_laid_out_again(qtbot: QtBot) -> None:
    panel = _shown(qtbot, scenes.path())
    before = panel.grid
    panel.show_frame(scenes.frame(replace(scenes.scene(), path=scenes.path()), 2))
    assert panel.grid is before


def test_a_larger_font_of_the_application_is_followed(qtbot: QtBot, large_font: LargeFont) -> None:
    panel = _shown(qtbot, scenes.path())
    before = panel.minimumSizeHint().height(), panel.grab().toImage()
    with large_font():
        assert panel.minimumSizeHint().height() >= 1.4 * before[0]
        assert panel.grab().toImage() != before[1]
