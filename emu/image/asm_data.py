"""Directives: the few that make sense for a replacement of one function."""

import ast
import re
import struct

from emu.image.asm_operand import Resolve, evaluate

MAX_FILL = 4096
"""Bytes one directive may make."""

_WIDTHS = {
    ".byte": "B",
    ".word": "H",
    ".short": "H",
    ".value": "H",
    ".long": "I",
    ".int": "I",
    ".quad": "Q",
}
_STRINGS = {".ascii": b"", ".asciz": b"\0", ".string": b"\0"}
_IGNORED = {".text", ".globl", ".global", ".type", ".size", ".code64", ".file", ".p2alignl"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOP = b"\x90"

NAMES = (*_WIDTHS, *_STRINGS, ".zero", ".skip", ".space", ".align", ".balign", ".p2align")
"""The directives that make bytes; .intel_syntax and .att_syntax are the assembler's."""


def data(text: str, address: int, resolve: Resolve) -> bytes:
    """Return the bytes a directive makes at `address`.

    Raises:
        ValueError: unknown directive, or its arguments are wrong.
    """
    name, _, rest = text.partition(" ")
    name = name.lower()
    if name in _IGNORED:
        return b""
    if name in _WIDTHS:
        return b"".join(_pack(_WIDTHS[name], part, resolve) for part in rest.split(","))
    if name in _STRINGS:
        if not _STRING.fullmatch(rest.strip()):
            raise ValueError(f"{name} takes one string in double quotes")
        return _unescape(rest.strip()) + _STRINGS[name]
    first = evaluate(rest.split(",")[0], resolve)[0] if name in NAMES else 0
    if name in (".zero", ".skip", ".space"):
        if not 0 <= first <= MAX_FILL:
            raise ValueError(f"{name} takes 0 to {MAX_FILL}")
        return bytes(first)
    if name in (".align", ".balign", ".p2align"):
        to = 1 << min(max(first, 0), 16) if name == ".p2align" else first
        if not 1 <= to <= MAX_FILL or to & (to - 1):
            raise ValueError(f"{name} takes a power of two up to {MAX_FILL}")
        return _NOP * (-address % to)
    raise ValueError(f"unknown directive {name!r}: there are {' '.join(NAMES)}")


def _pack(width: str, text: str, resolve: Resolve) -> bytes:
    value = evaluate(text, resolve)[0]
    bits = 8 * struct.calcsize(width)
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise ValueError(f"{text.strip()} does not fit into {bits} bits")
    return struct.pack(f"<{width}", value % (1 << bits))


def _unescape(text: str) -> bytes:
    """Return the bytes of a string in double quotes, with C escapes."""
    try:
        return bytes(ast.literal_eval(f"b{text}"))
    except (SyntaxError, ValueError):
        raise ValueError("the string has a bad escape, or is not ASCII") from None
