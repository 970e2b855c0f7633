"""What is asked before every block: may this core execute it now, and how much of it?

The engine runs code in blocks. Its hook calls `before_block`, which admits the block or stops
the engine in front of it and says why: the slice is used up; the next
instruction has bytes of which this core may see several versions; the block must be cut
so that something in it (an unstable instruction, a probe, a serialising instruction of a core
whose floor is behind) comes first in a block.

What is admitted is counted as executed. `give_back` corrects that when a block is left early,
by a fault or because an instruction has to be entered alone. So a slice is exact, and the same
run sliced otherwise goes through the same states. Two grains to know: a jump to an unmapped
page takes its #PF in the same step, because the engine looks the next block up before anybody
is asked; and a fault counts as the instruction that was started.
"""

import numpy as np

from emu.machine import dirty, pic, xapic
from emu.machine.clock import CHOSEN
from emu.machine.decode import PLAIN, SERIALISING, decode
from emu.machine.events import DELIVERED, SERIALISED, emit
from emu.machine.faults import begin_freeze, end_freeze
from emu.machine.native import jit, load64, store8
from emu.machine.state import (
    C_EXTINT,
    C_IRQ,
    C_NMI,
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
    M_CHOSEN,
    M_CHOSEN_CODE,
    M_CHOSEN_KIND,
    M_CLOCK_MODE,
    M_CURRENT,
    M_DELIVER,
    M_LIMIT,
    M_MODEL,
    M_PROBES,
    M_RAM,
    M_RAM_SIZE,
    M_SERIAL,
    M_STOP_AFTER,
    M_SWAPPED,
    M_UNGUARDED,
    P_ADDRESS,
    P_ARGUMENT,
    P_KIND,
    P_TASK,
    STOP_AFTER,
    STOP_BUDGET,
    STOP_FOR_DELIVERY,
    STOP_NOT_RAM,
    STOP_SPLIT,
    STOP_UNGUARDED,
    STOP_UNSTABLE,
    Bytes,
    State,
)
from emu.machine.text import COHERENT, is_behind, serialise, unstable
from emu.machine.unicorn_blocks import (
    block_alone,
    block_at,
    block_count,
    block_pa,
    block_pa2,
    go_on,
    stop,
)
from emu.machine.unicorn_cpu import (
    in_shadow,
    interrupt,
    interrupts_on,
    linear_rip,
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
    """Return whether more than the block itself decides what happens now."""
    core = s.m[M_CURRENT]
    special = s.m[M_SERIAL] | s.m[M_SWAPPED] | s.m[M_CHOSEN] | s.m[M_STOP_AFTER]
    special |= s.m[M_BEHIND] | s.m[M_BLOCK_FRESH]
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
            _report_probes(s, pc, s.m[M_CHOSEN_CODE])
        return
    if s.m[M_STOP_AFTER]:
        stop(s, STOP_AFTER)
        return
    if interrupt_comes(s, s.m[M_CURRENT]):
        if s.m[M_BUDGET] == 0:
            stop(s, STOP_BUDGET)
        else:
            _deliver(s, pc)
        return
    flags = _line_flags(s, size)
    if (flags != _READY or s.m[M_BEHIND]) and not _inspect(s, flags, size):
        return
    if s.m[M_CANDIDATE_COUNT] > s.m[M_BUDGET]:
        stop(s, STOP_BUDGET)
        return
    if flags & LINE_PROBE:
        _report_probes(s, pc, load64(s.m[M_RAM] + s.m[M_CANDIDATE_PA]))
    _admit(s, pc, size, not flags & LINE_FETCHED)


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


@jit
def _report_probes(s: State, pc: int, code: Bytes) -> None:
    address = s.m[M_CANDIDATE_PA]
    probe = find_probe(s, address)
    while probe < s.m[M_PROBES] and s.probes[probe, P_ADDRESS] == address:
        report_probe(s, probe, pc, code)
        probe += 1


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
        _mark_fetched(s, _size_of(s, started))
    if s.m[M_BLOCK_COUNT]:
        s.m[M_BUDGET] += s.m[M_BLOCK_COUNT] - started
        s.m[M_BLOCK_COUNT] = 0
    s.m[M_SERIAL] = 0


@jit
def _mark_fetched(s: State, size: int) -> None:
    """Mark the lines of the first `size` bytes of the admitted block as fetched.

    Not before they were: what a block that is left early did not reach stays fresh, as it would
    if the block had been entered instruction by instruction.
    """
    for offset in range(0, size, LINE):
        _mark_line(s, _physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset))
    if size:
        _mark_line(s, _physical(s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], size - 1))
    s.m[M_BLOCK_FRESH] = 0


@jit
def _mark_line(s: State, address: int) -> None:
    s.lines[address >> 6] |= LINE_FETCHED
    dirty.mark(s, address, 1)


@jit
def _size_of(s: State, instructions: int) -> int:
    """Return the bytes of the first instructions of the admitted block."""
    code = np.zeros(24, np.uint8)
    offset = 0
    for _ in range(instructions):
        _block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
    return offset


@jit
def index_in_block(s: State) -> int:
    """Return the number of whole instructions in the admitted block before RIP."""
    target = linear_rip(s) - s.m[M_BLOCK_PC]
    code = np.zeros(24, np.uint8)
    offset = index = 0
    while offset < target and index < s.m[M_BLOCK_COUNT]:
        _block_code(s, s.m[M_BLOCK_PA], s.m[M_BLOCK_PA2], offset, code)
        length, _ = decode(code, mode(s))
        offset += length
        index += 1
    return index


@jit
def rip_in_block(s: State) -> bool:
    """Return whether RIP lies in the admitted block."""
    offset = linear_rip(s) - s.m[M_BLOCK_PC]
    return s.m[M_BLOCK_COUNT] > 0 and 0 <= offset < 15 * s.m[M_BLOCK_COUNT]


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
        address = _physical(pa, pa2, offset)
        _block_code(s, pa, pa2, offset, code)
        length, kind = decode(code, mode(s))
        if uncertain and _unstable_instruction(s, core, pa, pa2, offset, length):
            if index == 0:
                stop(s, STOP_UNSTABLE)
                return False
            return _cut(s, index)
        if index and flags & LINE_PROBE and s.lines[address >> 6] & LINE_PROBE:
            probe = find_probe(s, address)
            if probe < s.m[M_PROBES] and s.probes[probe, P_ADDRESS] == address:
                return _cut(s, index)
        if behind and kind != PLAIN and _serialises(s, kind):
            if index or s.m[M_CANDIDATE_COUNT] > 1:
                return _cut(s, max(index, 1))
            s.m[M_SERIAL] = s.m[M_CANDIDATE_COUNT] <= s.m[M_BUDGET]
        offset += length
    return True


@jit
def _cut(s: State, instructions: int) -> bool:
    s.m[M_LIMIT] = instructions
    stop(s, STOP_SPLIT)
    return False


@jit
def _serialises(s: State, kind: int) -> bool:
    if kind == SERIALISING:
        return True
    msr = register(s, RCX) & 0xFFFFFFFF
    return not (_X2APIC_FIRST <= msr <= _X2APIC_LAST or msr in _UNSERIALISING)


@jit
def _unstable_instruction(s: State, core: int, pa: int, pa2: int, offset: int, length: int) -> bool:
    """Return whether any byte of the instruction has several versions for the core."""
    start = _physical(pa, pa2, offset)
    in_page = min(length, 4096 - (start & 0xFFF))
    if unstable(s, core, start, in_page):
        return True
    return length > in_page and pa2 >= 0 and unstable(s, core, pa2, length - in_page)


@jit
def _physical(pa: int, pa2: int, offset: int) -> int:
    """Return the physical address of a byte of a block that may cross into a second page."""
    address = pa + offset
    if address >> 12 != pa >> 12:
        return pa2 + (address & 0xFFF)
    return address


@jit
def _block_code(s: State, pa: int, pa2: int, offset: int, code: Bytes) -> None:
    """Copy up to 15 bytes of a block from RAM, as far as its pages go."""
    for index in range(15):
        address = _physical(pa, pa2, offset + index)
        code[index] = s.ram[address] if 0 <= address < s.m[M_RAM_SIZE] else 0


@jit
def restore_true_bytes(s: State) -> None:
    """Put the true bytes back where a fetch was given chosen ones."""
    for row in range(s.m[M_SWAPPED]):
        store8(s.m[M_RAM] + s.swap[row, 0], s.swap[row, 1])
    s.m[M_SWAPPED] = 0


@jit
def find_probe(s: State, address: int) -> int:
    """Return the first probe at or after a physical address (an index into `probes`)."""
    low, high = 0, s.m[M_PROBES]
    while low < high:
        middle = (low + high) >> 1
        if s.probes[middle, P_ADDRESS] < address:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def report_probe(s: State, probe: int, pc: int, code: Bytes) -> None:
    """Append the event of a probe that was reached; `code` is the first eight bytes executed."""
    task = 0
    if s.probes[probe, P_TASK]:
        task = load64(s.m[M_RAM] + s.probes[probe, P_TASK])
    emit(
        s,
        s.m[M_CURRENT],
        s.probes[probe, P_KIND],
        pc,
        s.probes[probe, P_ARGUMENT],
        code,
        task,
        register(s, RSP),
    )
