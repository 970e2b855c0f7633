"""Call frame rules: where a caller's registers are while its callee executes an instruction.

Columns are DWARF's numbers of registers: System V ABI AMD64, section 3.6.2, figure 3.36.
Source of the rules: DWARF 5, section 6.4.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP = range(8)
RIP: Final = 16
CS: Final = 51
COLUMNS: Final = 64
"""Columns that are kept; those of vector registers are not, nobody finds a frame by them."""

CALLEE_SAVED: Final = frozenset((RBX, RBP, 12, 13, 14, 15))
"""What a function leaves as it was, unless a rule says otherwise."""

Kind = Literal[
    "undefined", "same", "offset", "val_offset", "register", "expression", "val_expression"
]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a register of the caller is found.

    Attributes:
        kind: "undefined": it is lost; "same": as in the callee; "offset": in memory at CFA +
            value; "val_offset": CFA + value itself; "register": in that column of the callee;
            "expression": in memory at the address that is computed; "val_expression": what is
            computed.
        value: an offset in bytes, a column, or 0.
        code: of an expression.
    """

    kind: Kind
    value: int = 0
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules at an instruction.

    Attributes:
        cfa: the canonical frame address: the caller's RSP before it called, of a function.
            Kind "val_offset": value is added to column `base`; or "val_expression".
        base: column.
        registers: rules by column; a column that is not in it has none.
        return_address: the column of the address that execution goes on at in the caller.
        signal_frame: what is there was interrupted, at an instruction that is still to be
            executed, rather than having called.
    """

    cfa: Rule
    base: int = RSP
    registers: Mapping[int, Rule] = field(default_factory=lambda: MappingProxyType({}))
    return_address: int = RIP
    signal_frame: bool = False

    @property
    def outermost(self) -> bool:
        """Return whether there is no caller: its return address is undefined."""
        rule = self.registers.get(self.return_address)
        return rule is not None and rule.kind == "undefined"


ENTERED: Final = Rules(Rule("val_offset", 8), registers=MappingProxyType({RIP: Rule("offset", -8)}))
"""The rules where a function begins: the return address is on top of the stack."""
