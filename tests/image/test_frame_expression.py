"""Expressions of call frame information."""

import struct

import pytest

from emu.image.cursor import Malformed
from emu.image.frame_expression import MAX_DEPTH, evaluate
from tests.image.frame_builder import sleb, uleb

WORD = (1 << 64) - 1
MEMORY = bytes(range(256))


def run(code: bytes, *stack: int) -> int:
    return evaluate(
        code,
        lambda column: 1000 * column,
        lambda at, size: int.from_bytes(MEMORY[at : at + size], "little"),
        stack,
    )


@pytest.mark.parametrize(
    ("code", "want"),
    [
        (b"\x77\x08", 7008),
        (b"\x77" + sleb(-8), 6992),
        (b"\x92\x10\x02", 16002),
        (b"\x03" + struct.pack("<Q", 5), 5),
        (b"\x08\xff", 255),
        (b"\x09\xff", WORD),
        (b"\x0a\x00\x80", 0x8000),
        (b"\x0b\x00\x80", WORD & -0x8000),
        (b"\x0c\xff\xff\xff\xff", 0xFFFFFFFF),
        (b"\x0d\xff\xff\xff\xff", WORD),
        (b"\x0e" + bytes([1] * 8), 0x0101010101010101),
        (b"\x0f" + b"\xff" * 8, WORD),
        (b"\x10" + uleb(300), 300),
        (b"\x11" + sleb(-300), WORD & -300),
        (b"\x40\x06", 0x1716151413121110),
        (b"\x40\x94\x02", 0x1110),
        (b"\x31\x32\x12\x22\x22", 5),
        (b"\x31\x32\x13", 1),
        (b"\x31\x32\x14\x1c\x1c", 0),
        (b"\x31\x32\x33\x15\x02\x1c", 2),
        (b"\x31\x33\x16\x1c", 2),
        (b"\x31\x32\x33\x17\x1c\x22", 2),  # 1 2 3 becomes 3 1 2
        (b"\x31\x1f", WORD),
        (b"\x31\x1f\x19", 1),
        (b"\x31\x20", WORD - 1),
        (b"\x3c\x36\x1a", 4),
        (b"\x3c\x36\x21", 14),
        (b"\x3c\x36\x27", 10),
        (b"\x37\x1f\x32\x1b", WORD & -3),
        (b"\x37\x32\x1d", 1),
        (b"\x37\x32\x1e", 14),
        (b"\x37\x32\x24", 28),
        (b"\x31\x08\x40\x24", 0),
        (b"\x31\x1f\x32\x25", WORD >> 2),
        (b"\x37\x1f\x31\x26", WORD & -4),
        (b"\x37\x23\x05", 12),
        (b"\x31\x31\x29", 1),
        (b"\x31\x1f\x31\x2d", 1),
        (b"\x31\x1f\x31\x2b", 0),
        (b"\x31\x31\x2a", 1),
        (b"\x31\x31\x2c", 1),
        (b"\x31\x31\x2e", 0),
        (b"\x31\x28\x01\x00\x96\x35", 5),  # bra over a nop
        (b"\x30\x28\x01\x00\x31\x35", 5),
        (b"\x35\x2f\x01\x00\x31", 5),
        (b"\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22", 7008 + (16000 & 15 >= 11) * 8),
    ],
)  # fmt: skip
def test_each_operation(code: bytes, want: int) -> None:
    assert run(code) == want


def test_what_is_given_is_on_the_stack() -> None:
    assert run(b"\x23\x10", 0x1000) == 0x1010


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (b"", "not there"),
        (b"\x31\x22", "not there"),
        (b"\x31\x30\x1b", "division by zero"),
        (b"\x31\x30\x1d", "division by zero"),
        (b"\x50\x50", "unknown operation 0x50"),
        (b"\x08", "missing"),
        (b"\x31\x94\x09", "reads 9 bytes"),
        (b"\x31\x2f\xfc\xff", "over 64 words"),
        (b"\x2f\xfd\xff", "over 1000 steps"),
        (b"\x2f\x00\x80", "outside"),
        (b"\x31" * (MAX_DEPTH + 1), "over 64 words"),
    ],
)
def test_what_makes_no_sense_is_refused(code: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        run(code)
