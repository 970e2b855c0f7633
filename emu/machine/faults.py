"""Faults: what a machine does wrong because a move says so.

* drop-ipi: an interprocessor interrupt that is pending at a core is lost.
* delay-ipi: it is held back, and pending again after so many instructions of the machine.
* freeze-floor: the next IPI that a core takes does not synchronise it. Its floor stays where it is
  from the delivery through the IRET that leaves the handler; serialising instructions after that
  move it again. This is how a sync is taken from a kernel that patches itself.

The IRET that leaves the handler is the first serialising instruction after which RSP is what it
was before the delivery: a handler works below the frame it was given, or on another stack.
"""

from emu.machine.events import FAULT, emit
from emu.machine.native import jit
from emu.machine.state import (
    C_FREEZE,
    C_FREEZE_STACK,
    D_CORE,
    D_DUE,
    D_SIZE,
    D_VECTOR,
    FOREVER,
    FREEZE_ARMED,
    FREEZE_FROZEN,
    M_CLOCK,
    M_DELAYED,
    M_DELAYED_UNTIL,
    MAX_DELAYED,
    State,
)
from emu.machine.xapic import pending_ipi, request_ipi, withdraw
from emu.moves.fault import DELAY_IPI, DROP_IPI, FREEZE_FLOOR


@jit
def fault(s: State, kind: int, core: int, vector: int, instructions: int) -> bool:
    """Make the move Fault; returns whether it was possible."""
    if kind == FREEZE_FLOOR:
        if s.core[core, C_FREEZE]:
            return False
        s.core[core, C_FREEZE] = FREEZE_ARMED
    elif not pending_ipi(s, core, vector):
        return False
    elif kind == DROP_IPI:
        withdraw(s, core, vector)
    elif kind == DELAY_IPI and s.m[M_DELAYED] < MAX_DELAYED:
        withdraw(s, core, vector)
        _hold(s, core, vector, instructions)
    else:
        return False
    emit(s, core, FAULT, vector, kind, instructions, 0, 0)
    return True


@jit
def _hold(s: State, core: int, vector: int, instructions: int) -> None:
    row = s.m[M_DELAYED]
    due = s.m[M_CLOCK] + instructions
    s.delayed[row, D_CORE], s.delayed[row, D_VECTOR], s.delayed[row, D_DUE] = core, vector, due
    s.m[M_DELAYED] = row + 1
    s.m[M_DELAYED_UNTIL] = min(s.m[M_DELAYED_UNTIL], due)


@jit
def release(s: State) -> None:
    """Make the interrupts pending that were held back until now."""
    kept = 0
    s.m[M_DELAYED_UNTIL] = FOREVER
    for row in range(s.m[M_DELAYED]):
        due = s.delayed[row, D_DUE]
        if due <= s.m[M_CLOCK]:
            request_ipi(s, s.delayed[row, D_CORE], s.delayed[row, D_VECTOR])
        else:
            for column in range(D_SIZE):
                s.delayed[kept, column] = s.delayed[row, column]
            s.m[M_DELAYED_UNTIL] = min(s.m[M_DELAYED_UNTIL], due)
            kept += 1
    s.m[M_DELAYED] = kept


@jit
def begin_freeze(s: State, core: int, stack: int) -> None:
    """Freeze the floor if that is due, as an IPI is delivered; stack: RSP before."""
    if s.core[core, C_FREEZE] == FREEZE_ARMED:
        s.core[core, C_FREEZE], s.core[core, C_FREEZE_STACK] = FREEZE_FROZEN, stack


@jit
def end_freeze(s: State, core: int, stack: int) -> None:
    """Let the floor move again if the serialising instruction that ended left the handler."""
    if s.core[core, C_FREEZE] == FREEZE_FROZEN and stack == s.core[core, C_FREEZE_STACK]:
        s.core[core, C_FREEZE] = 0
