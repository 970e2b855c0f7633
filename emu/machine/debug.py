"""Debug registers of a core: breakpoints on instructions, data and ports, and MOV to them.

The engine's own breakpoints are never used: they belong to its one CPUState and not to a core,
and those on data do nothing. A core that has a breakpoint set (C_ARMED) is looked at before
every block: the block is cut before the instruction that has one, and the instruction raises
#DB. With a breakpoint on data each instruction is a block of its own, all of whose accesses are
reported; a hit is noted in C_TRAP and comes as #DB before the next instruction. RFLAGS.RF lets
one instruction pass.

Limits: a breakpoint on data is compared by physical address, so an access through another
mapping of the page hits too. RF is not set in the flags that a fault pushes, as in QEMU.
Different from QEMU, and as the manual says: general detect works, and #DB clears it; RF goes with
the instruction; ICEBP raises #DB, and does not stop the machine.

Source: Intel SDM volume 3B, "Debug Registers" and "Debug Exceptions".
"""

from emu.machine.memory import walk
from emu.machine.native import jit
from emu.machine.state import (
    ARMED_DATA,
    ARMED_EXECUTE,
    ARMED_PORT,
    C_ARMED,
    C_TRAP,
    M_CURRENT,
    TRAP_HIT,
    TRAP_RESUMED,
    State,
)
from emu.machine.unicorn_blocks import fault
from emu.machine.unicorn_cpu import register, set_register
from emu.machine.unicorn_layout import CR0, CR3, CR4, DR0, DR6, DR7, EFER, FLAG_RF, RFLAGS
from emu.machine.unicorn_memory import watch_accesses

ACCESSED, STEP = 1 << 13, 1 << 14  # of DR6: a debug register was accessed; a single step
_GENERAL_DETECT = 1 << 13  # of DR7
_DR6_ONES, _DR7_ONES = 0xFFFF0FF0, 0x400
_EXTENSIONS = 1 << 3  # of CR4
_EXECUTE, _WRITE, _PORT, _ACCESS = range(4)  # kinds of breakpoints
_DEBUG, _UNDEFINED, _GENERAL_PROTECTION = 1, 6, 13
_PAGE = 4096


@jit
def _checked(s: State, number: int) -> int:
    """Return the offset of the debug register that a MOV names, or raise what it raises."""
    if number in (4, 5):
        if register(s, CR4) & _EXTENSIONS:
            fault(s, _UNDEFINED, 0)
        number += 2
    if register(s, DR7) & _GENERAL_DETECT:
        set_register(s, DR6, register(s, DR6) | ACCESSED)
        fault(s, _DEBUG, 0)
    return DR0 + 8 * number


@jit
def read_debug(s: State, number: int) -> int:
    """Return what MOV from a debug register reads; may raise #UD or #DB, and not return."""
    return register(s, _checked(s, number))


@jit
def write_debug(s: State, number: int, value: int) -> None:
    """Do what MOV to a debug register does; may raise a fault, and not return."""
    offset = _checked(s, number)
    if offset >= DR6 and value >> 32:
        fault(s, _GENERAL_PROTECTION, 0)
    if offset == DR6:
        value |= _DR6_ONES
    elif offset == DR7:
        value |= _DR7_ONES
    set_register(s, offset, value)
    _arm(s)


@jit
def _kind(s: State, number: int) -> int:
    """Return what breakpoint `number` of the running core is on, -1 where it is not enabled."""
    control = register(s, DR7)
    if not control >> 2 * number & 3:
        return -1
    kind = control >> 16 + 4 * number & 3
    return -1 if kind == _PORT and not register(s, CR4) & _EXTENSIONS else kind


@jit
def _length(s: State, number: int) -> int:
    code = register(s, DR7) >> 18 + 4 * number & 3
    return 8 if code == 2 else code + 1


@jit
def _arm(s: State) -> None:
    """Note which kinds of breakpoints the running core has now."""
    armed = 0
    for number in range(4):
        if register(s, DR7) >> 2 * number & 3:
            kind = register(s, DR7) >> 16 + 4 * number & 3
            if kind == _EXECUTE:
                armed |= ARMED_EXECUTE
            else:
                armed |= ARMED_PORT if kind == _PORT else ARMED_DATA
    s.core[s.m[M_CURRENT], C_ARMED] = armed
    watch_data(s)


@jit
def watch_data(s: State) -> None:
    """Have the accesses of the running core reported if it has a breakpoint on data."""
    watch_accesses(s, (s.core[s.m[M_CURRENT], C_ARMED] & ARMED_DATA) // ARMED_DATA)


@jit
def next_breakpoint(s: State, pc: int, size: int) -> int:
    """Return how many bytes behind pc the first breakpoint within `size` bytes is, or -1."""
    first = -1
    for number in range(4):
        distance = register(s, DR0 + 8 * number) - pc
        nearer = first < 0 or distance < first
        if _kind(s, number) == _EXECUTE and 0 <= distance < size and nearer:
            first = distance
    return first


@jit
def resumes(s: State) -> bool:
    """Return whether RFLAGS.RF lets the next instruction pass its breakpoint."""
    return register(s, RFLAGS) & FLAG_RF != 0


@jit
def breaks_at(s: State, pc: int) -> bool:
    """Return whether the instruction at pc, the running core's next, raises #DB."""
    armed = s.core[s.m[M_CURRENT], C_ARMED] & ARMED_EXECUTE
    return armed != 0 and not resumes(s) and next_breakpoint(s, pc, 1) == 0


@jit
def trap_comes(s: State) -> bool:
    """Return whether the instruction before has left a #DB."""
    return s.core[s.m[M_CURRENT], C_TRAP] & ~TRAP_RESUMED != 0


@jit
def raise_breakpoint(s: State, pc: int) -> None:
    """Raise the #DB of a breakpoint on the instruction at pc, where RIP is; does not return."""
    hits = 0
    for number in range(4):
        if _kind(s, number) == _EXECUTE and register(s, DR0 + 8 * number) == pc:
            hits |= 1 << number
    set_register(s, DR6, register(s, DR6) & ~TRAP_HIT | hits)
    fault(s, _DEBUG, 0)


@jit
def settle_trap(s: State) -> None:
    """Let happen what C_TRAP holds: with a hit, #DB at RIP, and no return."""
    core = s.m[M_CURRENT]
    trap = s.core[core, C_TRAP]
    s.core[core, C_TRAP] = 0
    if trap & TRAP_RESUMED:
        set_register(s, RFLAGS, register(s, RFLAGS) & ~FLAG_RF)
    if trap & TRAP_HIT:
        set_register(s, DR6, register(s, DR6) & ~TRAP_HIT | trap & TRAP_HIT)
    if trap & ~TRAP_RESUMED:
        fault(s, _DEBUG, 0)


@jit
def on_delivery(s: State, vector: int, is_int: int) -> None:
    """Note that the running core takes an exception instead of finishing an instruction."""
    core = s.m[M_CURRENT]
    trap = s.core[core, C_TRAP]
    s.core[core, C_TRAP] = 0
    if is_int:
        if trap & TRAP_RESUMED:
            set_register(s, RFLAGS, register(s, RFLAGS) & ~FLAG_RF)
    elif vector == _DEBUG:
        set_register(s, DR6, register(s, DR6) | trap & TRAP_HIT)
        set_register(s, DR7, register(s, DR7) & ~_GENERAL_DETECT)


@jit
def _physical(s: State, linear: int) -> int:
    cr0, cr3, cr4 = register(s, CR0), register(s, CR3), register(s, CR4)
    return walk(s, cr0, cr3, cr4, register(s, EFER), linear)


@jit
def note_access(s: State, address: int, size: int, stores: int) -> None:
    """Note which breakpoints on data an access at a physical address hits."""
    over = (address & _PAGE - 1) + size - _PAGE  # bytes in its second page, whose frame is unknown
    for number in range(4):
        kind = _kind(s, number)
        if kind != _ACCESS and not (kind == _WRITE and stores):
            continue
        length = _length(s, number)
        linear = register(s, DR0 + 8 * number) & -length
        watched = _physical(s, linear)
        hit = address < watched + length and watched < address + min(size, size - over)
        if over > 0 and linear & _PAGE - 1 < over:
            first_page = _physical(s, (linear & -_PAGE) - _PAGE)
            hit = hit or (first_page >= 0 and first_page == address & -_PAGE)
        if hit and watched >= 0:
            s.core[s.m[M_CURRENT], C_TRAP] |= 1 << number


@jit
def note_port(s: State, port: int, size: int) -> None:
    """Note which breakpoints on ports an IN or OUT hits."""
    for number in range(4):
        length = _length(s, number)
        start = register(s, DR0 + 8 * number) & -length
        if _kind(s, number) == _PORT and port < start + length and start < port + size:
            s.core[s.m[M_CURRENT], C_TRAP] |= 1 << number
