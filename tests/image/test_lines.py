from emu.image.elf import ElfImage
from emu.image.lines import Lines
from tests.conftest import TOY
from tests.image.elf_builder import Builder


def test_an_address_has_a_line_of_its_source() -> None:
    image = ElfImage.read(TOY)
    found = {name: image.lines.at(image.symbols[name].address) for name in ("panic", "vfs_read")}
    assert {name: place and place.partition(":")[0] for name, place in found.items()} == {
        "panic": "panic.c",
        "vfs_read": "vfs.c",
    }
    start = image.symbols["panic"]
    lines = [image.lines.at(start.address + offset) for offset in range(start.size)]
    numbers = [int(place.partition(":")[2]) for place in lines if place]
    assert len(numbers) == start.size
    assert 1 < len(set(numbers)) < 40


def test_where_nothing_was_compiled_there_is_no_line() -> None:
    image = ElfImage.read(TOY)
    assert image.lines.at(5) is None
    assert image.lines.at(image.symbols["cpus"].address) is None
    assert image.lines.at((1 << 64) - 1) is None


def test_an_image_without_debug_information_has_no_lines() -> None:
    assert ElfImage("small", Builder().build()).lines.at(0xFFFFFFFF80200000) is None


def test_too_much_is_not_read() -> None:
    sections = {".debug_line": bytes((4 << 20) + 1), ".debug_info": b"not even looked at"}
    assert Lines("huge", sections).at(0) is None
