"""Instants: what happened to a core, as lines and signs above its slices.

Of what shares a pixel the greatest Kind is drawn, so that one int3 among a million ticks is seen
however far away one looks. Lines (ticks and interrupts) are an image; signs are copied onto it,
fewer where they would hide one another.
"""

import functools
from typing import Final

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from emu.scene.lanes import Codes, Column, Kind
from gui.theme import Theme
from gui.timeline import stripes
from gui.timeline.excerpt import Excerpt
from gui.timeline.sheet import LaneRows, Sheet
from gui.timeline.signs import Signs

_APART: Final = 0.8  # of a sign's size: of so many pixels one gets a sign


def paint(painter: QPainter, sheet: Sheet, excerpt: Excerpt, signs: Signs) -> None:
    """Paint the instants of all cores."""
    edges = sheet.interval.edges(sheet.width)
    for lane, rows in zip(excerpt.lanes, sheet.lanes, strict=True):
        kinds = greatest(lane.time, lane.kind, edges)
        _lines(painter, sheet, kinds, rows)
        y, half = middle(rows, signs.size), (signs.size - 1) // 2
        pixels = chosen(kinds * (kinds > Kind.INTERRUPT), sheet.origin, signs.size)
        of_each = kinds[pixels]
        for kind in np.unique(of_each).tolist():  # ascending: the greatest on top
            lefts = pixels[of_each == kind] + (sheet.left - half)
            signs.put_all(painter, Kind(kind), lefts.tolist(), y)


def middle(rows: LaneRows, size: int) -> float:
    """Return the y of the signs of a lane: in their rows, or as far above the names as fits."""
    return max(rows.signs.middle, rows.whole.top + size / 2)


def greatest(times: Column, kinds: Codes, edges: Column) -> Codes:
    """Return the greatest kind in each pixel, 0 where nothing happened.

    times, kinds: of instants, ascending by time. edges: of pixels (`Interval.edges`).
    """
    found = np.zeros(len(edges) - 1, dtype=np.uint8)
    bounds = np.searchsorted(times, edges)
    begins = bounds[:-1]
    some = bounds[1:] > begins
    if some.any():
        found[some] = np.maximum.reduceat(kinds[: bounds[-1]], begins[some])
    return found


def chosen(kinds: Codes, origin: int, size: int) -> Column:
    """Return the pixels at which signs are drawn: of each stretch the first of the greatest kind.

    kinds: of each pixel, 0 for none. origin: the number of the first pixel, counted from time 0,
    so that the stretches stay where they are when the interval moves.
    """
    pixels = np.flatnonzero(kinds)
    if not len(pixels):
        return pixels
    stretch = max(int(size * _APART), 1)
    stretches = (pixels + origin % stretch) // stretch
    begins = np.flatnonzero(np.diff(stretches, prepend=-1))
    best = np.maximum.reduceat(kinds[pixels], begins)
    counts = np.diff(begins, append=len(pixels))
    great = kinds[pixels] == np.repeat(best, counts)
    pixels, stretches = pixels[great], stretches[great]
    first: Column = pixels[np.diff(stretches, prepend=-1) > 0]
    return first


@functools.cache
def colours(theme: Theme, none: int = 0) -> stripes.Pixels:
    """Return the colour of the line of each kind, by its number."""
    table = np.full(max(Kind) + 1, none, dtype=np.uint32)
    for kind, colour, alpha in (
        (Kind.TICK, theme.dim, 0.8),
        (Kind.INTERRUPT, theme.ink, 0.9),
        (Kind.SERIALISED, theme.dim, 0.8),
        (Kind.SYNC, theme.accent, 1.0),
        (Kind.STALE, theme.stale, 1.0),
        (Kind.TRAP, theme.warn, 1.0),
        (Kind.INT3, theme.int3, 1.0),
        (Kind.TORN, theme.bad, 1.0),
    ):
        table[kind] = stripes.argb(colour, alpha)
    table.flags.writeable = False
    return table


def _lines(painter: QPainter, sheet: Sheet, kinds: Codes, rows: LaneRows) -> None:
    """A tick is half as long as everything else."""
    table = colours(sheet.theme)
    lower, upper = table[kinds], table[np.where(kinds > Kind.TICK, kinds, 0)]
    height = min(max(rows.signs.height, 6), 12)
    box = QRect(sheet.left, rows.box.top - height, sheet.width, height)
    stripes.draw(painter, box, np.stack((upper, lower)))
