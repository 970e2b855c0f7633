"""The image package against the committed toy kernel."""

import pytest

from emu.errors import NoSite
from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.machine.boot import load

NOP5 = bytes.fromhex("0f1f440000")


def test_every_site_is_a_nop_or_a_call_of_fentry_at_the_entry_of_a_function(toy: ElfImage) -> None:
    fentry = f"call 0x{toy.symbols['__fentry__'].address:x}"
    calls = 0
    for site in toy.sites.all:
        code = toy.read_virtual(site, 5)
        assert code == NOP5 or str(decode_one(code, site)) == fentry, hex(site)
        calls += code != NOP5
    assert 320 < calls < len(toy.sites)
    for name, site in toy.sites.functions.items():
        assert toy.symbols.describe(site) in toy.sites.functions, name


def test_the_function_that_gave_way_has_a_site_and_no_name(toy: ElfImage) -> None:
    (nameless,) = set(toy.sites.all) - set(toy.sites.functions.values())
    assert toy.sites.of("arch_mix") < nameless < toy.sites.of("arch_unmix")
    assert toy.symbols.describe(nameless) not in toy.sites.functions


def test_functions_without_a_site(toy: ElfImage) -> None:
    for function in ("hash_next", "seq_put_dec", "memcpy", "poke_int3_handler", "__fentry__"):
        with pytest.raises(NoSite, match=function):
            toy.sites.of(function)


def test_cold_functions_are_behind_all_others(toy: ElfImage) -> None:
    start = toy.symbols["__cold_text_start"].address
    assert toy.sites.of("not_found") == max(toy.sites.all) >= start > toy.sites.of("test_cold")


@pytest.mark.parametrize(
    ("function", "unit"), [("ring_write", 8), ("cross_line", 64), ("cross_page", 4096)]
)
def test_some_sites_lie_across_a_border(toy: ElfImage, function: str, unit: int) -> None:
    site = toy.sites.of(function)
    assert site // unit != (site + 4) // unit
    assert function == "cross_page" or site // 4096 == (site + 4) // 4096


def test_the_descriptors_the_patcher_writes(toy: ElfImage) -> None:
    entry = toy.types.struct("struct text_poke_loc")
    assert entry.size == 16
    offsets = {name: entry.member(name).offset for name in entry.names()}
    assert offsets == {"rel_addr": 0, "disp": 4, "len": 8, "opcode": 9, "text": 10, "old": 15}


def test_its_global_objects_can_be_read(toy: ElfImage) -> None:
    objects = Objects(toy.symbols, toy.types, toy.read_virtual)
    vector, descriptor = objects["tp_vec"], objects["bp_desc"]
    assert isinstance(vector, Object)
    assert isinstance(descriptor, Object)
    assert len(vector) == 256
    assert descriptor.refs == 0
    assert descriptor.address_of_("refs") > descriptor.address_


def test_it_fits_into_the_ram_of_a_small_machine(toy: ElfImage) -> None:
    load(toy.boot_image, memoryview(bytearray(16 << 20)), "selftest", 4)
