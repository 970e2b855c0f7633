"""The toy kernel's call frame information is true at every instruction of every function in C.

gcc's is, in prologues and epilogues too, and with -fno-asynchronous-unwind-tables; what it does
not know of is inline assembly that pushes. Found out by following the code: where a path from the
entry of a function leads, RSP is what its pushes and pops make of it.
"""

import re

import pytest

from emu.guest.code import Code
from emu.image.disasm import Instruction, disassemble
from emu.image.elf import ElfImage
from emu.image.frame_rules import ENTERED, RSP
from emu.image.symbols import Symbol
from tests.conftest import TOY

_TARGET = re.compile(r"0x([0-9a-f]+)")
_BELOW_RBP = re.compile(r"rsp, \[rbp - (?:0x)?([0-9a-f]+)\]")
_ADJUST = re.compile(r"rsp, (?:0x)?([0-9a-f]+)")


@pytest.fixture(scope="module")
def image() -> ElfImage:
    return ElfImage.read(TOY)


def depths(instructions: dict[int, Instruction], entry: int) -> dict[int, int]:
    """Return CFA - RSP at each instruction that a path from the entry leads to."""
    found, left = {entry: 8}, [entry]
    while left:
        at = left.pop()
        if at in instructions:  # else in another function
            depth = moved(instructions[at], found[at])
            new = [each for each in further(instructions[at]) if each not in found]
            found |= dict.fromkeys(new, depth)
            left += new
    return found


def moved(instruction: Instruction, depth: int) -> int:
    """Return CFA - RSP behind an instruction."""
    word, size = instruction.mnemonic, _ADJUST.fullmatch(instruction.op_str)
    below = _BELOW_RBP.fullmatch(instruction.op_str)
    if word.startswith("push"):
        return depth + 8
    if word.startswith("pop"):
        return depth - 8
    if word == "leave":
        return 8
    if word == "lea" and below:
        return 16 + int(below[1], 16)
    if word in ("sub", "add") and size:
        return depth + int(size[1], 16) * (1 if word == "sub" else -1)
    return depth


def further(instruction: Instruction) -> list[int]:
    """Return where an instruction leads to."""
    word, target = instruction.mnemonic, _TARGET.fullmatch(instruction.op_str)
    there = [int(target[1], 16)] if target and word.startswith("j") else []
    if word in ("ret", "ud2", "jmp"):
        return there
    return [instruction.address + len(instruction.bytes), *there]


def functions(image: ElfImage) -> list[Symbol]:
    return [
        symbol
        for symbol in image.symbols
        if symbol.kind == "func" and symbol.size and image.frames.at(symbol.address) == ENTERED
    ]


def test_every_function_has_some(image: ElfImage) -> None:
    """Those of trampolines and test stubs, too."""
    symbols = [each for each in image.symbols if each.kind == "func" and each.size]
    without = [each.name for each in symbols if image.frames.at(each.address) is None]
    assert without == []


def test_it_is_true_at_every_instruction_or_known_not_to_be(image: ElfImage) -> None:
    code = Code(image, image.read_virtual)
    checked = inexact = 0
    for symbol in functions(image):
        text = image.read_virtual(symbol.address, symbol.size)
        instructions = {each.address: each for each in disassemble(text, symbol.address)}
        if any("rsp, q" in each.op_str for each in instructions.values()):
            continue  # switches stacks
        for address, depth in depths(instructions, symbol.address).items():
            rules = image.frames.at(address) if address in instructions else None
            if rules is None or rules.base != RSP or rules.outermost:
                continue
            checked += 1
            true = rules.cfa.value == depth
            inexact += not true
            assert true != code.is_inexact(address), image.symbols.describe(address)
    assert checked > 8000
    assert inexact < 0.005 * checked
