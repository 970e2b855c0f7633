"""Disassembling, by capstone, in Intel syntax."""

from dataclasses import dataclass
from functools import cache

import capstone

from emu.errors import Unsupported

MAX_CODE = 1 << 20
"""Bytes taken by one call."""

MAX_INSTRUCTION = 15
"""Bytes of the longest instruction. Source: SDM volume 2, section 2.3.11."""

BAD = "(bad)"
"""The mnemonic of what is none."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        address: of its first byte.
        bytes: its encoding.
        mnemonic: "call"; BAD for a byte that begins no instruction.
        op_str: operands in Intel syntax, numbers in hex.
    """

    address: int
    bytes: bytes
    mnemonic: str
    op_str: str

    def __str__(self) -> str:
        return f"{self.mnemonic} {self.op_str}".rstrip()


def disassemble(code: bytes, address: int) -> tuple[Instruction, ...]:
    """Return the instructions in 64-bit `code`, which lies at `address`.

    A byte that begins no instruction, or one that is cut, becomes a "(bad)" of one byte, so the
    bytes of the result are always those of `code`.

    Raises:
        Unsupported: over MAX_CODE bytes.
    """
    if len(code) > MAX_CODE:
        raise Unsupported(f"{len(code)} bytes are too many to disassemble at once")
    found: list[Instruction] = []
    at = 0
    while at < len(code):
        for start, size, mnemonic, operands in _engine().disasm_lite(code[at:], address + at):
            begin = start - address
            found.append(Instruction(start, code[begin : begin + size], mnemonic, operands))
        at = found[-1].address + len(found[-1].bytes) - address if found else 0
        if at < len(code):
            found.append(Instruction(address + at, code[at : at + 1], BAD, ""))
            at += 1
    return tuple(found)


def decode_one(code: bytes, address: int, bits: int = 64) -> Instruction:
    """Return the first instruction in `code` of 16, 32 or 64 bits; "(bad)" if it begins none.

    Raises:
        ValueError: `code` is empty.
    """
    if not code:
        raise ValueError("no bytes to decode")
    for _, size, mnemonic, operands in _engine(bits).disasm_lite(
        code[:MAX_INSTRUCTION], address, 1
    ):
        return Instruction(address, code[:size], mnemonic, operands)
    return Instruction(address, code[:1], BAD, "")


@cache
def _engine(bits: int = 64) -> capstone.Cs:
    modes = {16: capstone.CS_MODE_16, 32: capstone.CS_MODE_32, 64: capstone.CS_MODE_64}
    return capstone.Cs(capstone.CS_ARCH_X86, modes[bits])
