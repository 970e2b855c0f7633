"""Stripes: an image of a few rows, one pixel of which is one of the axis, stretched to its place.

A million events become one colour a pixel in numpy, and one call of the painter a lane.
"""

import functools

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter

Pixels = NDArray[np.uint32]


def argb(colour: str, alpha: float = 1.0) -> int:
    """Return a #rrggbb with an opacity of 0 to 1 as Qt's ARGB32."""
    return round(alpha * 255) << 24 | QColor(colour).rgb() & 0xFFFFFF


@functools.cache  # a theme has few colours
def mixed(colour: str, ground: str, share: float) -> str:
    """Return a colour thinned with the ground that it lies on; share: of the colour, 0 to 1."""
    ink, under = QColor(colour), QColor(ground)
    red, green, blue = (
        round(a * share + b * (1 - share))
        for a, b in (
            (ink.red(), under.red()),
            (ink.green(), under.green()),
            (ink.blue(), under.blue()),
        )
    )
    return QColor(red, green, blue).name()


def shaded(colour: str, alpha: NDArray[np.float64]) -> Pixels:
    """Return a row of pixels of one colour, each with its own opacity of 0 to 1."""
    rgb = np.uint32(QColor(colour).rgb() & 0xFFFFFF)
    return np.rint(alpha * 255).astype(np.uint32) << np.uint32(24) | rgb


def draw(painter: QPainter, box: QRect, rows: Pixels) -> None:
    """Draw rows of pixels (shape: rows, width of the box) stretched to the height of a box."""
    rows = np.ascontiguousarray(np.atleast_2d(rows))
    height, width = rows.shape
    image = QImage(rows.data, width, height, width * 4, QImage.Format.Format_ARGB32)
    painter.drawImage(box, image)  # copies nothing, so `rows` must live until here
