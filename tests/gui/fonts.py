"""The application's font, half as large again, as the projector layout sets it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from PySide6.QtWidgets import QApplication

from gui.text import scaled

LargeFont = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def large_font(qapp: QApplication) -> LargeFont:
    """A context in which the application's font is 1.5 times as large."""

    @contextmanager
    def enlarged() -> Iterator[None]:
        before = qapp.font()
        qapp.setFont(scaled(before, 1.5))
        qapp.processEvents()
        try:
            yield
        finally:
            qapp.setFont(before)
            qapp.processEvents()

    return enlarged
