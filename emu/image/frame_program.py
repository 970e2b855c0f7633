"""Call frame instructions, executed: from a program to rules for each place in a function.

All of DWARF 5 section 6.4.2 and what gas and gcc add. Programs come from files, so their size, the
rows they make and the depth of remembered states are bounded. Malformed ones raise Malformed.
"""

from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from emu.image.cursor import Cursor, Malformed
from emu.image.frame_rules import COLUMNS, Rule, Rules

MAX_PROGRAM = 1 << 16
"""Bytes of the instructions for one function."""

MAX_ROWS = 10_000
"""Rows of one function; the longest of gcc's have some hundreds."""

_MAX_REMEMBERED = 64


class _High(IntEnum):
    """The two high bits of an instruction whose six low ones are an operand."""

    ADVANCE_LOC = 1
    OFFSET = 2
    RESTORE = 3


class _Op(IntEnum):
    """The other instructions: DW_CFA_... of DWARF 5, section 7.24, and GNU's."""

    NOP = 0
    SET_LOC = 1
    ADVANCE_LOC1 = 2
    ADVANCE_LOC2 = 3
    ADVANCE_LOC4 = 4
    OFFSET_EXTENDED = 5
    RESTORE_EXTENDED = 6
    UNDEFINED = 7
    SAME_VALUE = 8
    REGISTER = 9
    REMEMBER_STATE = 10
    RESTORE_STATE = 11
    DEF_CFA = 12
    DEF_CFA_REGISTER = 13
    DEF_CFA_OFFSET = 14
    DEF_CFA_EXPRESSION = 15
    EXPRESSION = 16
    OFFSET_EXTENDED_SF = 17
    DEF_CFA_SF = 18
    DEF_CFA_OFFSET_SF = 19
    VAL_OFFSET = 20
    VAL_OFFSET_SF = 21
    VAL_EXPRESSION = 22
    GNU_ARGS_SIZE = 0x2E
    GNU_NEGATIVE_OFFSET_EXTENDED = 0x2F


class Common(NamedTuple):
    """What a CIE says for its functions. address_size: bytes of an address in DW_CFA_set_loc."""

    program: bytes
    code_align: int
    data_align: int
    return_address: int
    signal_frame: bool
    address_size: int


class Row(NamedTuple):
    """Rules that hold from an address up to that of the next row."""

    address: int
    rules: Rules


class _State(NamedTuple):
    cfa: Rule | None
    base: int
    registers: dict[int, Rule]


def execute(common: Common, program: bytes, begin: int) -> list[Row]:
    """Return the rows of a function at `begin`, in the order of addresses."""
    if max(len(program), len(common.program)) > MAX_PROGRAM:
        raise Malformed(f"over {MAX_PROGRAM} bytes for one function")
    execution = _Execution(common, begin)
    execution.run(common.program)
    execution.initial = dict(execution.state.registers)
    execution.run(program)
    execution.end_row()
    return execution.rows


class _Execution:
    """The state of an execution: where it is, what holds there, and the rows so far."""

    def __init__(self, common: Common, begin: int) -> None:
        self._common, self._address = common, begin
        self.state = _State(None, 0, {})
        self.initial: dict[int, Rule] = {}
        self._remembered: list[_State] = []
        self.rows: list[Row] = []

    def run(self, program: bytes) -> None:
        """Execute instructions."""
        cursor = Cursor(program)
        while cursor:
            first = cursor.uint(1)
            high, low = first >> 6, first & 0x3F
            if high == _High.ADVANCE_LOC:
                self._advance(low * self._common.code_align)
            elif high == _High.OFFSET:
                self._set(low, Rule("offset", cursor.uleb() * self._common.data_align))
            elif high == _High.RESTORE:
                self._restore(low)
            else:
                self._one(low, cursor)

    def end_row(self) -> None:
        """Append what holds now."""
        state, common = self.state, self._common
        if state.cfa is None:
            raise Malformed("no rule for the CFA")
        if len(self.rows) == MAX_ROWS:
            raise Malformed(f"over {MAX_ROWS} rows for one function")
        registers = MappingProxyType(dict(state.registers))
        rules = Rules(state.cfa, state.base, registers, common.return_address, common.signal_frame)
        self.rows.append(Row(self._address, rules))

    def _one(self, op: int, cursor: Cursor) -> None:  # noqa: C901 -- a switch
        """Execute an instruction that is no more than its number."""
        match op:
            case _Op.NOP:
                pass
            case _Op.SET_LOC:
                self._advance(cursor.uint(self._common.address_size) - self._address)
            case _Op.ADVANCE_LOC1:
                self._advance(cursor.uint(1) * self._common.code_align)
            case _Op.ADVANCE_LOC2:
                self._advance(cursor.uint(2) * self._common.code_align)
            case _Op.ADVANCE_LOC4:
                self._advance(cursor.uint(4) * self._common.code_align)
            case _Op.REMEMBER_STATE:
                if len(self._remembered) == _MAX_REMEMBERED:
                    raise Malformed(f"over {_MAX_REMEMBERED} remembered states")
                self._remembered.append(self.state._replace(registers=dict(self.state.registers)))
            case _Op.RESTORE_STATE:
                if not self._remembered:
                    raise Malformed("no state to restore")
                self.state = self._remembered.pop()
            case _Op.GNU_ARGS_SIZE:
                cursor.uleb()  # for exceptions of C++
            case _ if _Op.DEF_CFA <= op <= _Op.DEF_CFA_EXPRESSION or op in (18, 19):
                self._define_cfa(op, cursor)
            case _:
                self._column(op, cursor.uleb(), cursor)

    def _define_cfa(self, op: int, cursor: Cursor) -> None:
        cfa, base, scale = self.state.cfa, self.state.base, self._common.data_align
        plain = cfa is not None and cfa.kind == "val_offset"
        match op:
            case _Op.DEF_CFA:
                base, cfa = cursor.uleb(), Rule("val_offset", cursor.uleb())
            case _Op.DEF_CFA_SF:
                base, cfa = cursor.uleb(), Rule("val_offset", cursor.sleb() * scale)
            case _Op.DEF_CFA_EXPRESSION:
                cfa = Rule("val_expression", code=cursor.take(cursor.uleb()))
            case _ if not plain:
                raise Malformed("changes a CFA that is no register and offset")
            case _Op.DEF_CFA_REGISTER:
                base = cursor.uleb()
            case _Op.DEF_CFA_OFFSET:
                cfa = Rule("val_offset", cursor.uleb())
            case _:
                cfa = Rule("val_offset", cursor.sleb() * scale)
        self.state = _State(cfa, base, self.state.registers)

    def _column(self, op: int, column: int, cursor: Cursor) -> None:  # noqa: C901 -- a switch
        """Execute an instruction about one register."""
        scale = self._common.data_align
        match op:
            case _Op.OFFSET_EXTENDED:
                self._set(column, Rule("offset", cursor.uleb() * scale))
            case _Op.OFFSET_EXTENDED_SF:
                self._set(column, Rule("offset", cursor.sleb() * scale))
            case _Op.GNU_NEGATIVE_OFFSET_EXTENDED:
                self._set(column, Rule("offset", -cursor.uleb() * scale))
            case _Op.VAL_OFFSET:
                self._set(column, Rule("val_offset", cursor.uleb() * scale))
            case _Op.VAL_OFFSET_SF:
                self._set(column, Rule("val_offset", cursor.sleb() * scale))
            case _Op.UNDEFINED:
                self._set(column, Rule("undefined"))
            case _Op.SAME_VALUE:
                self._set(column, Rule("same"))
            case _Op.REGISTER:
                self._set(column, Rule("register", cursor.uleb()))
            case _Op.EXPRESSION:
                self._set(column, Rule("expression", code=cursor.take(cursor.uleb())))
            case _Op.VAL_EXPRESSION:
                self._set(column, Rule("val_expression", code=cursor.take(cursor.uleb())))
            case _Op.RESTORE_EXTENDED:
                self._restore(column)
            case _:
                raise Malformed(f"unknown instruction {op:#x}")

    def _advance(self, distance: int) -> None:
        if distance < 0:
            raise Malformed("goes back")
        if distance:
            self.end_row()
            self._address += distance

    def _set(self, column: int, rule: Rule) -> None:
        if column < COLUMNS:
            self.state.registers[column] = rule

    def _restore(self, column: int) -> None:
        """Let the rule of a column be the one that the CIE gave it."""
        if column in self.initial:
            self._set(column, self.initial[column])
        else:
            self.state.registers.pop(column, None)
