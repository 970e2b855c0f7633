"""Symbols of a stripped kernel, from its own tables."""

import random
import struct
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.image import kallsyms
from emu.image.elf import ElfImage
from emu.image.symbols import Symbol
from tests.image.elf_builder import VIRTUAL
from tests.image.kallsyms_builder import ROOM, Form, Order, kernel

Rows = list[tuple[int, str]]


def some(count: int, seed: int = 1, *, percpu: int = 0, longest: int = 30) -> Rows:
    """Return that many symbols, by address; the first `percpu` of them are per-CPU."""
    chance = random.Random(seed)  # noqa: S311 -- a test
    low = sorted(chance.randrange(0, 0x8000) for _ in range(percpu))
    high = sorted(VIRTUAL + chance.randrange(ROOM // 8) * 8 for _ in range(count - percpu))
    rows = []
    for row, address in enumerate(low + high):
        size = chance.randrange(1, longest)
        name = "".join(chance.choices("_aeintrs0123456789.", k=size)) + str(row)
        rows.append((address, ("A" if row < percpu else chance.choice("TtDdRrBb")) + name))
    return rows


def plain(image: ElfImage) -> list[tuple[int, str]]:
    return [(symbol.address, symbol.name) for symbol in image.symbols]


@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize("form", get_args(Form))
def test_each_order_and_each_form_of_the_tables_is_read(order: Order, form: Form) -> None:
    rows = some(700, percpu=20 if form == "percpu" else 0)
    image = ElfImage("vmlinux", kernel(rows, order, form))
    assert plain(image) == [(address, name[1:]) for address, name in rows]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(data: st.DataObject) -> None:
    count = data.draw(st.sampled_from((257, 258, 511, 512, 513, 768, 1000)))
    form = data.draw(st.sampled_from(get_args(Form)))
    percpu = data.draw(st.integers(0, 100)) if form == "percpu" else 0
    rows = some(count, data.draw(st.integers(0, 1 << 32)), percpu=percpu, longest=40)
    before = bytes(data.draw(st.integers(0, 30)) * 8)
    order = data.draw(st.sampled_from(get_args(Order)))
    image = ElfImage("vmlinux", kernel(rows, order, form, before))
    assert plain(image) == [(address, name[1:]) for address, name in rows]


def test_a_name_of_over_127_tokens_has_a_length_of_two_bytes() -> None:
    rows = some(300)
    long = "bcdfghjklmpquvwxyz" * 28
    rows[40] = (rows[40][0], "T" + long)
    rows[41] = (rows[41][0], "T" + long[:300])
    rows[299] = (rows[299][0], "t" + long + "z")
    image = ElfImage("vmlinux", kernel(rows, "6.4", "percpu"))
    assert plain(image) == [(address, name[1:]) for address, name in rows]


def test_letters_say_kind_and_who_sees_it_and_the_next_address_the_size() -> None:
    rows = [
        (0x0, "A__per_cpu_start"), (0x1000, "Arunqueues"), (0x1400, "A__per_cpu_end"),
        (VIRTUAL, "T_stext"), (VIRTUAL, "Tfirst"), (VIRTUAL + 0x10, "tsecond"),
        (VIRTUAL + 0x20, "Wweak"), (VIRTUAL + 0x30, "T_etext"), (VIRTUAL + 0x30, "Wat_end"),
        (VIRTUAL + 0x40, "Dinit_task"), (VIRTUAL + 0x40, "dalias"), (VIRTUAL + 0x60, "rtable"),
        (VIRTUAL + 0x70, "Wweak_data"), (VIRTUAL + 0x78, "Vweak_object"),
    ]  # fmt: skip
    rows += [(VIRTUAL + 0x80 + 8 * row, f"b{row}") for row in range(300)]
    symbols = ElfImage("vmlinux", kernel(rows, "6.1", "percpu")).symbols
    assert symbols["first"] == Symbol("first", VIRTUAL, 0x10, "func")
    assert symbols["second"] == Symbol("second", VIRTUAL + 0x10, 0x10, "func", is_global=False)
    assert symbols["weak"] == Symbol("weak", VIRTUAL + 0x20, 0x10, "func")
    assert symbols["_etext"].kind == "func"
    assert symbols["at_end"].kind == "object"
    assert symbols["init_task"] == Symbol("init_task", VIRTUAL + 0x40, 0x20, "object")
    assert symbols["alias"].size == 0x20
    assert symbols["table"] == Symbol("table", VIRTUAL + 0x60, 0x10, "object", is_global=False)
    assert symbols["weak_data"] == Symbol("weak_data", VIRTUAL + 0x70, 8, "object")
    assert symbols["weak_object"].is_global
    assert symbols["runqueues"] == Symbol("runqueues", 0x1000, 0x400, "percpu")
    assert symbols["__per_cpu_end"].size == 0
    assert symbols["299"].size == 0
    assert symbols.describe(VIRTUAL + 0x43) == "init_task+0x3"
    assert symbols.describe(VIRTUAL + 5) == "_stext+0x5"  # the first of an address, as the kernel
    assert symbols.describe(0x1008) == "0x1008"  # no address


def test_of_one_name_the_global_function_is_meant_and_all_are_found() -> None:
    rows = some(400)
    for row, letter in ((10, "d"), (20, "t"), (30, "T"), (35, "T")):
        rows[row] = (rows[row][0], letter + "twice")
    symbols = ElfImage("vmlinux", kernel(rows, "6.4", "relative")).symbols
    assert symbols["twice"].address == rows[30][0]
    assert [each.address for each in symbols.all("twice")] == [
        rows[row][0] for row in (10, 20, 30, 35)
    ]
    assert symbols.function("twice").is_global
    assert "twice" in symbols
    assert "thrice" not in symbols
    assert symbols.get("thrice") is None
    assert len(symbols) == 400


def test_tables_that_disagree_are_none() -> None:
    rows = some(600)
    good = kernel(rows, "6.4", "percpu")
    assert len(ElfImage("vmlinux", good).symbols) == 600
    at = good.index((600).to_bytes(8, "little"))
    for count in (0, 599, 601, 1 << 31):
        bad = good[:at] + count.to_bytes(8, "little") + good[at + 8 :]
        assert len(ElfImage("vmlinux", bad).symbols) == 0
    unsorted = [rows[1], rows[0], *rows[2:]]
    assert rows[0][0] != rows[1][0]
    assert len(ElfImage("vmlinux", kernel(unsorted, "6.4", "percpu")).symbols) == 0
    forms: tuple[Form, ...] = ("percpu", "place", "absolute")
    for form in forms:
        for outside in (
            [*rows[:-1], (VIRTUAL + 0x1000000, "Tout")],
            [(VIRTUAL - 8, "Tout"), *rows[1:]],
        ):
            assert len(ElfImage("vmlinux", kernel(outside, "6.4", form)).symbols) == 0
    nameless = [*rows[:7], (rows[7][0], ""), *rows[8:]]
    assert len(ElfImage("vmlinux", kernel(nameless, "6.4", "percpu")).symbols) == 0


def changed(part: str, change: Callable[[bytes], bytes]) -> int:
    """Return how many symbols are found if one table is changed."""

    def spoil(parts: dict[str, bytes]) -> None:
        parts[part] = change(parts[part])

    return len(ElfImage("vmlinux", kernel(some(700), "6.4", "relative", spoil=spoil)).symbols)


def test_each_table_has_to_fit_the_others() -> None:
    assert changed("names", lambda names: names) == 700
    assert changed("names", lambda names: names + bytes(8)) == 0
    assert changed("names", lambda names: names + b"\1") == 0
    assert changed("tokens", lambda tokens: tokens + bytes(8)) == 0
    assert changed("tokens", lambda tokens: tokens + b"x") == 0
    assert changed("index", lambda index: index[:-2] + b"\xff\xff") == 0


def test_a_marker_is_where_a_group_of_names_ends() -> None:
    def spoil(parts: dict[str, bytes]) -> None:
        zero, first, second = struct.unpack_from("<3I", parts["markers"])
        first += 1 + parts["names"][first]  # the next name
        parts["markers"] = struct.pack("<3I", zero, first, second)

    image = ElfImage("vmlinux", kernel(some(700), "6.4", "relative", spoil=spoil))
    assert len(image.symbols) == 0


def test_what_looks_like_one_marker_more_is_none() -> None:
    """Sequence numbers may stand right behind the markers, and be any numbers."""

    def spoil(parts: dict[str, bytes]) -> None:
        last = int.from_bytes(parts["markers"][-4:], "little")
        parts["seqs"] = (last + 1000).to_bytes(4, "little") + parts["seqs"][4:]

    image = ElfImage("vmlinux", kernel(some(512), "6.2", "absolute", spoil=spoil))
    assert len(image.symbols) == 512


def test_what_looks_like_markers_and_is_not_aligned_is_passed_over() -> None:
    rising = struct.pack("<6I", 1, 0, 1000, 2000, 3000, 0)
    image = kernel(some(300), "6.4", "percpu", before=rising * 3)
    assert len(ElfImage("vmlinux", image).symbols) == 300
    broken = image.replace((300).to_bytes(8, "little"), bytes(8))
    assert len(ElfImage("vmlinux", broken).symbols) == 0


def test_names_longer_than_any_kernels_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = some(300)
    image = kernel(rows, "6.1", "relative")
    monkeypatch.setattr(kallsyms, "MAX_TEXT", sum(len(name) + 1 for _, name in rows))
    assert len(ElfImage("vmlinux", image).symbols) == 300
    monkeypatch.setattr(kallsyms, "MAX_TEXT", kallsyms.MAX_TEXT - 1)
    assert len(ElfImage("vmlinux", image).symbols) == 0
