"""What the int3 handler is told to act out."""

import pytest

from emu.errors import PokeError
from emu.patch.text_poke import emulation

GOOD = [
    ("0f1f440000", (0xE9, 0)),
    ("6690", (0xEB, 0)),
    ("e878563412", (0xE8, 0x12345678)),
    ("e8feffffff", (0xE8, -2)),
    ("e9ffffff7f", (0xE9, 0x7FFFFFFF)),
    ("eb7f", (0xEB, 127)),
    ("eb80", (0xEB, -128)),
    ("7505", (0x75, 5)),
    ("70ff", (0x70, -1)),
    ("7f00", (0x7F, 0)),
    ("0f8400100000", (0x74, 0x1000)),
    ("0f8ff0ffffff", (0x7F, -16)),
    ("0f80ffffffff", (0x70, -1)),
    ("c3", (0xC3, 0)),
    ("c3cccccccc", (0xC3, 0)),
    ("cc", (0xCC, 0)),
]

BAD = [
    "90",
    "0f1f440001",
    "0f1f00",
    "6691",
    "c390",
    "c300000000",
    "c20800",
    "e8001000",
    "e9001000",
    "eb",
    "75",
    "eb80cccccc",  # the handler counts from the end of the padding
    "7505cccccc",
    "0f841000",
    "0f7000000000",
    "0f9000000000",
    "ff25000000",
    "b82a000000",
]


@pytest.mark.parametrize(("code", "acted"), GOOD, ids=[code for code, _ in GOOD])
def test_an_instruction_becomes_opcode_and_displacement(code: str, acted: tuple[int, int]) -> None:
    assert emulation(bytes.fromhex(code)) == acted


@pytest.mark.parametrize("code", BAD)
def test_what_the_handler_cannot_do_is_refused(code: str) -> None:
    with pytest.raises(PokeError, match="cannot act out") as caught:
        emulation(bytes.fromhex(code))
    assert bytes.fromhex(code).hex(" ") in str(caught.value)
