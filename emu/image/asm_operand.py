"""Operands of assembly, read into values in both syntaxes.

Only what is understood here ever reaches the assembler, written anew from these values: keystone
hangs or crashes on much that is not an operand, and reads `$10` in AT&T syntax as 16. Numbers are
decimal, 0x, 0b or end in h; sums and differences are folded. A symbol counts as its address:
in brackets it is memory (`[foo]` and `[rip+foo]` both mean the memory at foo), after `offset`
(Intel) or `$` (AT&T) a number, and alone only the target of a branch, because assemblers
disagree about `mov rax, foo`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Resolve = Callable[[str], int]
"""Returns the address of a name; raises ValueError for one it does not know."""

_GENERAL = r"[re]?(?:[abcd]x|[sd]i|[sb]p)|[abcd][lh]|(?:[sd]i|[sb]p)l|r(?:8|9|1[0-5])[bwd]?"
_REGISTER = re.compile(
    rf"(?:{_GENERAL}|[re]?ip|[cdefgs]s|cr\d|cr8|dr[0-7]|[xy]mm(?:\d|1[0-5])|mm[0-7]|st(?:\([0-7]\))?)"
)
_ADDRESSES = re.compile(r"[re](?:[abcd]x|[sd]i|[sb]p|ip)|r(?:8|9|1[0-5])d?")
_NUMBER = re.compile(r"0x[0-9a-f]+|0b[01]+|[0-9][0-9a-f]*h|[1-9]\d*|0", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_.$][\w.$]*|\d+[bf]")
_TERM = re.compile(r"\s*([+-]?)\s*([^\s+\-]+)\s*")
_SIZE = re.compile(r"(byte|word|dword|fword|qword|tbyte|xmmword|ymmword)\s+ptr\b\s*", re.IGNORECASE)
_SCALED = re.compile(r"(\w+)\*([1248])|([1248])\*(\w+)")
_ATT_MEMORY = re.compile(r"([^()]*)(?:\(([^()]*)\))?")


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand.

    Attributes:
        kind: a register, a number, memory, or the target of a branch.
        value: the number, displacement or address.
        register: its name, for kind "reg".
        size: "dword" and so on if written (Intel).
        segment: "gs", or "".
        base: register, or "".
        index: register, or "".
        scale: 1, 2, 4, 8.
        symbolic: `value` is an address in memory and `base` is rip: the displacement is yet to be
            computed, from the end of the instruction.
    """

    kind: Literal["reg", "imm", "mem", "target"]
    value: int = 0
    register: str = ""
    size: str = ""
    segment: str = ""
    base: str = ""
    index: str = ""
    scale: int = 1
    symbolic: bool = False


def parse(text: str, att: bool, branch: bool, resolve: Resolve) -> tuple[Operand, ...]:
    """Return the operands in `text`, in the order they are written.

    Args:
        text: what follows the mnemonic.
        att: AT&T syntax, else Intel.
        branch: a name or number alone is the target of a branch.
        resolve: gives names their addresses.

    Raises:
        ValueError: it is no list of operands; the message says what is not understood.
    """
    one = _att if att else _intel
    return tuple(one(part, branch, resolve) for part in _split(text))


def evaluate(text: str, resolve: Resolve) -> tuple[int, bool]:
    """Return the value of a sum of numbers and names, and whether a name is in it.

    Raises:
        ValueError: it is something else.
    """
    total, symbolic = 0, False
    for sign, term in _terms(text):
        if _NUMBER.fullmatch(term):
            value = _number(term)
        elif len(term) == 3 and term[0] == term[2] == "'":
            value = ord(term[1])
        elif _NAME.fullmatch(term):
            value, symbolic = resolve(term), True
        else:
            raise ValueError(f"{term!r} is neither a number nor a name")
        total += -value if sign == "-" else value
    if not -(1 << 63) <= total < 1 << 64:
        raise ValueError(f"{text.strip()!r} does not fit into 64 bits")
    return total, symbolic


def _intel(text: str, branch: bool, resolve: Resolve) -> Operand:
    if _REGISTER.fullmatch(text.lower()):
        return Operand("reg", register=text.lower())
    sized = _SIZE.match(text)
    size = sized.group(1).lower() if sized else ""
    rest = text[sized.end() :] if sized else text
    segment, rest = _segment(rest)
    if rest.endswith("]") and rest.count("[") == rest.count("]") == 1:
        outside, _, inside = rest[:-1].partition("[")
        return _intel_memory(outside, inside, size, segment, resolve)
    if rest.lower().startswith("offset "):
        return Operand("imm", evaluate(rest[7:], resolve)[0])
    value, symbolic = evaluate(rest, resolve)
    if size or segment:
        return _absolute(value, symbolic, size, segment)
    if symbolic and not branch:
        raise ValueError(f"write 'offset {rest}' for its address, '[{rest}]' for the memory there")
    return Operand("target" if branch else "imm", value)


def _intel_memory(outside: str, inside: str, size: str, segment: str, resolve: Resolve) -> Operand:
    """Return the memory operand `size ptr segment:outside[inside]`."""
    registers: list[tuple[str, int]] = []
    sums: list[str] = [outside] if outside.strip() else []
    for sign, term in _terms(re.sub(r"\s*\*\s*", "*", inside)):
        scaled = _SCALED.fullmatch(term)
        name = ((scaled[1] or scaled[4]) if scaled else term).lower()
        if not _REGISTER.fullmatch(name):
            sums.append(f"{sign or '+'}{term}")
        elif sign == "-" or not _ADDRESSES.fullmatch(name):
            raise ValueError(f"{sign}{term} cannot be part of an address")
        else:
            registers.append((name, int(scaled[2] or scaled[3]) if scaled else 0))
    value, symbolic = evaluate("".join(sums), resolve) if sums else (0, False)
    if not registers:
        return _absolute(value, symbolic, size, segment)
    registers.sort(key=lambda each: each[1] > 0)  # the one without a scale is the base
    if len(registers) > 2 or (len(registers) == 2 and registers[0][1]):
        raise ValueError("an address has one base and one scaled index")
    base = registers[0][0] if not registers[0][1] else ""
    index, scale = registers[-1] if registers[-1][0] != base or len(registers) == 2 else ("", 1)
    if index and index.endswith("sp") and not scale:
        base, index = index, base  # rsp cannot be an index
    relative = symbolic and base == "rip"
    return Operand("mem", value, "", size, segment, base, index, scale or 1, relative)


def _att(text: str, branch: bool, resolve: Resolve) -> Operand:
    if text.startswith("$"):
        return Operand("imm", evaluate(text[1:], resolve)[0])
    indirect = text.startswith("*")
    text = text[1:].strip() if indirect else text
    if text.startswith("%") and _REGISTER.fullmatch(text[1:].lower()):
        return Operand("reg", register=text[1:].lower())
    prefixed = text.startswith("%")
    segment, rest = _segment(text[prefixed:])
    if prefixed != bool(segment):
        raise ValueError(f"{text!r} is not a register")
    match = _ATT_MEMORY.fullmatch(rest)
    if match is None:
        raise ValueError(f"{text!r} is not an operand")
    value, symbolic = evaluate(match[1], resolve) if match[1].strip() else (0, False)
    if match[2] is None:
        if branch and not indirect and not segment:
            return Operand("target", value)
        return _absolute(value, symbolic, "", segment)
    base, index, scale, *more = (*(part.strip() for part in match[2].split(",")), "", "", "")
    if any(more) or scale not in ("", "1", "2", "4", "8"):
        raise ValueError(f"{text!r} is not an address")
    base, index = _att_register(base), _att_register(index)
    relative = symbolic and base == "rip"
    return Operand("mem", value, "", "", segment, base, index, int(scale or 1), relative)


def _att_register(text: str) -> str:
    name = text.lower().removeprefix("%")
    if text and (not text.startswith("%") or not _ADDRESSES.fullmatch(name)):
        raise ValueError(f"{text!r} cannot be part of an address")
    return name


def _absolute(value: int, symbolic: bool, size: str, segment: str) -> Operand:
    """Return memory at an address: by rip if it is a symbol's, so that it is within reach."""
    base = "rip" if symbolic else ""
    return Operand("mem", value, "", size, segment, base, symbolic=symbolic)


def _segment(text: str) -> tuple[str, str]:
    """Return the segment register before a colon, or "", and the rest."""
    name, colon, rest = text.partition(":")
    if colon and re.fullmatch(r"[cdefgs]s", name.strip().lower()):
        return name.strip().lower(), rest.strip()
    return "", text.strip()


def _terms(text: str) -> list[tuple[str, str]]:
    """Return (sign, term) of each term of a sum; ValueError if it is no sum."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or (found and not match[1]):
            raise ValueError(f"{text.strip()!r} is not understood")
        found.append((match[1], match[2]))
        at = match.end()
    if not found:
        raise ValueError("an operand is missing")
    return found


def _number(text: str) -> int:
    if text.lower().endswith("h"):
        return int(text[:-1], 16)
    return int(text, 0)


def _split(text: str) -> list[str]:
    """Return the operands: `text` cut at commas outside brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[(") - (char in "])")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts] if text.strip() else []
