import struct
from dataclasses import replace

import pytest

from emu.errors import BadImage, BadSymbol, NoSite
from emu.image.elf import ElfImage
from tests.image.elf_builder import DEFAULT_SYMBOLS, NOTYPE, VIRTUAL, Builder, Sym, text


def with_table(*sites: int) -> ElfImage:
    table = struct.pack(f"<{len(sites)}Q", *sites)
    stop = replace(DEFAULT_SYMBOLS[-1], value=VIRTUAL + 0x30 + len(table))
    built = Builder(code=text()[:0x30] + table, symbols=(*DEFAULT_SYMBOLS[:-1], stop)).build()
    return ElfImage("k.elf", built)


def test_sites_are_found_at_the_entry_and_behind_endbr64(small: ElfImage) -> None:
    assert small.sites.of("first") == VIRTUAL
    assert small.sites.of("second") == VIRTUAL + 0x14
    assert small.sites.all == (VIRTUAL, VIRTUAL + 0x14)
    assert len(small.sites) == 2


def test_a_site_four_bytes_in_needs_an_endbr64() -> None:
    image = with_table(VIRTUAL + 4)
    assert image.sites.all == (VIRTUAL + 4,)
    with pytest.raises(NoSite):
        image.sites.of("first")


def test_the_table_may_be_in_any_order() -> None:
    assert with_table(VIRTUAL + 0x14, VIRTUAL).sites.all == (VIRTUAL, VIRTUAL + 0x14)


def test_entries_that_were_dropped_are_no_sites() -> None:
    # Linux 6.12 has zeros at the head of its table, for weak functions that were replaced.
    assert with_table(0, 0, VIRTUAL).sites.all == (VIRTUAL,)


def test_a_function_without_a_site_says_so(small: ElfImage) -> None:
    with pytest.raises(NoSite, match=r"small\.elf: 'bare' has no site"):
        small.sites.of("bare")
    with pytest.raises(BadSymbol, match=r"no function 'firts'.*did you mean first"):
        small.sites.of("firts")


def test_an_image_without_a_table_says_how_to_build_one() -> None:
    image = ElfImage("k.elf", Builder(symbols=DEFAULT_SYMBOLS[:3]).build())
    with pytest.raises(NoSite, match="-mrecord-mcount"):
        image.sites.of("first")


def test_sites_outside_code_are_refused() -> None:
    with pytest.raises(BadImage, match="0xffffffff8020007c is not in executable memory"):
        _ = with_table(VIRTUAL + 0x7C).sites  # its last byte is behind the segment
    assert with_table(VIRTUAL + 0x7B).sites.all == (VIRTUAL + 0x7B,)


@pytest.mark.parametrize("stop", [VIRTUAL + 0x28, VIRTUAL + 0x3F, VIRTUAL + 0x88, 2**64 - 8])
def test_a_malformed_table_is_refused(stop: int) -> None:
    symbols = (*DEFAULT_SYMBOLS[:-1], Sym("__stop_mcount_loc", stop, 0, NOTYPE))
    with pytest.raises(BadImage):
        _ = ElfImage("k.elf", Builder(symbols=symbols).build()).sites
