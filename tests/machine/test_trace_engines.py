"""Ten million fetches, retained, are the same in both engines."""

import numpy as np
import pytest

from emu.machine.boot import BootImage
from emu.machine.engines import ENGINES
from emu.machine.fetches import Fetches
from emu.machine.machine import Machine
from emu.moves import chooser

COUNT = 10_000_000
COLUMNS = ("time", "core", "address", "physical", "length", "code")


def traced(image: BootImage, engine: str, count: int) -> Fetches:
    """Return the first fetches of the toy kernel under load, from power-on."""
    machine = Machine(image, cores=4, command_line="load", engine=engine)
    machine.trace()
    machine.drive(chooser.random(5, 500), instructions=count)
    return machine.fetches


@pytest.mark.slow
def test_ten_million_fetches_are_the_same_in_both_engines(toy_boot: BootImage) -> None:
    first, second = (traced(toy_boot, engine, COUNT) for engine in ENGINES)
    assert len(first) == len(second) >= COUNT
    for column in COLUMNS:
        assert np.array_equal(first.column(column), second.column(column)), column
