"""Call frame information: gcc's own, compared with pyelftools, and each rule by hand."""

import io
import struct

import pytest
from elftools.dwarf.callframe import FDE, CallFrameInfo
from elftools.dwarf.structs import DWARFStructs

from emu.errors import BadImage
from emu.image.call_frames import MAX_BYTES, CallFrames
from emu.image.elf import ElfImage
from emu.image.frame_rules import ENTERED, RBP, RBX, RIP, RSP, Rule
from tests.image.elf_builder import Builder
from tests.image.frame_builder import ADDRESS, DEBUG, cie, eh_frame, entry, fde, section, sleb, uleb

CODE = 0xFFFFFFFF80200000


OVERLAPPING = b"".join(
    struct.pack("<IIB", 400 - 13 * at, DEBUG, 1) + b"\0" + uleb(1) + sleb(-8) + b"\x10"
    for at in range(3)
) + bytes(400 - 3 * 13 + 4) + b"".join(fde(13 * at, CODE, 4) for at in range(3))  # fmt: skip
"""Each CIE begins a little later, and all reach to the same end: together more than there is."""


def frames(program: bytes, size: int = 16) -> CallFrames:
    return CallFrames("test", section((CODE, size, program)))


def test_gcc_says_what_pyelftools_reads(toy: ElfImage) -> None:
    data = toy._debug_sections()[".debug_frame"]
    structs = DWARFStructs(little_endian=True, dwarf_format=32, address_size=8)
    oracle = CallFrameInfo(io.BytesIO(data), len(data), 0, structs)
    at, compared = 0, 0
    while at < len(data):
        length, identity = struct.unpack_from("<II", data, at)
        if identity != 0xFFFFFFFF and data[identity + 9] == 0:  # "S" is more than it can read
            found = oracle._parse_entry_at(at)
            assert isinstance(found, FDE)
            rows = found.get_decoded().table
            ends = [row["pc"] for row in rows[1:]]
            begin, size = found.header.initial_location, found.header.address_range
            for row, end in zip(rows, [*ends, begin + size], strict=True):
                for address in range(row["pc"], end):
                    rules = toy.frames.at(address)
                    assert rules is not None
                    assert (rules.base, rules.cfa.value) == (row["cfa"].reg, row["cfa"].offset)
                    named = {
                        number: rule for number, rule in row.items() if number not in ("pc", "cfa")
                    }
                    assert {
                        n: (r.type.lower().removesuffix("_value"), r.arg or 0)
                        for n, r in named.items()
                    } == {n: (r.kind, r.value) for n, r in rules.registers.items()}
                    compared += 1
        at += 4 + length
    assert compared > 10_000


def test_where_a_function_begins_its_return_address_is_on_top(toy: ElfImage) -> None:
    for name in ("vfs_read", "ring_write", "panic"):
        assert toy.frames.at(toy.symbols[name].address) == ENTERED


def test_outside_all_functions_nothing_is_known(toy: ElfImage) -> None:
    found = frames(b"")
    assert [found.at(CODE + at) is None for at in (-1, 0, 15, 16)] == [True, False, False, True]
    whole = CODE, CODE + 16
    assert [found.span(CODE + at) for at in (-1, 0, 15, 16)] == [None, whole, whole, None]
    assert toy.frames.at(toy.symbols["poke_arena"].address) is None
    assert len(ElfImage("small", Builder().build()).frames) == 0
    assert CallFrames("huge", bytes(MAX_BYTES + 1)).at(0) is None


def test_rules_change_where_the_program_says() -> None:
    """push rbp; (2 bytes) mov rbp, rsp; ...; leave."""
    program = bytes(
        [
            0x41,
            0x0E,
            16,
            0x86,
            2,
            0x02,
            3,
            0x0D,
            RBP,
            0x0A,
            0x03,
            4,
            0,
            0xC6,
            0x0C,
            RSP,
            8,
            0x41,
            0x0B,
        ]
    )
    found = frames(program)
    saved = {RIP: Rule("offset", -8), RBP: Rule("offset", -16)}
    want = {
        0: (RSP, 8, {RIP: Rule("offset", -8)}),
        1: (RSP, 16, saved),
        3: (RSP, 16, saved),
        4: (RBP, 16, saved),
        7: (RBP, 16, saved),
        8: (RSP, 8, {RIP: Rule("offset", -8)}),
        9: (RBP, 16, saved),
        15: (RBP, 16, saved),
    }
    for at, (base, offset, registers) in want.items():
        rules = found.at(CODE + at)
        assert rules is not None
        assert (rules.base, rules.cfa.value, dict(rules.registers)) == (base, offset, registers), at


@pytest.mark.parametrize(
    ("program", "column", "rule"),
    [
        (bytes([0x05, 3, 4]), RBX, Rule("offset", -32)),
        (bytes([0x11, 3]) + sleb(-2), RBX, Rule("offset", 16)),
        (bytes([0x2F, 3, 2]), RBX, Rule("offset", 16)),
        (bytes([0x14, 7, 2]), RSP, Rule("val_offset", -16)),
        (bytes([0x15, 7]) + sleb(-3), RSP, Rule("val_offset", 24)),
        (bytes([0x07, 16]), RIP, Rule("undefined")),
        (bytes([0x08, 16]), RIP, Rule("same")),
        (bytes([0x09, 16, 2]), RIP, Rule("register", 2)),
        (bytes([0x10, 3, 2, 0x77, 8]), RBX, Rule("expression", code=b"\x77\x08")),
        (bytes([0x16, 3, 1, 0x31]), RBX, Rule("val_expression", code=b"\x31")),
        (bytes([0x07, 3, 0x06, 3]), RBX, None),
        (bytes([0x07, 16, 0x06, 16]), RIP, Rule("offset", -8)),
        (
            bytes([0x07, 3]) + b"\x01" + struct.pack("<Q", CODE + 1) + b"\x08\x03",
            RBX,
            Rule("undefined"),
        ),
        (bytes([0x2E, 8, 0x07, 3]), RBX, Rule("undefined")),
    ],
)
def test_each_rule_of_a_register(program: bytes, column: int, rule: Rule | None) -> None:
    rules = frames(program).at(CODE)
    assert rules is not None
    assert rules.registers.get(column) == rule
    assert rules.outermost == (rule is not None and (column, rule.kind) == (RIP, "undefined"))


@pytest.mark.parametrize(
    ("program", "base", "cfa"),
    [
        (bytes([0x12, 6]) + sleb(-2), RBP, Rule("val_offset", 16)),
        (bytes([0x13]) + sleb(-4), RSP, Rule("val_offset", 32)),
        (bytes([0x0F, 2, 0x77, 16]), RSP, Rule("val_expression", code=b"\x77\x10")),
    ],
)
def test_each_rule_of_the_cfa(program: bytes, base: int, cfa: Rule) -> None:
    rules = frames(program).at(CODE)
    assert rules is not None
    assert (rules.base, rules.cfa) == (base, cfa)


def test_columns_of_vectors_are_dropped() -> None:
    rules = frames(bytes([0x07]) + uleb(1000)).at(CODE)
    assert rules is not None
    assert set(rules.registers) == {RIP}


def test_a_signal_frame_is_told_in_debug_frame() -> None:
    plain, signal = (
        CallFrames("test", section((CODE, 4, b""), augmentation=a)) for a in (b"", b"S")
    )
    assert [found.at(CODE).signal_frame for found in (plain, signal)] == [False, True]  # type: ignore[union-attr]


def test_an_augmentation_that_nobody_knows_says_nothing() -> None:
    assert CallFrames("test", section((CODE, 4, b""), augmentation=b"armcc+")).at(CODE) is None


def test_versions_of_a_cie() -> None:
    for version in (1, 3, 4):
        assert CallFrames("test", cie(version=version) + fde(0, CODE, 4)).at(CODE) == ENTERED
    assert CallFrames("test", cie(version=5) + fde(0, CODE, 4)).at(CODE) is None


def test_eh_frame_has_relative_addresses() -> None:
    found = CallFrames("test", b"", eh_frame(), ADDRESS)
    rules = [found.at(CODE + offset) for offset in range(5)]
    assert [r and (r.cfa.value, r.signal_frame) for r in rules] == [
        (8, True),
        *[(16, True)] * 3,
        None,
    ]


def test_of_functions_at_one_place_the_smallest_is_not_hidden() -> None:
    found = CallFrames("test", section((CODE, 16, b""), (CODE + 16, 16, b"\x0e\x10"), (0, 0, b"")))
    assert [found.at(CODE + at).cfa.value for at in (15, 16, 31)] == [8, 16, 16]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data",
    [
        cie()[:-1],
        cie() + fde(4, CODE, 4),
        cie() + fde(1000, CODE, 4),
        cie(column=200) + fde(0, CODE, 4),
        fde(0, CODE, 4),  # its own CIE
        b"\xff\xff\xff\xff" + bytes(16),
        cie() + entry(struct.pack("<IQ", 0, CODE)),
        cie(augmentation=b"zR", data=b"\x50") + fde(0, CODE, 4),
        cie(augmentation=b"zR") + fde(0, CODE, 4),
        OVERLAPPING,
    ],
)
def test_malformed_sections_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage, match=r"^test: call frame information is malformed"):
        CallFrames("test", data)


@pytest.mark.parametrize(
    "program",
    [
        b"\x0b",
        b"\x3f",
        b"\x00\x00\x05\x03",
        b"\x0e" + b"\x80" * 10 + b"\x01",
        b"\x0f\x01\x30\x0e\x08",
        b"\x10\x03\x7f",
        b"\x01" + struct.pack("<Q", CODE - 1),
        b"\x0a" * 65,
        bytes((1 << 16) + 4),
        b"\x41" * 10_001,
    ],
)
def test_malformed_programs_are_refused_when_they_are_needed(program: bytes) -> None:
    found = frames(program)
    assert found.at(CODE - 1) is None
    with pytest.raises(BadImage, match="malformed"):
        found.at(CODE)
    with pytest.raises(BadImage, match="no rule for the CFA"):
        CallFrames("test", cie(b"") + fde(0, CODE, 4)).at(CODE)
