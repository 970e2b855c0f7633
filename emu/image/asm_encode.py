"""One instruction to bytes: keystone encodes, capstone checks.

keystone 0.9.2 is given nothing but one instruction at a time, written from parsed operands, and
its answer is decoded and compared with what was asked, because it is wrong in silence:

- `mov rbx, [0xffffffff80201000]` becomes rip-relative; adding `riz*1` makes it absolute;
- an immediate that is too large is truncated;
- symbols through its resolver are off by four in calls, so symbols never reach it;
- `nop dword ptr [rax]` becomes the reserved 0f 18 instead of 0f 1f;
- prefixes before what is no mnemonic loop for ever, sections crash: neither is passed on;
- string instructions with operands print to standard error: they take none here;
- `mov ah, r8b`, which no encoding has, ends the process: such pairs are refused here;
- endbr64 and serialize are unknown.
"""

import importlib
import re
from typing import Any

import capstone
from capstone import x86_const

from emu.errors import Unsupported
from emu.image.asm_operand import Operand, Resolve, parse

_PREFIXES = {
    "lock": b"\xf0",
    "rep": b"\xf3",
    "repe": b"\xf3",
    "repz": b"\xf3",
    "repne": b"\xf2",
    "repnz": b"\xf2",
}
_FIXED = {
    "endbr64": bytes.fromhex("f30f1efa"),
    "serialize": bytes.fromhex("0f01e8"),
    "sysretq": bytes.fromhex("480f07"),
    "retq": bytes.fromhex("c3"),
}
_MNEMONIC = re.compile(r"[a-z][a-z0-9]{0,15}")
_REFUSED = {"addr16", "addr32", "data16", "data32", "rex64", "xacquire", "xrelease", *_PREFIXES}
_STRING = re.compile(r"(?:lods|stos|scas|movs|cmps|ins|outs)[bwdlq]?|xlatb?")
_BRANCH = re.compile(r"j[a-z]{1,4}|callq?|loop(?:n?[ez])?")
_DEFAULT_SEGMENTS = ("cs", "ds", "es", "ss")
_PLACEHOLDER = 0x01234567


class Encoder:
    """Encodes instructions in 64-bit mode.

    Raises:
        Unsupported: keystone is not installed.
    """

    def __init__(self) -> None:
        try:
            self._keystone: Any = importlib.import_module("keystone")
        except ImportError:
            raise Unsupported(
                "assembling needs keystone-engine, which has no wheel for this platform; "
                "everything else works without it"
            ) from None
        self._engines = {
            att: self._keystone.Ks(self._keystone.KS_ARCH_X86, self._keystone.KS_MODE_64)
            for att in (False, True)
        }
        self._engines[True].syntax = self._keystone.KS_OPT_SYNTAX_ATT
        self._decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._decoder.detail = True
        self._known: dict[tuple[bool, str, int], bytes] = {}

    def encode(self, statement: str, address: int, att: bool, resolve: Resolve) -> bytes:
        """Return the bytes of an instruction at `address`.

        Args:
            statement: prefixes, mnemonic and operands.
            address: where it will lie.
            att: AT&T syntax, else Intel.
            resolve: gives names their addresses.

        Raises:
            ValueError: it does not assemble; the message says why.
        """
        word, _, rest = statement.partition(" ")
        prefix = b""
        while word.lower() in _PREFIXES:
            prefix += _PREFIXES[word.lower()]
            word, _, rest = rest.strip().partition(" ")
        word = word.lower()
        if not _MNEMONIC.fullmatch(word) or word in _REFUSED:
            raise ValueError(f"{word!r} is not an instruction")
        if word in _FIXED and not rest.strip():
            return prefix + _FIXED[word]
        operands = parse(rest, att, bool(_BRANCH.fullmatch(word)), resolve)
        vector = any(each.register.startswith("xmm") for each in operands)
        if operands and not vector and _STRING.fullmatch(word):
            raise ValueError(f"write {word} without operands")
        if _mixes_high_bytes(operands):
            raise ValueError("ah, bh, ch and dh cannot be used beside registers that need a REX")
        at = address + len(prefix)
        try:
            code = self._assemble(word, operands, at, att, 0)
            code = self._assemble(word, operands, at, att, at + len(code))
        except self._keystone.KsError as error:
            reason = str(error).partition(" (")[0].lower()
            raise ValueError(f"{reason}: {statement!r}") from None
        self._check(prefix + code, address, operands, at + len(code))
        return prefix + code

    def _assemble(
        self, word: str, operands: tuple[Operand, ...], address: int, att: bool, end: int
    ) -> bytes:
        """Return what keystone makes of it; with `end` 0 only the length is meant."""
        write = _att if att else _intel
        star = "*" if att and _BRANCH.fullmatch(word) else ""
        written = (
            f"{star if operand.kind != 'target' else ''}{write(operand, end)}"
            for operand in operands
        )
        text = f"{word} {', '.join(written)}"
        # Only a branch depends on where it lies.
        near = address if any(operand.kind == "target" for operand in operands) else 0
        if (att, text, near) not in self._known:
            code, _ = self._engines[att].asm(text, near, as_bytes=True)
            if not code:
                raise ValueError(f"{word!r} is not an instruction")
            self._known[att, text, near] = _repair(code) if word.startswith("nop") else code
        return self._known[att, text, near]

    def _check(self, code: bytes, address: int, operands: tuple[Operand, ...], end: int) -> None:
        """Raise ValueError unless `code` is one instruction with these operands."""
        decoded = list(self._decoder.disasm(code, address))
        if len(decoded) != 1 or decoded[0].size != len(code):
            raise ValueError("keystone made something else of it")
        instruction = decoded[0]
        if instruction.id == x86_const.X86_INS_NOP and not instruction.operands:
            return  # xchg ax, ax
        for operand in operands:
            if operand.kind == "reg" and operand.register.startswith("st"):
                continue
            if not any(self._same(found, operand, end) for found in instruction.operands):
                value = f" {operand.value:#x}" if operand.kind != "reg" else ""
                raise ValueError(
                    f"the operand{value} cannot be encoded: {instruction.mnemonic} "
                    f"{instruction.op_str} would come out"
                )

    def _same(self, found: Any, asked: Operand, end: int) -> bool:
        """Return whether a decoded operand is the one asked for."""
        if asked.kind == "reg":
            return found.type == x86_const.X86_OP_REG and self._name(found.reg) == asked.register
        if asked.kind != "mem":
            bits = 64 if asked.kind == "target" else 8 * found.size
            fits = -(1 << bits - 1) <= asked.value < 1 << bits
            same = (
                found.type == x86_const.X86_OP_IMM and (found.imm - asked.value) % (1 << bits) == 0
            )
            return fits and same
        if found.type != x86_const.X86_OP_MEM:
            return False
        wanted = asked.value - end if asked.symbolic else asked.value
        segment = self._name(found.mem.segment)
        return (
            (found.mem.disp - wanted) % (1 << 64) == 0
            and self._name(found.mem.base) == asked.base
            and self._name(found.mem.index) == asked.index
            and (not asked.index or found.mem.scale == asked.scale)
            and (segment == asked.segment or asked.segment in _DEFAULT_SEGMENTS)
        )

    def _name(self, register: int) -> str:
        """Return the name of a register; none and riz count as no register."""
        name = str(self._decoder.reg_name(register) or "") if register else ""
        return "" if name in ("riz", "eiz") else name


def _mixes_high_bytes(operands: tuple[Operand, ...]) -> bool:
    """Return whether ah, bh, ch or dh meets a register that only a REX prefix reaches."""
    used = {name for each in operands for name in (each.register, each.base, each.index)}
    wide = {each.register for each in operands if each.register.startswith("r")}
    extended = {name for name in used if re.fullmatch(r"r\d+[bwd]?|(?:[sd]i|[sb]p)l", name)}
    return bool(used & {"ah", "bh", "ch", "dh"} and extended | wide)


def _displacement(operand: Operand, end: int) -> int:
    """Return the displacement to write, a placeholder while the end is not known."""
    if not operand.symbolic:
        return operand.value
    distance = operand.value - end if end else _PLACEHOLDER
    if not -(1 << 31) <= distance < 1 << 31:
        raise ValueError(f"{operand.value:#x} is over 2 GiB away")
    return distance


def _intel(operand: Operand, end: int) -> str:
    """Return an operand as keystone's Intel syntax takes it."""
    if operand.kind == "reg":
        return operand.register
    if operand.kind != "mem":
        return f"{operand.value:#x}"
    index = f"{operand.index}*{operand.scale}" if operand.index else ""
    terms = [operand.base, index] if operand.base or index else ["riz*1"]
    size = f"{operand.size} ptr " if operand.size else ""
    segment = f"{operand.segment}:" if operand.segment else ""
    address = "+".join(term for term in terms if term)
    return f"{size}{segment}[{address}{_displacement(operand, end):+#x}]"


def _att(operand: Operand, end: int) -> str:
    """Return an operand as keystone's AT&T syntax takes it."""
    if operand.kind == "reg":
        return f"%{operand.register}"
    if operand.kind == "imm":
        return f"${operand.value:#x}"
    if operand.kind == "target":
        return f"{operand.value:#x}"
    segment = f"%{operand.segment}:" if operand.segment else ""
    base = f"%{operand.base}" if operand.base else ""
    index = f",%{operand.index},{operand.scale}" if operand.index else ""
    if not base and not index:
        index = ",%riz,1"
    return f"{segment}{_displacement(operand, end):#x}({base}{index})"


def _repair(code: bytes) -> bytes:
    """Return a NOP with operand as 0f 1f /0; keystone makes the reserved 0f 18 /4 of it."""
    at = code.find(b"\x0f\x18")
    if at < 0 or at + 2 >= len(code) or code[at + 2] >> 3 & 7 != 4:
        return code
    return code[:at] + bytes([0x0F, 0x1F, code[at + 2] & 0xC7]) + code[at + 3 :]
