"""Painting: a painter that is ended, and an exception that is told of, whatever happens meanwhile.

An exception that leaves a method which Qt calls stays pending where Python has called Qt, as
QWidget.grab does: whatever Python comes next fails with it. And it keeps its frames, and they
their painters. One that is still active when paintEvent is left paints on a device that is gone,
and the process ends with a segmentation fault. So none leaves: sys.excepthook gets it at once.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtGui import QPaintDevice, QPainter
from PySide6.QtWidgets import QWidget


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Yield a painter on a picture, and end it."""
    painter = QPainter()  # on nothing yet, so that nothing happens between its begin and the try
    try:
        painter.begin(device)
        yield painter
    finally:
        if painter.isActive():
            painter.end()


@contextmanager
def told() -> Iterator[None]:
    """Give what goes wrong to sys.excepthook. For delegates, which have the view's painter."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- the window says it, whatever it is
        sys.excepthook(type(error), error, error.__traceback__)


@contextmanager
def paint_event(widget: QWidget) -> Iterator[QPainter]:
    """Yield a painter for the paintEvent of a widget."""
    with told(), painting(widget) as painter:
        yield painter
