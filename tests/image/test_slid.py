"""An image where it runs: symbols, sites and segments move, per-CPU variables stay."""

import pytest

from emu.image.linux_image import LinuxImage
from emu.image.symbols import Symbol, Symbols
from tests.image.elf_builder import DEFAULT_SYMBOLS, PHYSICAL, VIRTUAL, Sym
from tests.image.kallsyms_builder import kernel
from tests.image.linux_builder import BANNER, vmlinux

SLIDE, MOVED = 0x1DE00000, 0x5200000


@pytest.fixture
def image() -> LinuxImage:
    return LinuxImage("vmlinux", vmlinux(symbols=(*DEFAULT_SYMBOLS, Sym("data", VIRTUAL + 0x44))))


def test_everything_is_at_the_addresses_of_memory(image: LinuxImage) -> None:
    there = image.slid(SLIDE, MOVED)
    assert there.symbols["second"].address == VIRTUAL + SLIDE + 0x10
    assert there.symbols.describe(VIRTUAL + SLIDE + 0x14) == "second+0x4"
    assert there.symbols.at(VIRTUAL + 0x14) is None
    assert there.sites.all == tuple(site + SLIDE for site in image.sites.all)
    assert there.sites.of("second") == VIRTUAL + SLIDE + 0x14
    assert there.load_address(VIRTUAL + SLIDE + 4) == PHYSICAL + MOVED + 4
    assert there.link_address(PHYSICAL + MOVED + 4) == VIRTUAL + SLIDE + 4
    assert there.is_executable(VIRTUAL + SLIDE)
    assert not there.is_executable(VIRTUAL)
    assert there.read_virtual(VIRTUAL + SLIDE, 16) == image.read_virtual(VIRTUAL, 16)
    assert there.place_of(".text") == (VIRTUAL + SLIDE, image.place_of(".text")[1])  # type: ignore[index] # it has one


def test_the_image_as_it_was_linked_stays(image: LinuxImage) -> None:
    before = image.symbols["second"].address, image.sites.all
    image.slid(SLIDE, MOVED)
    assert (image.symbols["second"].address, image.sites.all) == before
    assert image.load_address(VIRTUAL) == PHYSICAL


def test_a_slide_of_nothing_is_the_image_and_two_add_up(image: LinuxImage) -> None:
    assert image.slid(0, 0) is image
    twice = image.slid(SLIDE, MOVED).slid(SLIDE, MOVED)
    assert twice.symbols["second"].address == VIRTUAL + 2 * SLIDE + 0x10
    assert twice.sites.of("second") == VIRTUAL + 2 * SLIDE + 0x14
    assert twice.load_address(VIRTUAL + 2 * SLIDE) == PHYSICAL + 2 * MOVED


def test_offsets_and_constants_stay() -> None:
    rows = [(0x40 * number, f"Apercpu{number}") for number in range(10)]
    rows += [(VIRTUAL + 0x10 * number, f"Tname{number}") for number in range(300)]
    linked = LinuxImage("vmlinux", kernel(rows, "6.1", "percpu") + BANNER).symbols
    there = linked.slid(SLIDE)
    assert there["percpu3"] == linked["percpu3"]
    assert there["name3"].address == linked["name3"].address + SLIDE
    assert there["name3"].size == linked["name3"].size
    assert [each.name for each in there] == [each.name for each in linked]
    assert there.describe(VIRTUAL + SLIDE + 0x35) == "name3+0x5"
    assert len(there.all("name7")) == 1
    constant, place = Symbol("KEY", 0x42, 0, "absolute"), Symbol("here", 0x1000, 8, "object")
    plain = Symbols([constant, place]).slid(SLIDE)
    assert (plain["KEY"].address, plain["here"].address) == (0x42, 0x1000 + SLIDE)


def test_whether_its_decompressor_moves_it_depends_on_the_start(image: LinuxImage) -> None:
    assert not image.moves
    assert not image.with_initramfs(b"").moves
