"""How long an x86 instruction is, whether it serialises, and whether the machine executes it.

The machine has to know both while it runs: the length, to say which bytes a fetch takes and how
far a block got before it was left; the class, to move a core's floor. Rendering instructions
for people is capstone's work (emu/image/disasm.py); tests compare the two on millions of
instructions.

A class above SERIALISING_WRMSR comes with its operands: the number of the control or debug
register, or of the x87 function, in bits 8 to 11, that of the general register in bits 16 to 19.
`emulated` says why those instructions are executed by the machine and not by the engine.

Serialising: the list of SDM volume 3A, "Serializing Instructions". SYSRET, the fences, LOCK and
interrupt delivery are not on it, and the WRMSRs it excepts are excepted.

Source of the lengths: SDM volume 2, appendix A (opcode maps) and chapter 2 (prefixes, ModRM).
"""

import numpy as np

from emu.machine.native import jit
from emu.machine.state import Bytes

MAX_LENGTH = 15
REAL, PROTECTED, LONG = 0, 1, 2  # default operand and address size: 16, 32, 32 with REX

PLAIN, SERIALISING, SERIALISING_WRMSR = 0, 1, 2
RDMSR, READ_CR8, WRITE_CR8, READ_DR, WRITE_DR, X87 = range(3, 9)
_X87_FUNCTIONS = 0b1100_1010_0000_1111  # bits: low halves of D9 Fx that are transcendental
CLASS = 0xFF  # of what `decode` returns; the rest is operands

_MODRM = 1  # a ModRM byte follows
_IMM8, _IMM16, _IMMZ = 2, 4, 8  # immediate: 8 bits, 16 bits, operand-size (at most 32) bits
_IMMV = 16  # operand-size bits, 64 with REX.W
_OFFSET = 32  # address-size bits (mov al, [offset])
_GROUP3 = 64  # immediate only for /0 and /1 (test)


def _one_byte_map() -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    table = np.zeros(256, np.uint8)
    for row in range(0, 0x40, 8):  # add, or, adc, sbb, and, sub, xor, cmp
        table[row : row + 4] = _MODRM
        table[row + 4], table[row + 5] = _IMM8, _IMMZ
    table[0x62] = table[0x63] = _MODRM
    table[0x68], table[0x6A] = _IMMZ, _IMM8
    table[0x69], table[0x6B] = _MODRM | _IMMZ, _MODRM | _IMM8
    table[0x70:0x80] = _IMM8
    table[0x80], table[0x81] = _MODRM | _IMM8, _MODRM | _IMMZ
    table[0x82], table[0x83] = _MODRM | _IMM8, _MODRM | _IMM8
    table[0x84:0x90] = _MODRM
    table[0x9A] = _IMMZ | _IMM16
    table[0xA0:0xA4] = _OFFSET
    table[0xA8], table[0xA9] = _IMM8, _IMMZ
    table[0xB0:0xB8] = _IMM8
    table[0xB8:0xC0] = _IMMV
    table[0xC0] = table[0xC1] = _MODRM | _IMM8
    table[0xC2] = table[0xCA] = _IMM16
    table[0xC4] = table[0xC5] = _MODRM
    table[0xC6], table[0xC7] = _MODRM | _IMM8, _MODRM | _IMMZ
    table[0xC8] = _IMM8 | _IMM16
    table[0xCD] = _IMM8
    table[0xD0:0xD4] = _MODRM
    table[0xD4] = table[0xD5] = _IMM8
    table[0xD8:0xE0] = _MODRM
    table[0xE0:0xE8] = _IMM8
    table[0xE8] = table[0xE9] = _IMMZ
    table[0xEA] = _IMMZ | _IMM16
    table[0xEB] = _IMM8
    table[0xF6], table[0xF7] = _MODRM | _GROUP3 | _IMM8, _MODRM | _GROUP3 | _IMMZ
    table[0xFE] = table[0xFF] = _MODRM
    return table


def _two_byte_map() -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    table = np.full(256, _MODRM, np.uint8)
    for plain in (
        0x05,
        0x06,
        0x07,
        0x08,
        0x09,
        0x0B,
        0x0E,
        0x77,
        0xA0,
        0xA1,
        0xA2,
        0xA8,
        0xA9,
        0xAA,
    ):
        table[plain] = 0
    table[0x30:0x38] = 0  # wrmsr, rdtsc, rdmsr, rdpmc, sysenter, sysexit, getsec
    table[0x80:0x90] = _IMMZ
    table[0xC8:0xD0] = 0  # bswap
    for with_byte in (0x0F, 0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6):
        table[with_byte] = _MODRM | _IMM8
    return table


_ONE_BYTE = _one_byte_map()
_TWO_BYTE = _two_byte_map()


@jit
def _modrm_length(code: Bytes, at: int, address16: int) -> int:
    """Return the bytes of ModRM, SIB and displacement."""
    modrm = code[at]
    mod, rm = modrm >> 6, modrm & 7
    if mod == 3:
        return 1
    if address16:
        if mod == 0:
            return 3 if rm == 6 else 1
        return 2 if mod == 1 else 3
    length = 1
    base = rm
    if rm == 4:
        length += 1
        base = code[at + 1] & 7
    if mod == 1:
        return length + 1
    if mod == 2 or base == 5:
        return length + 4
    return length


@jit
def decode(code: Bytes, mode: int) -> tuple[int, int]:
    """Return (length, class and operands) of the instruction at the start of `code`.

    code: at least 24 readable bytes, of which 15 count. A sequence that is no instruction, or
    is longer than 15 bytes, has length 15: a core that fetches it takes #UD or #GP having
    looked at no more than that.
    """
    at = 0
    operand16 = mode == REAL
    address16 = mode == REAL
    rex = 0
    prefix66 = prefix67 = prefix_f2 = prefix_f3 = False
    while at < MAX_LENGTH:
        byte = code[at]
        if mode == LONG and byte & 0xF0 == 0x40:
            rex = byte
        else:
            if byte == 0x66:
                operand16 = mode != REAL
                prefix66 = True
            elif byte == 0x67:
                address16 = mode == PROTECTED
                prefix67 = True
            elif byte == 0xF2:
                prefix_f2 = True
            elif byte == 0xF3:
                prefix_f3 = True
            elif byte not in (0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0xF0):
                break
            rex = 0  # it only counts right before the opcode
        at += 1
    opcode = code[at]
    at += 1
    kind = PLAIN
    immediate = 0
    extension = (code[at] >> 3) & 7
    memory = code[at] >> 6 != 3
    vex = (opcode == 0xC4 or opcode == 0xC5) and (mode == LONG or not memory)
    if vex:
        opcode_map = 1 if opcode == 0xC5 else code[at] & 0x1F
        at += 1 if opcode == 0xC5 else 2
        opcode = code[at]
        at += 1
        flags = _MODRM
        if opcode_map == 1:
            flags = _TWO_BYTE[opcode]
        elif opcode_map == 3:
            flags = _MODRM | _IMM8
    elif opcode == 0x0F:
        opcode = code[at]
        at += 1
        extension = (code[at] >> 3) & 7
        memory = code[at] >> 6 != 3
        if opcode == 0x38:
            opcode = code[at]
            at += 1
            flags = _MODRM
            if prefix66 and (opcode == 0x80 or opcode == 0x81):  # invept, invvpid
                kind = SERIALISING
        elif opcode == 0x3A:
            at += 1
            flags = _MODRM | _IMM8
        else:
            flags = _TWO_BYTE[opcode]
            if opcode in (0x20, 0x21, 0x22, 0x23, 0x24, 0x26):  # mov cr, dr: always registers
                flags = 0
                operands = extension << 8 | ((code[at] & 7) | (rex & 1) << 3) << 16
                at += 1
                if extension == 0 and rex & 4 and not opcode & 5:
                    kind = (WRITE_CR8 if opcode == 0x22 else READ_CR8) | operands
                elif opcode & 1 and not rex & 4:
                    kind = (WRITE_DR if opcode == 0x23 else READ_DR) | operands
                elif opcode == 0x22 or opcode == 0x23:
                    kind = SERIALISING
            elif opcode == 0x78 and (prefix66 or (prefix_f2 and not prefix_f3)):
                flags = 0  # extrq, insertq: registers and two bytes
                immediate = 3
            elif opcode in (0x08, 0x09, 0xA2, 0xAA):  # invd, wbinvd, cpuid, rsm
                kind = SERIALISING
            elif opcode == 0x30:
                kind = SERIALISING_WRMSR
            elif opcode == 0x32:
                kind = RDMSR
            elif opcode == 0x00 and (extension == 2 or extension == 3):  # lldt, ltr
                kind = SERIALISING
            elif opcode == 0x01:
                if memory and (extension == 2 or extension == 3 or extension == 7):
                    kind = SERIALISING  # lgdt, lidt, invlpg
                elif code[at] == 0xE8:
                    kind = SERIALISING  # serialize
    else:
        flags = _ONE_BYTE[opcode]
        if opcode == 0xCF:  # iret
            kind = SERIALISING
        elif opcode == 0xD9 and code[at] >= 0xF0 and _X87_FUNCTIONS >> (code[at] & 0xF) & 1:
            kind = X87 | (code[at] & 0xF) << 8
        elif mode == LONG and opcode in (0x9A, 0xEA, 0xD4, 0xD5, 0x82):
            flags = 0
    if flags & _MODRM:
        if flags & _GROUP3 and extension > 1:
            flags = _MODRM
        at += _modrm_length(code, at, address16)
    if flags & _IMM8:
        immediate += 1
    if flags & _IMM16:
        immediate += 2
    if flags & _IMMZ:
        # a near branch with the operand-size prefix takes 16 bits in QEMU (as on AMD)
        immediate += 2 if operand16 and not rex & 8 else 4
    if flags & _IMMV:
        immediate += 8 if rex & 8 else (2 if operand16 else 4)
    if flags & _OFFSET:
        if mode == LONG:
            immediate += 4 if prefix67 else 8
        else:
            immediate += 2 if address16 else 4
    return min(at + immediate, MAX_LENGTH), kind
