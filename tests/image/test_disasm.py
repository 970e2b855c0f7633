import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import Unsupported
from emu.image.disasm import MAX_CODE, decode_one, disassemble


def test_instructions_have_address_bytes_and_text() -> None:
    code = bytes.fromhex("0f1f440000 e8fb0f0000 c3")
    found = disassemble(code, 0xFFFFFFFF80200000)
    assert [str(each) for each in found] == [
        "nop dword ptr [rax + rax]",
        "call 0xffffffff80201005",
        "ret",
    ]
    assert [each.address & 0xFF for each in found] == [0, 5, 10]


def test_bytes_that_begin_no_instruction_are_bad_one_by_one() -> None:
    found = disassemble(bytes.fromhex("90 06 90 0f"), 0x1000)
    assert [each.mnemonic for each in found] == ["nop", "(bad)", "nop", "(bad)"]
    assert [each.address for each in found] == [0x1000, 0x1001, 0x1002, 0x1003]


@given(st.binary(max_size=64))
def test_no_byte_is_lost(code: bytes) -> None:
    found = disassemble(code, 0x1000)
    assert b"".join(each.bytes for each in found) == code


def test_one_instruction() -> None:
    assert decode_one(b"\xcc\x90", 5).mnemonic == "int3"
    assert decode_one(b"\xcc\x90", 5).bytes == b"\xcc"
    assert decode_one(b"\x06", 5).mnemonic == "(bad)"
    assert decode_one(b"\xe8\0", 5).mnemonic == "(bad)"
    far_jump = bytes.fromhex("ea00000810 1800")
    assert str(decode_one(far_jump, 0, 32)) == "ljmp 0x18:0x10080000"
    assert decode_one(far_jump, 0, 16).bytes == far_jump[:5]
    assert decode_one(far_jump, 0).mnemonic == "(bad)"
    with pytest.raises(ValueError, match="no bytes"):
        decode_one(b"", 0)


def test_the_amount_is_bounded() -> None:
    with pytest.raises(Unsupported):
        disassemble(bytes(MAX_CODE + 1), 0)
