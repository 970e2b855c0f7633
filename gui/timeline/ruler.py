"""The ruler: virtual time above the lanes, in steps that people count in."""

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from gui.timeline.interval import Interval
from gui.timeline.sheet import Sheet
from gui.timeline.stripes import mixed

_UNITS: Final = ((1_000_000, 1_000_000, "ms"), (1_000, 1_000, "µs"), (0, 1, "ns"))
"""From which time on, how many ns the unit is, and its name."""
_NARROW = "\N{NARROW NO-BREAK SPACE}"
_APART = 1.7  # labels stand apart by so many times their width


def text_of(time: int, precision: int, longest: int | None = None) -> str:
    """Return a time as text, rounded down to a precision in ns: `8.832 12 ms`.

    longest: the time that decides the unit, so that all labels of a ruler have the same.
    """
    size, name = next((size, name) for least, size, name in _UNITS if (longest or time) >= least)
    decimals = max(len(str(size)) - len(str(max(precision, 1))), 0)
    whole, rest = divmod(time, size)
    digits = f"{rest:0{len(str(size)) - 1}d}"[:decimals] if size > 1 else ""
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return f"{whole}{'.' if groups else ''}{_NARROW.join(groups)} {name}"


def step_of(span: int, most: int) -> int:
    """Return the least step of 1, 2 or 5 times a power of ten ns that makes at most so many."""
    least = max(-(-span // max(most, 1)), 1)
    power = int(10 ** (len(str(least)) - 1))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)


def ticks(interval: Interval, most: int) -> range:
    """Return the times that get a label."""
    step = step_of(interval.span, most)
    return range(-(-interval.begin // step) * step, interval.end, step)


def labelled(sheet: Sheet, metrics: QFontMetrics) -> tuple[range, int]:
    """Return the times of the ruler's labels, as many as stand apart, and their width."""
    interval, widest, times = sheet.interval, 1, range(0)
    most = 2
    for _ in range(3):  # the width depends on the precision, that on how many they are
        times = ticks(interval, most)
        widest = metrics.horizontalAdvance(text_of(interval.end, times.step, interval.end))
        most = max(int(sheet.width / (widest * _APART)), 1)
    return times, widest


def paint(painter: QPainter, sheet: Sheet) -> None:
    """Paint the ticks, and faint lines through the lanes."""
    faint = QColor(mixed(sheet.theme.line, sheet.theme.panel, 0.5))
    base = sheet.ruler.bottom
    for time in labelled(sheet, painter.fontMetrics())[0]:
        x = int(sheet.x(time))
        painter.setPen(faint)
        painter.drawLine(x, base, x, sheet.bottom)
        painter.setPen(QColor(sheet.theme.dim))
        painter.drawLine(x, base - 4, x, base)
    painter.setPen(faint)
    painter.drawLine(sheet.left, base, sheet.left + sheet.width, base)


def paint_labels(painter: QPainter, sheet: Sheet, flag: QRectF) -> None:
    """Paint the times, but none that a flag would cover."""
    times, widest = labelled(sheet, painter.fontMetrics())
    painter.setPen(QColor(sheet.theme.dim))
    for time in times:
        box = QRectF(0, sheet.ruler.top, widest + 2, sheet.ruler.height - 4)
        box.moveLeft(int(sheet.x(time)) - box.width() / 2)
        inside = box.left() >= sheet.left - 6 and box.right() <= sheet.left + sheet.width + 8
        if inside and (box.right() < flag.left() or box.left() > flag.right()):
            painter.drawText(
                box, Qt.AlignmentFlag.AlignCenter, text_of(time, times.step, sheet.interval.end)
            )
