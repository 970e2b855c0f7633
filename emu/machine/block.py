"""What is asked before every block: may this core execute it now, and how much of it?

The engine runs code in blocks. Its hook calls `before_block`, which admits the block or stops
the engine in front of it and says why: the slice is used up; the next
instruction has bytes of which this core may see several versions; the block must be cut
so that something in it (an unstable instruction, a probe, a serialising instruction of a core
whose floor is behind, an instruction that the machine executes itself) comes first in a block.

What is admitted is counted as executed. `give_back` corrects that when a block is left early,
by a fault or because an instruction has to be entered alone. So a slice is exact, and the same
run sliced otherwise goes through the same states. Two grains to know: a jump to an unmapped
page takes its #PF in the same step, because the engine looks the next block up before anybody
is asked; and a fault counts as the instruction that was started.
"""

import numpy as np

from emu.machine import dirty, pic, xapic
from emu.machine.admitted import block_code, index_in_block, physical, size_of
from emu.machine.clock import CHOSEN
from emu.machine.debug import breaks_at, next_breakpoint, raise_breakpoint, resumes, settle_trap
from emu.machine.decode import CLASS, PLAIN, SERIALISING, SERIALISING_WRMSR, WRITE_DR, decode
from emu.machine.emulated import after, execute, is_emulated
from emu.machine.emulated_lines import mark_line
from emu.machine.events import DELIVERED, SERIALISED, emit
from emu.machine.faults import begin_freeze, end_freeze
from emu.machine.native import jit, load64, store8
from emu.machine.probes import probed, report_probes
from emu.machine.state import (
    ARMED_DATA,
    C_ARMED,
    C_EXTINT,
    C_IRQ,
    C_NMI,
    C_TRAP,
    LINE,
    LINE_FETCHED,
    LINE_GUARDED,
    LINE_LIVE,
    LINE_PROBE,
    M_BEHIND,
    M_BLOCK_ALONE,
    M_BLOCK_COUNT,
    M_BLOCK_FRESH,
    M_BLOCK_PA,
    M_BLOCK_PA2,
    M_BLOCK_PC,
    M_BLOCK_SIZE,
    M_BUDGET,
    M_CANDIDATE_ALONE,
    M_CANDIDATE_COUNT,
    M_CANDIDATE_PA,
    M_CANDIDATE_PA2,
    M_CANDIDATE_SIZE,
    M_CHOSEN,
    M_CHOSEN_CODE,
    M_CHOSEN_KIND,
    M_CLOCK_MODE,
    M_CURRENT,
    M_DELIVER,
    M_DELIVERING,
    M_EMULATED,
    M_LIMIT,
    M_MODEL,
    M_RAM,
    M_SERIAL,
    M_STOP_AFTER,
    M_SWAPPED,
    M_TRACE,
    M_UNGUARDED,
    STOP_AFTER,
    STOP_BUDGET,
    STOP_FOR_DELIVERY,
    STOP_NOT_RAM,
    STOP_SPLIT,
    STOP_UNGUARDED,
    STOP_UNSTABLE,
    TRAP_RESUMED,
    State,
)
from emu.machine.text import COHERENT, is_behind, serialise, unstable
from emu.machine.trace import shorten, trace_block
from emu.machine.unicorn_blocks import (
    block_alone,
    block_at,
    block_count,
    block_pa,
    block_pa2,
    enter_alone,
    go_on,
    stop,
)
from emu.machine.unicorn_cpu import (
    in_shadow,
    interrupt,
    interrupts_on,
    mode,
    nmi,
    nmi_on,
    register,
    set_rip,
)
from emu.machine.unicorn_layout import (
    RCX,
    RSP,
)

_READY = LINE_FETCHED | LINE_GUARDED
# WRMSR to these does not serialise (SDM volume 2, WRMSR): x2APIC registers; SPEC_CTRL, PRED_CMD,
# TSX_CTRL, TSC_DEADLINE, PKRS, HWP_REQUEST.
_X2APIC_FIRST, _X2APIC_LAST = 0x802, 0x83F
_UNSERIALISING = (0x48, 0x49, 0x122, 0x6E0, 0x6E1, 0x774)


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
    while s.lines[line] == _READY and line < last >> 6:
        line += 1
    if s.lines[line] != _READY or block_count(block) > s.m[M_BUDGET]:
        return False
    s.m[M_BUDGET] -= block_count(block)
    s.m[M_BLOCK_PC], s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2] = pc, start, -1
    s.m[M_BLOCK_COUNT], s.m[M_BLOCK_ALONE] = block_count(block), block_alone(block)
    return True


@jit
def _something_special(s: State) -> bool:
    """Return whether more than the block itself decides what happens now.

    That bytes are swapped need not be asked: only while a chosen instruction is executed.
    """
    core = s.m[M_CURRENT]
    special = s.m[M_SERIAL] | s.m[M_TRACE] | s.m[M_CHOSEN] | s.m[M_STOP_AFTER]
    special |= s.m[M_BEHIND] | s.m[M_BLOCK_FRESH]
    special |= s.core[core, C_ARMED] | s.core[core, C_TRAP]
    special |= s.core[core, C_IRQ] | s.core[core, C_EXTINT] | s.core[core, C_NMI]
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
        _admit(s, pc, size, 1)
        kind = s.m[M_CHOSEN_KIND]
        s.m[M_SERIAL] = kind != PLAIN and _serialises(s, kind)
        if s.lines[s.m[M_CANDIDATE_PA] >> 6] & LINE_PROBE:
            report_probes(s, s.m[M_CANDIDATE_PA], pc, s.m[M_CHOSEN_CODE])
        if is_emulated(kind):
            _emulate(s, pc, kind, size)
        return
    if s.m[M_STOP_AFTER]:
        stop(s, STOP_AFTER)
        return
    core = s.m[M_CURRENT]
    if s.core[core, C_TRAP] and not _settle_trap(s, pc):
        return
    if interrupt_comes(s, core):
        if s.m[M_BUDGET] == 0:
            stop(s, STOP_BUDGET)
        else:
            _deliver(s, pc)
        return
    if s.core[core, C_ARMED] and breaks_at(s, pc):
        _break(s, pc)
        return
    flags = _line_flags(s, size)
    s.m[M_EMULATED] = 0
    if (flags != _READY or s.m[M_BEHIND]) and not _inspect(s, flags, size):
        return
    emulated = s.m[M_EMULATED]
    if emulated:
        size = s.m[M_CANDIDATE_SIZE]
    if s.core[core, C_ARMED] and not _mind_breakpoints(s, pc, size):
        return
    if s.m[M_CANDIDATE_COUNT] > s.m[M_BUDGET]:
        stop(s, STOP_BUDGET)
        return
    if flags & LINE_PROBE:
        code = load64(s.m[M_RAM] + s.m[M_CANDIDATE_PA])
        report_probes(s, s.m[M_CANDIDATE_PA], pc, code)
    _admit(s, pc, size, not flags & LINE_FETCHED)
    if emulated:
        _emulate(s, pc, emulated, size)


@jit
def _emulate(s: State, pc: int, kind: int, length: int) -> None:
    """Execute the admitted instruction here and go on behind it; does not return."""
    set_rip(s, pc)
    execute(s, kind, length)
    finish_block(s)
    after(s)


@jit
def _settle_trap(s: State, pc: int) -> bool:
    """Raise the trap that the instruction before pc has left; returns if there is none.

    A trap, as an interrupt, is no instruction, but waits for one to be allowed.
    """
    if s.m[M_BUDGET] == 0:
        stop(s, STOP_BUDGET)
        return False
    set_rip(s, pc)
    s.m[M_BLOCK_COUNT] = 0
    settle_trap(s)
    return True


@jit
def _break(s: State, pc: int) -> None:
    """Raise the breakpoint on the instruction at pc; as every fault, it counts as that one."""
    if s.m[M_BUDGET] == 0:
        stop(s, STOP_BUDGET)
        return
    s.m[M_BUDGET] -= 1
    s.m[M_BLOCK_COUNT] = 0
    set_rip(s, pc)
    raise_breakpoint(s, pc)


@jit
def _mind_breakpoints(s: State, pc: int, size: int) -> bool:
    """Cut the candidate where a breakpoint wants it."""
    core, alone = s.m[M_CURRENT], s.m[M_CANDIDATE_ALONE]
    if resumes(s):
        if s.m[M_CANDIDATE_COUNT] > 1:
            return _cut(s, 1)
        if s.m[M_BUDGET]:
            s.core[core, C_TRAP] |= TRAP_RESUMED
    else:
        before = _instructions_before(s, next_breakpoint(s, pc, size))
        if before > 0:
            return _cut(s, before)
    if s.core[core, C_ARMED] & ARMED_DATA and not alone and not s.m[M_EMULATED]:
        return _cut(s, 1)
    return True


@jit
def _instructions_before(s: State, distance: int) -> int:
    """Return how many instructions of the candidate end at this offset, 0 where none does."""
    code = np.zeros(24, np.uint8)
    offset = 0
    for index in range(s.m[M_CANDIDATE_COUNT]):
        if offset >= distance:
            return index if offset == distance else 0
        block_code(s, s.m[M_CANDIDATE_PA], s.m[M_CANDIDATE_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
    return 0


@jit
def interrupt_comes(s: State, core: int) -> bool:
    """Return whether a core takes an interrupt before its next instruction.

    In clock mode `chosen` only because the move Deliver says so.
    """
    if s.m[M_CLOCK_MODE] == CHOSEN and not s.m[M_DELIVER]:
        return False
    if in_shadow(s, core):
        return False
    irq = s.core[core, C_IRQ] | s.core[core, C_EXTINT] != 0 and interrupts_on(s, core)
    return irq or (s.core[core, C_NMI] != 0 and nmi_on(s, core))


@jit
def _acknowledge(s: State, core: int) -> int:
    """Return the vector of the interrupt that the core takes: the 8259's goes first."""
    if s.core[core, C_EXTINT]:
        return pic.acknowledge(s)
    if xapic.pending_ipi(s, core, s.core[core, C_IRQ]):
        begin_freeze(s, core, register(s, RSP))
    return xapic.acknowledge(s, core)


@jit
def _deliver(s: State, pc: int) -> None:
    """Deliver what the core takes at pc: an NMI, else the 8259's, else the APIC's interrupt.

    Does not return. In the hook, because the engine's main loop has to be there to catch a fault
    on the way: a guest may have a bad stack, IDT or TSS.
    """
    core = s.m[M_CURRENT]
    set_rip(s, pc)
    s.m[M_BLOCK_COUNT] = 0
    if s.m[M_DELIVER]:
        s.m[M_DELIVER] = 0
        s.m[M_STOP_AFTER] |= STOP_FOR_DELIVERY
    if s.core[core, C_NMI] and nmi_on(s, core):
        s.core[core, C_NMI] = 0
        begin_freeze(s, core, register(s, RSP))
        emit(s, core, DELIVERED, pc, 2, 0, 0, register(s, RSP))
        nmi(s)
    else:
        vector = _acknowledge(s, core)
        emit(s, core, DELIVERED, pc, vector, 0, 0, register(s, RSP))
        interrupt(s, vector)
    go_on(s)


@jit
def _admit(s: State, pc: int, size: int, fresh: int) -> None:
    count = s.m[M_CANDIDATE_COUNT]
    s.m[M_BUDGET] -= count
    s.m[M_BLOCK_PC] = pc
    s.m[M_BLOCK_PA] = s.m[M_CANDIDATE_PA]
    s.m[M_BLOCK_PA2] = s.m[M_CANDIDATE_PA2]
    s.m[M_BLOCK_COUNT] = count
    s.m[M_BLOCK_ALONE] = s.m[M_CANDIDATE_ALONE]
    s.m[M_BLOCK_SIZE], s.m[M_BLOCK_FRESH] = size, fresh
    if fresh and count == 1:  # it was fetched before it may store to its own line
        _mark_fetched(s, size)
    if s.m[M_TRACE] and not s.m[M_CHOSEN]:  # `run.fetch` has noted what it chose
        trace_block(s, size)


@jit
def finish_block(s: State) -> None:
    """Do what follows when the admitted block has run to its end."""
    if s.m[M_BLOCK_FRESH]:
        _mark_fetched(s, s.m[M_BLOCK_SIZE])
    if s.m[M_SERIAL]:
        s.m[M_SERIAL] = 0
        core = s.m[M_CURRENT]
        if serialise(s, core):
            emit(s, core, SERIALISED, s.m[M_BLOCK_PC], 0, 0, 0, register(s, RSP))
        end_freeze(s, core, register(s, RSP))
        s.m[M_BEHIND] = is_behind(s, core)


@jit
def give_back(s: State, started: int) -> None:
    """The admitted block was left after `started` of its instructions: correct the budget."""
    if s.m[M_BLOCK_FRESH]:
        _mark_fetched(s, size_of(s, started))
    if s.m[M_BLOCK_COUNT]:
        s.m[M_BUDGET] += s.m[M_BLOCK_COUNT] - started
        s.m[M_BLOCK_COUNT] = 0
        if s.m[M_TRACE]:
            shorten(s, started)
    s.m[M_SERIAL] = 0


@jit
def _mark_fetched(s: State, size: int) -> None:
    """Mark the lines of the first `size` bytes of the admitted block as fetched.

    Not before they were: what a block that is left early did not reach stays fresh, as it would
    if the block had been entered instruction by instruction.
    """
    for offset in range(0, size, LINE):
        _mark_line(s, physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset) >> 6)
    if size:
        _mark_line(s, physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], size - 1) >> 6)
    s.m[M_BLOCK_FRESH] = 0


@jit
def _mark_line(s: State, line: int) -> None:
    if not s.lines[line] & LINE_FETCHED:
        s.lines[line] |= LINE_FETCHED
        mark_line(s, line)
        dirty.mark(s, line * LINE, 1)


@jit
def _line_flags(s: State, size: int) -> int:
    """Return the flags of the candidate's lines, all together.

    READY when nothing is special about them; less where a line is not guarded or not fetched.
    """
    start = s.m[M_CANDIDATE_PA]
    in_page = min(size, 4096 - (start & 0xFFF))
    any_line, every_line = _flags_of(s, start, in_page)
    if size > in_page:
        more, fewer = _flags_of(s, s.m[M_CANDIDATE_PA2], size - in_page)
        any_line, every_line = any_line | more, every_line & fewer
    return any_line & ~_READY | every_line & _READY


@jit
def _flags_of(s: State, start: int, size: int) -> tuple[int, int]:
    """Return the flags that any, and that every line of a range has."""
    line = start >> 6
    any_line, every_line = s.lines[line], s.lines[line]
    while line + 1 << 6 < start + size:
        line += 1
        any_line |= s.lines[line]
        every_line &= s.lines[line]
    return any_line, every_line


@jit
def _inspect(s: State, flags: int, size: int) -> bool:
    """Look at the candidate instruction by instruction; stop or cut it where needed."""
    pa, pa2 = s.m[M_CANDIDATE_PA], s.m[M_CANDIDATE_PA2]
    if not flags & LINE_GUARDED:
        first_page = s.lines[pa >> 6] & LINE_GUARDED
        s.m[M_UNGUARDED] = pa2 if first_page else pa & ~0xFFF
        stop(s, STOP_UNGUARDED)
        return False
    core = s.m[M_CURRENT]
    uncertain = flags & LINE_LIVE and s.m[M_MODEL] != COHERENT
    s.m[M_BEHIND] = behind = is_behind(s, core)
    code = np.zeros(24, np.uint8)
    offset = 0
    for index in range(s.m[M_CANDIDATE_COUNT]):
        address = physical(pa, pa2, offset)
        block_code(s, pa, pa2, offset, code)
        length, kind = decode(code, mode(s))
        if uncertain and _unstable_instruction(s, core, pa, pa2, offset, length):
            if index == 0:
                stop(s, STOP_UNSTABLE)
                return False
            return _cut(s, index)
        in_line = index and flags & LINE_PROBE and s.lines[address >> 6] & LINE_PROBE
        if in_line and probed(s, address):
            return _cut(s, index)
        if is_emulated(kind):
            if index:
                return _cut(s, index)
            s.m[M_EMULATED], s.m[M_CANDIDATE_SIZE], s.m[M_CANDIDATE_COUNT] = kind, length, 1
        if behind and kind != PLAIN and _serialises(s, kind):
            if index or s.m[M_CANDIDATE_COUNT] > 1:
                return _cut(s, max(index, 1))
            s.m[M_SERIAL] = s.m[M_CANDIDATE_COUNT] <= s.m[M_BUDGET]
        if s.m[M_EMULATED]:
            return True
        offset += length
    return True


@jit
def _cut(s: State, instructions: int) -> bool:
    s.m[M_LIMIT] = instructions
    stop(s, STOP_SPLIT)
    return False


@jit
def _serialises(s: State, kind: int) -> bool:
    kind &= CLASS
    if kind != SERIALISING_WRMSR:
        return kind == SERIALISING or kind == WRITE_DR
    msr = register(s, RCX) & 0xFFFFFFFF
    return not (_X2APIC_FIRST <= msr <= _X2APIC_LAST or msr in _UNSERIALISING)


@jit
def _unstable_instruction(s: State, core: int, pa: int, pa2: int, offset: int, length: int) -> bool:
    """Return whether any byte of the instruction has several versions for the core."""
    start = physical(pa, pa2, offset)
    in_page = min(length, 4096 - (start & 0xFFF))
    if unstable(s, core, start, in_page):
        return True
    return length > in_page and pa2 >= 0 and unstable(s, core, pa2, length - in_page)


@jit
def only_alone(s: State) -> None:
    """Go on only if the instruction is a block of its own; else enter it as one."""
    if not s.m[M_BLOCK_ALONE] and not s.m[M_DELIVERING]:
        give_back(s, index_in_block(s))
        enter_alone(s)


@jit
def restore_true_bytes(s: State) -> None:
    """Put the true bytes back where a fetch was given chosen ones."""
    for row in range(s.m[M_SWAPPED]):
        store8(s.m[M_RAM] + s.swap[row, 0], s.swap[row, 1])
    s.m[M_SWAPPED] = 0
