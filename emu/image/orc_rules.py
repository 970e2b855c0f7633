"""An ORC entry as call frame rules: what DWARF says in a program, ORC says in six bytes.

Of a caller they know RIP, RSP and RBP; registers that are saved elsewhere are lost, unless all of
them are in a struct pt_regs. Source: arch/x86/kernel/unwind_orc.c, unwind_next_frame.
"""

from types import MappingProxyType
from typing import Final

from emu.image.frame_rules import CALLEE_SAVED, CS, RBP, RDI, RDX, RIP, RSP, Rule, Rules
from emu.image.orc_layout import OrcLayout

_UNDEFINED, _PREV_SP, _DX, _DI, _BP, _SP, _R10, _R13, _BP_INDIRECT, _SP_INDIRECT = range(10)
_BASES: Final = {_DX: RDX, _DI: RDI, _BP: RBP, _SP: RSP, _R10: 10, _R13: 13}

_IRET_FRAME, _PT_REGS = 5 * 8, 21 * 8
"""Bytes of what a core pushes, rip cs rflags rsp ss, and of struct pt_regs, which ends with it."""

_SAVED: Final = (15, 14, 13, 12, RBP, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5)
"""Columns of the first words of struct pt_regs: r15 to di. Source: asm/ptrace.h."""

_BREG0, _DEREF, _CONSTS, _PLUS = 0x70, 0x06, 0x11, 0x22  # DW_OP_...

_IRET: Final = {RIP: Rule("offset", -40), CS: Rule("offset", -32), RSP: Rule("offset", -16)}
_ALL: Final = _IRET | {
    column: Rule("offset", 8 * at - _PT_REGS) for at, column in enumerate(_SAVED)
}
_CALLED: Final = {column: Rule("undefined") for column in CALLEE_SAVED - {RBP}} | {
    RIP: Rule("offset", -8)
}

END: Final = Rules(Rule("val_offset", 0), registers=MappingProxyType({RIP: Rule("undefined")}))
"""Where a stack ends."""

CALLED_NOWHERE: Final = Rules(Rule("val_offset", 8), registers=MappingProxyType(_CALLED))
"""Where somebody has called NULL: only the return address was pushed."""


def rules(entry: int, layout: OrcLayout) -> Rules | None:
    """Return the rules that an entry of 48 bits stands for; None if nothing is known.

    The canonical frame address of an interrupted frame is behind what the core pushed, as it is
    in call frame information of entry code.
    """
    kind = layout.type_of(entry)
    if kind in (None, "undefined"):
        return None
    if kind == "end":
        return END
    sp_reg, bp_reg = layout.registers(entry)
    sp_offset, bp_offset = _signed(entry), _signed(entry >> 16)
    above = {"regs": _PT_REGS, "regs partial": _IRET_FRAME}.get(str(kind), 0)
    found = _cfa(sp_reg, sp_offset, above)
    if found is None:
        return None
    registers = dict({"regs": _ALL, "regs partial": _IRET}.get(str(kind), _CALLED))
    if bp_reg == _PREV_SP:
        registers[RBP] = Rule("offset", bp_offset - above)
    elif bp_reg == _BP:
        registers[RBP] = Rule("expression", code=bytes((_BREG0 + RBP, *_sleb(bp_offset))))
    elif bp_reg != _UNDEFINED:
        return None
    cfa, base = found
    return Rules(cfa, base, MappingProxyType(registers), signal_frame=kind != "call")


def _cfa(register: int, offset: int, above: int) -> tuple[Rule, int] | None:
    """Return the rule for the previous stack pointer, `above` bytes added, and its base."""
    if register in _BASES:
        return Rule("val_offset", offset + above), _BASES[register]
    if register == _BP_INDIRECT:
        code = (_BREG0 + RBP, *_sleb(offset), _DEREF, _CONSTS, *_sleb(above), _PLUS)
    elif register == _SP_INDIRECT:
        code = (_BREG0 + RSP, 0, _DEREF, _CONSTS, *_sleb(offset + above), _PLUS)
    else:
        return None
    return Rule("val_expression", code=bytes(code)), RSP


def _signed(value: int) -> int:
    """Return the low 16 bits as a signed number."""
    return (value & 0xFFFF ^ 0x8000) - 0x8000


def _sleb(value: int) -> bytes:
    """Return a number of at most 20 bits as signed LEB128."""
    return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F))
