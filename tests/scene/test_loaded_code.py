"""What a log calls code that is in no image, now and later."""

from typing import Any, cast

import numpy as np

from emu.errors import TextpokeError
from emu.guest.code import CodeRegion
from emu.guest.guest import Guest
from emu.image.symbols import Symbol, Symbols
from emu.machine import events
from emu.machine.state import E_ADDRESS, E_KIND, E_SIZE
from emu.scene.loaded_code import LoadedCodeTable, look_for

IMAGE, MODULE, PHYSICAL = 0xFFFF_FFFF_8100_0000, 0xFFFF_FFFF_C020_0000, 0x70_0000
"""Where the image, a module and its two pages are; the pages do not follow each other."""


class Kernel:
    """Is its guest and its image; counts how often it is looked at."""

    def __init__(self) -> None:
        self.image, self.loaded, self.looks = self, "", 0

    def is_executable(self, address: int) -> bool:
        return IMAGE <= address < IMAGE + 0x1000

    def link_address(self, physical: int) -> int | None:
        return IMAGE + physical if physical < 0x1000 else None

    def physical(self, address: int) -> int:
        page = address - MODULE >> 12
        if page == 2:
            raise TextpokeError("not mapped")
        return PHYSICAL - (page << 12) + (address & 0xFFF)

    def regions(self) -> tuple[CodeRegion, ...]:
        self.looks += 1
        if not self.loaded:
            return ()
        named = Symbols([Symbol(self.loaded, MODULE, 0x1800, "func")])
        return (CodeRegion(MODULE, MODULE + 0x2800, "module", named, lambda _address: None),)


def happened(kind: int, address: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    columns = np.zeros((E_SIZE, 1), np.uint64)
    columns[E_KIND], columns[E_ADDRESS] = kind, address
    return columns.astype(np.int64)


def test_a_store_to_a_module_is_named_by_its_physical_page() -> None:
    kernel = Kernel()
    kernel.loaded = "probe"
    table = LoadedCodeTable(cast(Guest, kernel))
    table.take(7, happened(events.TEXT_STORE, PHYSICAL - 0x1000 + 0x10))
    (look,) = table.looks()
    assert look.virtual(PHYSICAL - 0x1000 + 0x10) == MODULE + 0x1010
    assert look.virtual(PHYSICAL + 0x1000) is None
    assert look.describe(MODULE + 0x1010) == "probe+0x1010"
    assert look.describe(MODULE + 0x2800) is None


def test_what_happens_in_the_image_or_in_a_program_is_no_reason_to_look() -> None:
    kernel = Kernel()
    table = LoadedCodeTable(cast(Guest, kernel))
    table.take(0, happened(events.TEXT_STORE, 0x10))
    table.take(1, happened(events.TRAP, IMAGE + 0x10))
    table.take(2, happened(events.TRAP, 0x40_0000))
    table.take(3, happened(events.ACKNOWLEDGED, PHYSICAL))
    assert kernel.looks == 0
    table.take(4, happened(events.TRAP, MODULE))
    assert kernel.looks == 1


def test_the_past_keeps_the_names_it_had() -> None:
    kernel = Kernel()
    table = LoadedCodeTable(cast(Guest, kernel))
    for first, loaded in ((10, "probe"), (20, "probe"), (30, ""), (40, "other")):
        kernel.loaded = loaded
        table.take(first, happened(events.TEXT_STORE, PHYSICAL))
    looks = table.looks()
    assert [look.since for look in looks] == [10, 30, 40]
    assert look_for(looks, 9) is None
    names = [
        look and look.describe(MODULE) for look in (look_for(looks, at) for at in (29, 39, 99))
    ]
    assert names == ["probe", None, "other"]
