import pytest

from emu.errors import BadSymbol
from emu.image.elf import ElfImage
from emu.image.symbols import Symbol, Symbols
from tests.image.elf_builder import NOTYPE, OBJECT, VIRTUAL, Builder, Sym


def test_names_become_addresses_and_back(small: ElfImage) -> None:
    symbols = small.symbols
    assert symbols["second"] == Symbol("second", VIRTUAL + 0x10, 10, "func")
    assert symbols.describe(VIRTUAL + 0x10) == "second"
    assert symbols.describe(VIRTUAL + 0x15) == "second+0x5"
    assert symbols.at(VIRTUAL + 0x19) == (symbols["second"], 9)


def test_an_address_behind_a_sized_symbol_is_nobodys(small: ElfImage) -> None:
    assert small.symbols.at(VIRTUAL + 0x1A) is None
    assert small.symbols.describe(VIRTUAL + 0x1A) == "0xffffffff8020001a"
    assert small.symbols.describe(0) == "0x0"


def test_a_label_without_size_reaches_to_the_next_symbol() -> None:
    symbols = Symbols([Symbol("entry", 0x100, 0, "label"), Symbol("f", 0x200, 16, "func")])
    assert symbols.describe(0x1FF) == "entry+0xff"
    assert symbols.describe(0x210) == "0x210"


def test_a_label_without_size_names_a_page_at_the_most() -> None:
    symbols = Symbols([Symbol("end", 0x1000, 0, "label")])
    assert symbols.describe(0x1FFF) == "end+0xfff"
    assert symbols.describe(0x2000) == "0x2000"


def test_a_label_inside_a_function_does_not_hide_it() -> None:
    symbols = Symbols([Symbol("f", 0x100, 64, "func"), Symbol("inside", 0x110, 0, "label")])
    assert symbols.describe(0x112) == "f+0x12"
    assert symbols["inside"].address == 0x110


def test_a_sized_symbol_inside_another_ends_where_it_ends() -> None:
    symbols = Symbols([Symbol("outer", 0x100, 64, "func"), Symbol("part", 0x110, 8, "func")])
    assert symbols.describe(0x117) == "part+0x7"
    assert symbols.describe(0x118) == "outer+0x18"


def test_functions_come_before_data_and_global_before_local() -> None:
    data = Symbol("a_data", 0x100, 8, "object")
    local = Symbol("a_local", 0x100, 8, "func", is_global=False)
    chosen = Symbol("z_global", 0x100, 8, "func")
    for order in ([data, local, chosen], [chosen, local, data]):
        assert Symbols(order).describe(0x100) == "z_global"
    assert Symbols([data, local]).describe(0x100) == "a_local"


def test_a_name_used_twice_means_the_global_one() -> None:
    local = Symbol("init", 0x100, 8, "func", is_global=False)
    other = Symbol("init", 0x300, 8, "func")
    symbols = Symbols([local, other])
    assert symbols["init"] == other
    assert symbols.all("init") == (local, other)


def test_constants_have_names_but_no_place() -> None:
    symbols = Symbols([Symbol("SIZE", 0x108, 0, "absolute"), Symbol("f", 0x100, 16, "func")])
    assert symbols["SIZE"].address == 0x108
    assert symbols.describe(0x108) == "f+0x8"
    assert Symbols([Symbol("SIZE", 0x108, 0, "absolute")]).describe(0x108) == "0x108"


def test_kinds_are_read_and_noise_is_not() -> None:
    listed = (
        Sym("f", VIRTUAL, 4),
        Sym("data", VIRTUAL + 8, 8, OBJECT),
        Sym("bare", VIRTUAL + 16, 0, NOTYPE, binding=0),
        Sym("const", 5, 0, NOTYPE, section=0xFFF1),
        Sym(".Llocal", VIRTUAL, 0, NOTYPE),
        Sym("file.c", 0, 0, 4, binding=0, section=0xFFF1),
        Sym("", VIRTUAL, 0, 3, binding=0),
        Sym("elsewhere", 0, 0, NOTYPE, section=0),
    )
    image = ElfImage("k.elf", Builder(symbols=listed).build())
    assert {(each.name, each.kind, each.is_global) for each in image.symbols} == {
        ("f", "func", True),
        ("data", "object", True),
        ("bare", "label", False),
        ("const", "absolute", True),
    }


def test_unknown_names_are_answered_with_similar_ones(small: ElfImage) -> None:
    with pytest.raises(BadSymbol, match=r"no symbol 'frist' in small\.elf: did you mean first\?"):
        _ = small.symbols["frist"]
    assert small.symbols.get("frist") is None
    assert "frist" not in small.symbols


def test_only_functions_are_functions(small: ElfImage) -> None:
    assert small.symbols.function("first").address == VIRTUAL
    with pytest.raises(BadSymbol, match="no function '__start_mcount_loc'"):
        small.symbols.function("__start_mcount_loc")
