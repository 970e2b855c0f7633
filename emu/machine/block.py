"""What is asked before every block: may this core execute it now, and how much of it?

The engine runs code in blocks. Its hook calls `before_block`, which admits the block or stops
the engine in front of it and says why: the slice is used up; the next instruction has bytes of
which this core may see several versions; the block must be cut so that something in it comes
first in a block (`candidate`). What comes between two instructions, as an interrupt, comes here
(`interruptions`).

What is admitted is counted as executed (`admitted`). `give_back` corrects that when a block is
left early, by a fault or because an instruction has to be entered alone. So a slice is exact, and
the same run sliced otherwise goes through the same states. Two grains to know: a jump to an
unmapped page takes its #PF in the same step, because the engine looks the next block up before
anybody is asked; and a fault counts as the instruction that was started.
"""

from emu.machine.admitted import admit, finish_block
from emu.machine.candidate import READY, inspect, line_flags, mind_breakpoints, serialises
from emu.machine.debug import breaks_at
from emu.machine.decode import LONG, PLAIN
from emu.machine.emulated import after, execute, is_emulated
from emu.machine.emulated_lines import note_inspected, was_inspected
from emu.machine.interruptions import interrupt_comes, take_breakpoint, take_interrupt, take_trap
from emu.machine.native import jit, load64
from emu.machine.probes import report_probes
from emu.machine.state import (
    C_ARMED,
    C_EXTINT,
    C_IRQ,
    C_NMI,
    C_TRAP,
    LINE_EMULATED,
    LINE_FETCHED,
    LINE_PROBE,
    M_BEHIND,
    M_BLOCK_ALONE,
    M_BLOCK_COUNT,
    M_BLOCK_FRESH,
    M_BLOCK_PA,
    M_BLOCK_PA2,
    M_BLOCK_PC,
    M_BUDGET,
    M_CANDIDATE_ALONE,
    M_CANDIDATE_COUNT,
    M_CANDIDATE_PA,
    M_CANDIDATE_PA2,
    M_CANDIDATE_SIZE,
    M_CHOSEN,
    M_CHOSEN_CODE,
    M_CHOSEN_KIND,
    M_CURRENT,
    M_EMULATED,
    M_RAM,
    M_SERIAL,
    M_STOP_AFTER,
    M_SWAPPED,
    M_TRACE,
    STOP_AFTER,
    STOP_BUDGET,
    STOP_NOT_RAM,
    State,
)
from emu.machine.swap import restore_true_bytes
from emu.machine.unicorn_blocks import (
    block_alone,
    block_at,
    block_count,
    block_pa,
    block_pa2,
    block_whole,
    stop,
)
from emu.machine.unicorn_cpu import mode, register, set_rip
from emu.machine.unicorn_layout import FLAG_IF, RFLAGS


@jit
def admit_plain(s: State, pc: int, size: int, caller: int) -> bool:
    """Admit the block if there is nothing to be considered; returns whether there was not.

    This is all that most blocks need, and most of what the machine costs. pc: linear; size: in
    bytes; caller: the address in the block's code to which the hook returns.
    """
    block = block_at(caller)
    start, last = block_pa(block), block_pa(block) + size - 1
    if start < 0 or block_pa2(block) >= 0 or _something_special(s):
        return False
    line = start >> 6
    while s.lines[line] == READY and line < last >> 6:
        line += 1
    if s.lines[line] != READY and not _only_looks_emulated(s, start, size):
        return False
    if block_count(block) > s.m[M_BUDGET]:
        return False
    s.m[M_BUDGET] -= block_count(block)
    s.m[M_BLOCK_PC], s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2] = pc, start, -1
    s.m[M_BLOCK_COUNT], s.m[M_BLOCK_ALONE] = block_count(block), block_alone(block)
    return True


@jit
def _only_looks_emulated(s: State, start: int, size: int) -> bool:
    """Return whether nothing is special about a block's lines but bytes that are known better."""
    line, last = start >> 6, start + size - 1 >> 6
    while line < last and s.lines[line] | LINE_EMULATED == READY | LINE_EMULATED:
        line += 1
    ready = s.lines[line] | LINE_EMULATED == READY | LINE_EMULATED
    return ready and was_inspected(s, start, size) and mode(s) == LONG


@jit
def _something_special(s: State) -> bool:
    """Return whether more than the block itself decides what happens now.

    That bytes are swapped need not be asked: only while a chosen instruction is executed.
    """
    core = s.m[M_CURRENT]
    special = s.m[M_SERIAL] | s.m[M_TRACE] | s.m[M_CHOSEN] | s.m[M_STOP_AFTER]
    special |= s.m[M_BEHIND] | s.m[M_BLOCK_FRESH]
    special |= s.core[core, C_ARMED] | s.core[core, C_TRAP] | s.core[core, C_NMI]
    if s.core[core, C_IRQ] | s.core[core, C_EXTINT]:  # for ever, of a kernel that polls
        special |= register(s, RFLAGS) & FLAG_IF
    return special != 0


@jit
def before_block(s: State, pc: int, size: int, caller: int) -> None:
    """Admit the block or stop the engine before it; parameters as in `admit_plain`."""
    block = block_at(caller)
    finish_block(s)
    if block_pa(block) < 0:
        stop(s, STOP_NOT_RAM)
        return
    s.m[M_CANDIDATE_PA], s.m[M_CANDIDATE_PA2] = block_pa(block), block_pa2(block)
    s.m[M_CANDIDATE_COUNT], s.m[M_CANDIDATE_ALONE] = block_count(block), block_alone(block)
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    if s.m[M_CHOSEN] == 1:
        s.m[M_CHOSEN] = 2
        admit(s, pc, size, 1)
        kind = s.m[M_CHOSEN_KIND]
        s.m[M_SERIAL] = kind != PLAIN and serialises(s, kind)
        if s.lines[s.m[M_CANDIDATE_PA] >> 6] & LINE_PROBE:
            report_probes(s, s.m[M_CANDIDATE_PA], pc, s.m[M_CHOSEN_CODE])
        if is_emulated(kind):
            _emulate(s, pc, kind, size)
        return
    if s.m[M_STOP_AFTER]:
        stop(s, STOP_AFTER)
        return
    core = s.m[M_CURRENT]
    if s.core[core, C_TRAP] and not take_trap(s, pc):
        return
    if interrupt_comes(s, core):
        if s.m[M_BUDGET] == 0:
            stop(s, STOP_BUDGET)
        else:
            take_interrupt(s, pc)
        return
    if s.core[core, C_ARMED] and breaks_at(s, pc):
        take_breakpoint(s, pc)
        return
    flags = line_flags(s, size)
    s.m[M_EMULATED] = 0
    if (flags != READY or s.m[M_BEHIND]) and not inspect(s, flags, size):
        return
    emulated = s.m[M_EMULATED]
    if flags == READY | LINE_EMULATED and not emulated and block_whole(block) and mode(s) == LONG:
        note_inspected(s, block_pa(block), size)
    if emulated:
        size = s.m[M_CANDIDATE_SIZE]
    if s.core[core, C_ARMED] and not mind_breakpoints(s, pc, size):
        return
    if s.m[M_CANDIDATE_COUNT] > s.m[M_BUDGET]:
        stop(s, STOP_BUDGET)
        return
    if flags & LINE_PROBE:
        code = load64(s.m[M_RAM] + s.m[M_CANDIDATE_PA])
        report_probes(s, s.m[M_CANDIDATE_PA], pc, code)
    admit(s, pc, size, not flags & LINE_FETCHED)
    if emulated:
        _emulate(s, pc, emulated, size)


@jit
def _emulate(s: State, pc: int, kind: int, length: int) -> None:
    """Execute the admitted instruction here and go on behind it; does not return."""
    set_rip(s, pc)
    execute(s, kind, length)
    finish_block(s)
    after(s)
