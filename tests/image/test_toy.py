"""The image package against the committed toy kernel."""

from emu.image.disasm import decode_one
from emu.image.elf import ElfImage
from emu.image.objects import Object, Objects
from emu.machine.boot import load

NOP5 = bytes.fromhex("0f1f440000")


def test_every_site_is_a_nop_at_the_entry_of_a_function(toy: ElfImage) -> None:
    assert len(toy.sites) >= 30
    assert set(toy.sites.functions.values()) == set(toy.sites.all)
    for name, site in toy.sites.functions.items():
        code = toy.read_virtual(site, 5)
        assert code == NOP5 or decode_one(code, site).mnemonic == "call", name
        assert toy.symbols.describe(site) in toy.sites.functions


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
