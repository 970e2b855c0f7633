"""A station of the call path: its title, its detail, and who stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from emu.scene.path import Node
from gui.text import scaled


@dataclass(frozen=True, slots=True)
class Station:
    """Places in pixels.

    Attributes:
        badges: of the cores that stand in it, with their numbers.
        waiting: what is said of the tasks that wait in it, and where; None: there is none.
        line: its detail, or the numbers of its cores if there is no room for their badges.
        detail: the place of that line, None if there is no room: then only the tooltip has it.
    """

    node: Node
    box: QRectF
    title: QRectF
    line: str
    detail: QRectF | None
    badges: tuple[tuple[int, QRectF], ...]
    waiting: tuple[str, QRectF] | None


def furnish(node: Node, box: QRectF, font: QFont) -> Station:
    """Return the places of everything in a station.

    Badges stand behind the title if it leaves room for them, else before the detail.
    """
    pad = min(8.0, box.height() * 0.14)
    inner = box.adjusted(pad, pad * 0.6, -pad, -pad * 0.6)
    bold = QFontMetricsF(scaled(font, 1, bold=True))
    half = min(inner.height() / 2, bold.lineSpacing() * 1.25)
    first = QRectF(inner.left(), inner.top(), inner.width(), half)
    second = QRectF(inner.left(), first.bottom(), inner.width(), inner.bottom() - first.bottom())
    side = half * 0.94
    free = inner.width() - bold.horizontalAdvance(node.title) - pad
    small = QFontMetricsF(scaled(font, 0.85, bold=True))
    long, short = f"+{node.waiting} waiting", f"+{node.waiting}"
    texts = (long, short) if node.waiting else ("",)
    for text in texts:
        wide = small.horizontalAdvance(text) + 12 if text else 0.0
        if len(node.cores) * (side + 2) + wide <= free:
            left = first.right() - len(node.cores) * (side + 2) - wide
            badges, pill = _row(node, text, QRectF(left, first.top(), wide, half), side)
            first.setRight(left - 2)
            return Station(node, box, first, node.detail, second, badges, pill)
    text = texts[-1]
    wide = small.horizontalAdvance(text) + 12 if text else 0.0
    fitting = (second.width() - wide) / max(1, len(node.cores)) - 2
    start = QRectF(second.left(), second.top(), wide, min(half, second.height()))
    if fitting < side * 0.6:
        start.moveRight(second.right())
        numbers = second.adjusted(0, 0, -wide - 2, 0)
        _, pill = _row(node, text, start, 0.0)
        return Station(node, box, first, f"cores {_ranges(node.cores)}", numbers, (), pill)
    side = min(side, fitting)
    badges, pill = _row(node, text, start, side)
    below = second.adjusted(0, half, 0, 0)
    if below.height() >= QFontMetricsF(font).lineSpacing() * 0.7:
        return Station(node, box, first, node.detail, below, badges, pill)
    rest = second.adjusted(len(node.cores) * (side + 2) + wide + 4, 0, 0, 0)
    detail = rest if rest.width() > half * 2.5 else None
    return Station(node, box, first, node.detail, detail, badges, pill)


def _ranges(cores: Sequence[int]) -> str:
    """Return numbers in short: `0-3, 5`."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][-1] + 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _row(
    node: Node, text: str, start: QRectF, side: float
) -> tuple[tuple[tuple[int, QRectF], ...], tuple[str, QRectF] | None]:
    """Return badges and what is said of waiting tasks, from left to right."""
    top = start.center().y() - side / 2
    badges = tuple(
        (core, QRectF(start.left() + place * (side + 2), top, side, side))
        for place, core in enumerate(node.cores)
    )
    if not text:
        return badges, None
    left = start.left() + len(badges) * (side + 2) * (side > 0)
    return badges, (text, QRectF(left + 2, start.top(), start.width() - 4, start.height()))
