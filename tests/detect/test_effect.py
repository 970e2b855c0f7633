"""Every mix of a nop and a call, executed and told apart: intended, harmless, harmful."""

import itertools
import struct

import pytest

from emu.detect.effect import effects, harmful
from emu.patch.text_poke import NOP5

TEXT = 0xFFFFFFFF80202000
PLACES = {
    "inside a word": TEXT + 0x640,
    "over two words": TEXT + 0x646,
    "over two lines": TEXT + 0x63E,
    **{f"over two pages at {k}": TEXT + 0x1000 - k for k in (1, 2, 3, 4)},
    "low half": 0x40_0000,
}


def mixes(call: bytes) -> set[bytes]:
    """Return every choice of a byte of the one or of the other, but the two themselves."""
    return {bytes(mix) for mix in itertools.product(*zip(NOP5, call, strict=True))} - {NOP5, call}


def call(displacement: int) -> bytes:
    return b"\xe8" + struct.pack("<i", displacement)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    ("displacement", "every", "bad"),
    [(0x12345678, 30, 27), (-0x01E00106, 30, 27), (0x1000, 6, 6), (0x12340, 14, 13)],
)
def test_mixes_of_a_nop_and_a_call(place: int, displacement: int, every: int, bad: int) -> None:
    legal = NOP5, call(displacement)
    found = mixes(legal[1])
    harmless = {mix for mix in found if not harmful(mix, legal, place)}
    assert (len(found), len(found - harmless)) == (every, bad)
    # the harmless ones are nops of 5 bytes as well: only what the nop ignores has changed
    assert all(mix.startswith(b"\x0f\x1f\x44") for mix in harmless)


def test_a_torn_nop_and_a_torn_call_are_harmful() -> None:
    # what a torn nop5 and call come to: #UD, and a wild call to ip + 5 + 0x441f
    ip, whole = 0xFFFFFFFF81000100, bytes.fromhex("e8fbfe1f3f")
    undefined, wild = bytes.fromhex("0ffbfe1f3f"), bytes.fromhex("e81f440000")
    assert harmful(undefined, (NOP5, whole), ip)
    assert harmful(wild, (NOP5, whole), ip)
    assert {effect.rip for effect in effects(wild, ip)} == {0xFFFFFFFF81004524}


def test_an_effect_is_where_it_goes_what_it_changes_and_what_it_writes() -> None:
    at = TEXT
    (nop, _), (other_nop, _) = effects(NOP5, at), effects(b"\x66\x66\x66\x66\x90", at)
    assert nop == other_nop
    assert nop.rip == at + 5
    assert nop.vector is None
    assert effects(b"\xe8\0\0\0\0", at)[0].written != nop.written
    assert effects(b"\xe8\0\0\0\0", at)[0].rip == nop.rip
    assert effects(b"\xb8\x01\0\0\0", at)[0].registers != nop.registers
    assert effects(b"\xf8\x66\x66\x66\x90", at)[0].rip == at + 1
    assert effects(b"\x0f\x0b", at)[0].vector == 6
    assert effects(b"\xcc", at)[0].vector == 3
    assert effects(b"\xf4", at)[0].vector is None
    assert not harmful(b"\x66\x66\x66\x66\x90", (NOP5,), at)
    assert harmful(b"\x66\x66\x66\x90\x90", (NOP5,), at)


def test_two_register_files_tell_apart_what_one_cannot() -> None:
    # add rax, imm8 with the value that one register file happens to make equal to the other's
    first, second = effects(NOP5, TEXT)
    assert first.registers != second.registers
    add = effects(b"\x48\x83\xc0\x00\x90", TEXT)  # adds 0: flags tell
    assert add[0].rip == TEXT + 4
