"""At which int3 a handler was asked: also when int3s are met within a handler, and on all cores."""

import numpy as np

from emu.guest.probes import INT3, INT3_HANDLERS
from emu.machine.events import TRAP
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND, E_SIZE
from emu.scene.int3_sites import Int3Sites
from emu.scene.task_names import UNKNOWN

TEXT_POKE, KPROBE = (INT3_HANDLERS.index(name) for name in ("text_poke", "kprobe"))
NOT_FILLED = -99


def trap(core: int, site: int, vector: int = 3) -> dict[int, int]:
    return {E_KIND: TRAP, E_CORE: core, E_A: vector, E_ADDRESS: site + 1}


def asked(core: int, handler: int, *, takes: bool) -> dict[int, int]:
    above = 0x5A << 32  # of a 32-bit result, the upper half is anything
    return {E_KIND: INT3, E_CORE: core, E_A: above | takes, E_B: handler}


def sites(happened: list[dict[int, int]], *, at_once: bool) -> list[int]:
    found, int3s = np.full(len(happened), NOT_FILLED), Int3Sites(2)
    columns = np.zeros((E_SIZE, len(happened)), np.int64)
    for index, event in enumerate(happened):
        for row, value in event.items():
            columns[row, index] = value
    step = len(happened) if at_once else 1
    for begin in range(0, len(happened), step):
        part = slice(begin, begin + step)
        int3s.take(columns[:, part], found[part])
    return [int(site) for site in found]


def test_each_core_has_its_own() -> None:
    happened = [
        trap(0, 0x1000), trap(1, 0x2000), trap(1, 0x3000, vector=14),
        asked(0, TEXT_POKE, takes=True), asked(1, TEXT_POKE, takes=False),
        asked(1, KPROBE, takes=True), asked(1, KPROBE, takes=True),
    ]  # fmt: skip
    for at_once in (True, False):
        found = sites(happened, at_once=at_once)
        assert found == [NOT_FILLED] * 3 + [0x1000, 0x2000, 0x2000, UNKNOWN]


def test_an_int3_within_the_handler_of_another() -> None:
    happened = [
        trap(0, 0x1000), asked(0, TEXT_POKE, takes=False),
        trap(0, 0x2000), asked(0, TEXT_POKE, takes=True),
        asked(0, KPROBE, takes=True),
    ]  # fmt: skip
    found = sites(happened, at_once=True)
    assert found == [NOT_FILLED, 0x1000, NOT_FILLED, 0x2000, 0x1000]
