"""ORC tables: which entry an address has, and what it says."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import BadImage
from emu.image.c_types import IntType, Member, StructType
from emu.image.cursor import Malformed
from emu.image.elf import ElfImage
from emu.image.frame_expression import evaluate
from emu.image.frame_rules import CS, RBP, RBX, RDX, RIP, RSP, Rule, Rules
from emu.image.orc import OrcTable
from emu.image.orc_layout import NEW, OLD, WITH_SIGNAL, OrcLayout
from emu.image.orc_rules import END
from tests.image import orc_builder as orc
from tests.image.elf_builder import DEFAULT_SYMBOLS, VIRTUAL, Builder, Sym
from tests.image.orc_builder import BP, LAYOUTS, PLACE, PREV_SP, SP, entry, tables

TERMINATOR = entry("undefined")


def table(*rows: tuple[int, bytes], layout: OrcLayout | None = NEW) -> OrcTable:
    ips, entries = tables(rows)
    return OrcTable("small", ips, PLACE, entries, layout)


def rules(data: bytes, layout: OrcLayout | None = NEW) -> Rules | None:
    return table((VIRTUAL, data), layout=layout).at(VIRTUAL)


def cfa(found: Rules | None) -> tuple[int, int] | None:
    return None if found is None else (found.base, found.cfa.value)


# --- which entry -------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40).map(sorted), st.integers(-5, 310))
def test_an_address_has_the_last_entry_that_is_not_behind_it(places: list[int], at: int) -> None:
    rows = [(VIRTUAL + place, entry(sp=(SP, 8 * n))) for n, place in enumerate(places)]
    wanted = [n for n, place in enumerate(places) if place <= at]
    found = table(*rows).at(VIRTUAL + at)
    assert cfa(found) == ((RSP, 8 * wanted[-1]) if wanted else None)


def test_what_a_terminator_ends_is_not_known() -> None:
    """Where the next section begins at once, its own entry stands behind the terminator."""
    small = table(
        (VIRTUAL, entry()),
        (VIRTUAL + 8, TERMINATOR),
        (VIRTUAL + 8, entry(sp=(SP, 16))),
        (VIRTUAL + 16, TERMINATOR),
    )
    assert cfa(small.at(VIRTUAL + 7)) == (RSP, 8)
    assert cfa(small.at(VIRTUAL + 8)) == (RSP, 16)
    assert small.at(VIRTUAL + 16) is None
    assert small.at((1 << 64) - 1) is None
    assert small.at(0) is None
    assert small.at(-1) is None
    assert small.at(1 << 64) is None
    assert len(small) == 4


def test_rows_begin_with_that_of_the_first_address() -> None:
    small = table(*((VIRTUAL + at, entry(sp=(SP, at))) for at in (0, 8, 16, 24)))
    assert [at - VIRTUAL for at, _ in small.rows(VIRTUAL + 9, VIRTUAL + 24)] == [8, 16]
    assert [at - VIRTUAL for at, _ in small.rows(0, VIRTUAL + 1)] == [0]


# --- what it says ------------------------------------------------------------------------------


@given(st.integers(-(1 << 15), (1 << 15) - 1), st.integers(-(1 << 15), (1 << 15) - 1))
def test_a_function_that_called(sp: int, bp: int) -> None:
    found = rules(entry(sp=(BP, sp), bp=(PREV_SP, bp)))
    assert found
    assert cfa(found) == (RBP, sp)
    assert found.registers[RBP] == Rule("offset", bp)
    assert found.registers[RIP] == Rule("offset", -8)
    assert found.registers[RBX].kind == "undefined", "nothing says where it is saved"
    assert not found.signal_frame


def test_rbp_is_as_it_was_where_nothing_is_said() -> None:
    found = rules(entry())
    assert found
    assert RBP not in found.registers
    assert not found.outermost


def test_registers_on_the_stack() -> None:
    """struct pt_regs has 21 words, the last five of which a core has pushed."""
    found = rules(entry("regs", (SP, 16)))
    assert found
    assert found.signal_frame
    assert cfa(found) == (RSP, 16 + 168)
    words = {column: (rule.value + 168) // 8 for column, rule in found.registers.items()}
    assert words == {
        15: 0, 14: 1, 13: 2, 12: 3, RBP: 4, RBX: 5, 11: 6, 10: 7, 9: 8, 8: 9, 0: 10, 2: 11, 1: 12,
        4: 13, 5: 14, RIP: 16, CS: 17, RSP: 19,
    }  # fmt: skip


def test_what_a_core_has_pushed() -> None:
    found = rules(entry("regs partial", (orc.DX, 8)))
    assert found
    assert cfa(found) == (RDX, 8 + 40)
    assert {n: rule.value for n, rule in found.registers.items()} == {RIP: -40, CS: -32, RSP: -16}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_end_of_a_stack(layout: OrcLayout) -> None:
    assert rules(entry("end", layout=layout), layout) == END
    assert END.outermost


@pytest.mark.parametrize("sp", [(0, 8), (10, 8), (15, 0)])
def test_a_base_that_there_is_not(sp: tuple[int, int]) -> None:
    assert rules(entry(sp=sp)) is None


def test_other_entries_that_say_nothing() -> None:
    assert rules(entry(bp=(SP, 8))) is None
    assert rules(struct.pack("<2hBB", 8, 0, SP, 5)) is None, "a type that there is not"
    assert rules(struct.pack("<2hBB", 8, 0, SP, 3), OLD) is None, "a type of objtool's"


# --- layouts -----------------------------------------------------------------------------------

KINDS = ("call", "call", "call", "regs", "regs partial", "end", "undefined")


@pytest.mark.parametrize("layout", LAYOUTS, ids=["old", "with signal", "new"])
def test_a_layout_is_known_by_its_entries(layout: OrcLayout) -> None:
    rows = [(VIRTUAL + 8 * n, entry(kind, layout=layout)) for n, kind in enumerate(KINDS)]
    small = table(*rows, layout=None)
    assert small.layout == layout
    found = [small.at(at) for at, _ in rows]
    assert [r and (r.signal_frame, r.outermost) for r in found] == [
        *[(False, False)] * 3, *[(True, False)] * 2, (False, True), None
    ]  # fmt: skip


def described(*extra: tuple[str, int, int], size: int = 6) -> StructType:
    """Return struct orc_entry, its bitfields in storage of 2 bytes."""
    unsigned, short = IntType("unsigned int", 4, signed=False), IntType("short", 2, signed=True)
    fields = (("sp_reg", 0, 4), ("bp_reg", 4, 4), *extra)
    members = tuple(Member(name, 4, 2, unsigned, bit, count) for name, bit, count in fields)
    offsets = (Member("sp_offset", 0, 2, short), Member("bp_offset", 2, 2, short))
    return StructType("struct orc_entry", size, (*offsets, *members))


@pytest.mark.parametrize(
    ("extra", "layout"),
    [
        ((("type", 8, 2), ("end", 10, 1)), OLD),
        ((("type", 8, 2), ("signal", 10, 1), ("end", 11, 1)), WITH_SIGNAL),
        ((("type", 8, 3), ("signal", 11, 1)), NEW),
    ],
)
def test_a_layout_is_as_type_information_says(
    extra: tuple[tuple[str, int, int], ...], layout: OrcLayout
) -> None:
    assert OrcLayout.of(described(*extra)) == layout


def test_a_structure_that_is_none() -> None:
    for kind in (
        described(),
        described(("type", 8, 3), size=8),
        described(("type", 14, 3)),
        IntType("int", 4, signed=True),
    ):
        with pytest.raises(Malformed):
            OrcLayout.of(kind)


# --- files -------------------------------------------------------------------------------------


def image(*names: str, place: int = VIRTUAL + 0x40) -> ElfImage:
    """Return an image with a table at its end, and symbols for it."""
    ips, entries = tables([(VIRTUAL, entry()), (VIRTUAL + 6, TERMINATOR)], place)
    builder = Builder()
    builder.code += ips + entries
    bounds = {
        "__start_orc_unwind_ip": place,
        "__stop_orc_unwind_ip": place + 8,
        "__start_orc_unwind": place + 8,
        "__stop_orc_unwind": place + 20,
    }
    builder.symbols = DEFAULT_SYMBOLS + tuple(Sym(name, bounds[name], 0, 0) for name in names)
    builder.memsz = 0x100
    return ElfImage("small", builder.build())


ALL = tuple(f"__{side}_orc_unwind{kind}" for side in ("start", "stop") for kind in ("_ip", ""))


def test_a_kernel_has_its_table_between_symbols() -> None:
    found = OrcTable.of(image(*ALL))
    assert len(found) == 2
    assert cfa(found.at(VIRTUAL + 5)) == (RSP, 8)
    assert found.at(VIRTUAL + 6) is None


def test_a_kernel_without_tables() -> None:
    with pytest.raises(BadImage, match="small has no ORC tables"):
        OrcTable.of(image(*ALL[1:]))


@pytest.mark.parametrize(
    ("ips", "entries", "why"),
    [
        (b"", b"", "0 bytes of addresses"),
        (bytes(7), bytes(6), "7 bytes of addresses"),
        (bytes(8), bytes(6), "2 addresses and 6 bytes"),
        (struct.pack("<2i", 8, 0), bytes(12), "do not ascend"),
    ],
)
def test_malformed_tables(ips: bytes, entries: bytes, why: str) -> None:
    with pytest.raises(BadImage, match=f"small: the ORC table is malformed: .*{why}"):
        OrcTable("small", ips, PLACE, entries)


# --- indirect bases ----------------------------------------------------------------------------


@given(st.integers(-(1 << 15), (1 << 15) - 1), st.sampled_from(["call", "regs", "regs partial"]))
def test_a_base_that_is_in_memory(offset: int, kind: str) -> None:
    """The offset is added before RBP is followed, but after RSP is."""
    above = {"call": 0, "regs": 168, "regs partial": 40}[kind]
    base, there = 0x100000, 0x900000
    for register, at, wanted in (
        (orc.BP_INDIRECT, base + offset, there + above),
        (orc.SP_INDIRECT, base, there + offset + above),
    ):
        found = rules(entry(kind, (register, offset)))
        assert found
        read: list[int] = []

        def memory(address: int, _size: int, read: list[int] = read) -> int:
            read.append(address)
            return there

        assert evaluate(found.cfa.code, lambda _: base, memory) == wanted
        assert read == [at]


@given(st.integers(-(1 << 15), (1 << 15) - 1))
def test_rbp_saved_relative_to_rbp(offset: int) -> None:
    found = rules(entry(sp=(orc.R10, 0), bp=(BP, offset)))
    assert found
    rule = found.registers[RBP]
    assert rule.kind == "expression"
    assert evaluate(rule.code, lambda column: column << 20, lambda *_: 0) == (RBP << 20) + offset
