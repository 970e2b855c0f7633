"""Instruction lengths and the serialising class, against capstone, with the engine as arbiter.

Where `decode` and capstone differ, the engine is asked. Either it raises #UD (AVX; ud0 and
ud1, behind which capstone reads a ModRM byte and the engine nothing), or it takes the length that
`decode` says:

* near branches with prefix 66 in 64-bit mode have 16-bit displacements in QEMU, as on AMD;
  Intel and capstone ignore the prefix;
* vmread with prefix 66 or f2 is SSE4a's extrq or insertq to the engine, always with registers
  and two bytes; capstone knows those names for register forms only;
* ret imm16 with 66 and REX.W: capstone reads an immediate of four bytes.
"""

import contextlib
import ctypes
import re
from collections.abc import Iterator

import capstone
import numpy as np
import pytest
from unicorn import UC_HOOK_BLOCK, UC_HOOK_INSN_INVALID, Uc, UcError
from unicorn import unicorn_const as uc_const

from emu.machine import unicorn_layout
from emu.machine.decode import (
    CLASS,
    LONG,
    MAX_LENGTH,
    PLAIN,
    PROTECTED,
    RDMSR,
    READ_CR8,
    READ_DR,
    REAL,
    SERIALISING,
    SERIALISING_WRMSR,
    WRITE_CR8,
    WRITE_DR,
    X87,
    decode,
)
from tests.machine.slicing import numbers

MODES = {
    REAL: (capstone.CS_MODE_16, uc_const.UC_MODE_16),
    PROTECTED: (capstone.CS_MODE_32, uc_const.UC_MODE_32),
    LONG: (capstone.CS_MODE_64, uc_const.UC_MODE_64),
}
IDS = {REAL: "16 bits", PROTECTED: "32 bits", LONG: "64 bits"}
BEYOND = re.compile(r"dr([89]|1\d)")  # no such debug register
PREFIXES = b"\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65"
SERIAL = {
    "invd", "wbinvd", "lgdt", "lidt", "lldt", "ltr", "invlpg", "invept", "invvpid", "cpuid",
    "iret", "iretd", "iretq", "rsm", "serialize",
    "wbnoinvd",  # where it does not exist, as in the engine, it is wbinvd
}  # fmt: skip
BRANCHES = {"call", "jmp"} | {f"j{condition}" for condition in (
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
)}  # fmt: skip


class Engine:
    """Tells what the engine thinks of bytes: whether they are an instruction, and how long."""

    def __init__(self, mode: int) -> None:
        self._mode = MODES[mode][1]
        self._size = self._invalid = 0

    def ask(self, code: bytes) -> tuple[bool, int]:
        """Execute one instruction; returns (it exists, its length)."""
        uc = Uc(uc_const.UC_ARCH_X86, self._mode)
        uc.mem_map(0, 0x20000)
        uc.mem_write(0x1000, code + b"\x90" * 32)
        cpu = ctypes.c_uint64.from_address(uc._uch.value + unicorn_layout.UC_TO_CPU).value
        self._size = self._invalid = 0
        uc.hook_add(UC_HOOK_BLOCK, self._block)
        uc.hook_add(UC_HOOK_INSN_INVALID, self._undefined)
        uc.reg_read(41)
        limit = ctypes.c_uint32.from_address(cpu + unicorn_layout.CPU_CFLAGS_NEXT_TB)
        limit.value = 1
        with contextlib.suppress(UcError):
            uc.emu_start(0x1000, 0x1F000, count=0)
        return not self._invalid, self._size

    def _block(self, uc: Uc, _address: int, size: int, _data: object) -> None:
        if self._size:
            uc.emu_stop()
        else:
            self._size = size

    def _undefined(self, _uc: Uc, _data: object) -> bool:
        self._invalid = 1
        return False


def samples(seed: int, count: int, mode: int) -> Iterator[bytes]:
    """Yield strings of 24 bytes: random ones, and ones built like instructions."""
    source = numbers(seed)
    for number in range(count):
        tail = source.randbytes(24)
        if number % 4 == 0:
            yield tail
            continue
        head = bytes(source.choices(PREFIXES, k=source.choice((0, 0, 0, 1, 1, 2, 3))))
        if mode == LONG and source.random() < 0.4:
            head += bytes([0x40 | source.randrange(16)])
        head += source.choice((b"", b"", b"\x0f", b"\x0f", b"\x0f\x38", b"\x0f\x3a"))
        yield (head + tail)[:24]


def every_opcode() -> Iterator[bytes]:
    """Yield each opcode of the maps with each ModRM, with and without the size prefixes."""
    for head in (b"", b"\x66", b"\x67", b"\x48", b"\xf3", b"\xf2", b"\x66\x48", b"\x66\x67"):
        for opcode in range(256):
            for modrm in range(0, 256, 1 if head == b"" else 5):
                for escape in (b"", b"\x0f"):
                    yield (head + escape + bytes([opcode, modrm])).ljust(24, b"\x05")


TRANSCENDENTAL = ("f2xm1", "fyl2x", "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos")
NAMED = {"wrmsr": SERIALISING_WRMSR, "rdmsr": RDMSR, **dict.fromkeys(TRANSCENDENTAL, X87)}


def expected_class(mnemonic: str, operands: str) -> int:
    name = mnemonic.rpartition(" ")[2]
    if name in NAMED:
        return NAMED[name]
    if name == "mov" and "cr8" in operands:
        return WRITE_CR8 if operands.startswith("cr8") else READ_CR8
    if name == "mov" and "dr" in operands and "[" not in operands and not BEYOND.search(operands):
        return WRITE_DR if operands.startswith("dr") else READ_DR
    if name == "mov" and operands[:2] in ("cr", "dr"):
        return SERIALISING
    return SERIALISING if name in SERIAL else PLAIN


def compare(mode: int, codes: Iterator[bytes]) -> int:
    """Return how many strings agreed; all others must be nothing the engine executes."""
    reader = capstone.Cs(capstone.CS_ARCH_X86, MODES[mode][0])
    engine = Engine(mode)
    buffer = np.zeros(24, np.uint8)
    agreed = 0
    wrong: list[str] = []
    refused: set[str] = set()
    overruled: set[str] = set()
    for code in codes:
        buffer[:] = np.frombuffer(code, np.uint8)
        length, kind = decode(buffer, mode)
        assert 1 <= length <= MAX_LENGTH
        found = next(reader.disasm_lite(code[:15], 0, 1), None)
        if found is None:
            continue
        _, size, mnemonic, operands = found
        if size == length and kind & CLASS == expected_class(mnemonic, operands):
            agreed += 1
            continue
        exists, taken = engine.ask(code[:15])
        if not exists:
            refused.add(mnemonic)
        elif taken == length != size:
            overruled.add(mnemonic.rpartition(" ")[2])
        else:
            wrong.append(f"{code[:15].hex()} {mnemonic} {operands}: {length} {kind} not {taken}")
    assert not wrong, f"{len(wrong)}: {wrong[:40]}"
    assert {name for name in refused if name[0] != "v"} <= {"ud0", "ud1"}
    assert overruled <= BRANCHES | {"vmread", "ret"}
    assert mode == LONG or not overruled & BRANCHES
    return agreed


@pytest.mark.parametrize("mode", IDS, ids=IDS.get)
def test_every_opcode(mode: int) -> None:
    assert compare(mode, every_opcode()) > 100_000


@pytest.mark.parametrize(("mode", "count"), [(LONG, 300_000), (PROTECTED, 60_000), (REAL, 60_000)],
                         ids=["64 bits", "32 bits", "16 bits"])  # fmt: skip
def test_random_bytes(mode: int, count: int) -> None:
    assert compare(mode, samples(mode, count, mode)) > count // 2


def test_the_engine_can_be_asked() -> None:
    engine = Engine(LONG)
    assert engine.ask(b"\x90") == (True, 1)
    assert engine.ask(b"\x0f\x0b")[0] is False
    assert engine.ask(bytes.fromhex("48b81122334455667788")) == (True, 10)
