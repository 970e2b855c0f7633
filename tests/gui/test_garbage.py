"""What stays is not looked at again, and what no longer does is found with the next machine."""

import gc
import weakref

import pytest
from PySide6.QtCore import QObject

from gui.garbage import Garbage


class Ring:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("qapp")
def test_what_was_there_with_one_machine_is_found_with_the_next() -> None:
    parent, ring = QObject(), Ring()
    garbage = Garbage(parent)
    seen = weakref.ref(ring)
    garbage.start()
    assert not gc.isenabled()
    garbage.settle()
    assert gc.get_freeze_count() > 0
    del ring
    gc.collect()
    assert seen() is not None
    garbage.settle()
    assert seen() is None
    garbage.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
