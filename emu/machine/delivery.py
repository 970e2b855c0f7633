"""Delivery of exceptions and interrupts, written from the manual: the reference engine's own.

The compiled engine lets QEMU deliver (`unicorn_cpu`); here the same is done in Python on the saved
registers and guest memory, so the two check each other: gates, privilege, stacks of TSS and IST,
frames, error codes, IF, and what becomes of a fault on the way. Real, protected, virtual-8086 and
long mode. A task gate is left to QEMU.

As QEMU 5, and unlike the manual: no stack limits; any fault in a double fault ends it. Error codes
of faults on the way are QEMU's, too, which `delivery_faults` corrects for both engines.

Source: Intel SDM volume 3A, chapter "Interrupt and Exception Handling", table "Conditions for
Generating a Double Fault"; QEMU target/i386/seg_helper.c for the order of the checks.
"""

from emu.errors import Unsupported
from emu.machine import exception_hooks
from emu.machine.descriptors import (
    BIG,
    CODE,
    CONFORMING,
    LMA,
    LONG,
    NOT_SYSTEM,
    PRESENT,
    WRITABLE,
    base_of,
    find_descriptor,
    load_descriptor,
    load_segment,
    privilege,
    stack_mask,
)
from emu.machine.frame import flags_now, mask_flags, push, push64, set_stack_pointer
from emu.machine.native import load32, store32
from emu.machine.paging import Fault, load
from emu.machine.state import (
    DELIVERING_EVENT,
    DELIVERING_INT,
    M_CPU,
    M_DELIVERED,
    M_DELIVERING,
    M_ENV,
    State,
)
from emu.machine.unicorn_cpu import register, set_register
from emu.machine.unicorn_layout import (
    CPU_EXCEPTION,
    CR0,
    CS,
    DS,
    EFER,
    ERROR_CODE,
    ES,
    FLAG_IF,
    FLAG_RF,
    FLAG_TF,
    FLAG_VM,
    FS,
    GS,
    IDT,
    IS_INT,
    NEXT_RIP,
    OLD_EXCEPTION,
    RFLAGS,
    RIP,
    RSP,
    SEGMENT_BASE,
    SEGMENT_FLAGS,
    SEGMENT_LIMIT,
    SS,
    TR,
)
from emu.machine.unicorn_library import (
    do_interrupt_x86_hardirq,
    raise_exception_err,
    x86_cpu_do_interrupt,
)
from emu.machine.word import signed

_DIVIDE, _DOUBLE, _BAD_TSS, _NOT_PRESENT, _STACK, _PROTECTION, _PAGE = 0, 8, 10, 11, 12, 13, 14
_CONTRIBUTORY = (_DIVIDE, _BAD_TSS, _NOT_PRESENT, _STACK, _PROTECTION)
_WITH_ERROR_CODE = (_DOUBLE, _BAD_TSS, _NOT_PRESENT, _STACK, _PROTECTION, _PAGE, 17)

_AC = 1 << 18  # of RFLAGS
_TASK_GATE, _INTERRUPT16, _TRAP16, _INTERRUPT32, _TRAP32 = 5, 6, 7, 14, 15
_LOW = 0xFFFFFFFF


class _TaskGate(Exception):  # noqa: N818 -- only a way out
    """The gate leads to a task."""


def exception(s: State) -> None:
    """Let the running core take the exception it raised; as `unicorn_cpu.exception`."""
    env = s.m[M_ENV]
    software = load32(env + IS_INT) != 0
    vector, error = load32(s.m[M_CPU] + CPU_EXCEPTION), load32(env + ERROR_CODE)
    if software or vector not in _WITH_ERROR_CODE:
        error = None
    s.m[M_DELIVERING] = DELIVERING_INT if software else DELIVERING_EVENT
    s.m[M_DELIVERED] = vector
    try:
        _deliver(s, vector, error, software=software)
        store32(env + OLD_EXCEPTION, -1)
    except _TaskGate:
        x86_cpu_do_interrupt(s.m[M_CPU])
    except Fault as fault:
        _on_the_way(s, fault)
        return
    s.m[M_DELIVERING] = 0


def interrupt(s: State, vector: int) -> None:
    """Let the running core take an external interrupt; as `unicorn_cpu.interrupt`."""
    s.m[M_DELIVERING], s.m[M_DELIVERED] = DELIVERING_EVENT, vector
    try:
        _deliver(s, vector, None, software=False)
    except _TaskGate:
        do_interrupt_x86_hardirq(s.m[M_ENV], vector, 1)
    except Fault as fault:
        _on_the_way(s, fault)
        return
    s.m[M_DELIVERING] = 0


def _on_the_way(s: State, fault: Fault) -> None:
    """Let the core take a fault met in delivery: itself, as a double fault, or as its end."""
    env = s.m[M_ENV]
    before, vector, error = load32(env + OLD_EXCEPTION), fault.vector, fault.error
    if before == _DOUBLE:
        raise_exception_err(env, vector, error)  # the engine ends the core, and does not return
    contributory = vector in _CONTRIBUTORY
    if (before in _CONTRIBUTORY and contributory) or (
        before == _PAGE and (contributory or vector == _PAGE)
    ):
        vector, error = _DOUBLE, 0
    store32(env + OLD_EXCEPTION, vector)
    store32(env + ERROR_CODE, error)
    store32(env + IS_INT, 0)
    set_register(s, NEXT_RIP, register(s, RIP))
    store32(s.m[M_CPU] + CPU_EXCEPTION, vector)
    exception_hooks.take_exception(s, vector)


def _deliver(s: State, vector: int, error: int | None, *, software: bool) -> None:
    """Go through the gate of a vector; raises Fault or _TaskGate with no register changed.

    error: the error code, if there is to be one. software: by INT n, INT3 or INTO.
    """
    rip = register(s, NEXT_RIP if software else RIP)
    if not register(s, CR0) & 1:
        _real(s, vector, rip)
    elif register(s, EFER) & LMA:
        _long(s, vector, error, rip, software=software)
    else:
        _protected(s, vector, error, rip, software=software)


# --- real mode ---------------------------------------------------------------------------------


def _real(s: State, vector: int, rip: int) -> None:
    env = s.m[M_ENV]
    if vector * 4 + 3 > load32(env + IDT + SEGMENT_LIMIT):
        raise Fault(_PROTECTION, vector * 8 + 2)
    gate = register(s, IDT + SEGMENT_BASE) + vector * 4
    offset, selector = load(s, gate, 2), load(s, gate + 2, 2)
    frame = (flags_now(s), load32(env + CS), rip)
    esp = register(s, RSP) & _LOW
    esp = push(s, register(s, SS + SEGMENT_BASE), esp, 0xFFFF, 2, frame)
    set_stack_pointer(s, esp, 0xFFFF)
    set_register(s, RIP, offset)
    store32(env + CS, selector)
    set_register(s, CS + SEGMENT_BASE, selector << 4)
    set_register(s, RFLAGS, register(s, RFLAGS) & ~(FLAG_IF | FLAG_TF | _AC | FLAG_RF))


# --- protected and virtual-8086 mode -----------------------------------------------------------


def _protected(s: State, vector: int, error: int | None, rip: int, *, software: bool) -> None:
    env = s.m[M_ENV]
    name = vector * 8 + 2
    if vector * 8 + 7 > load32(env + IDT + SEGMENT_LIMIT):
        raise Fault(_PROTECTION, name)
    gate = register(s, IDT + SEGMENT_BASE) + vector * 8
    low, high = load(s, gate, 4), load(s, gate + 4, 4)
    kind = high >> 8 & 0x1F
    if kind == _TASK_GATE:
        raise _TaskGate if high & PRESENT else Fault(_NOT_PRESENT, name)
    if kind not in (_INTERRUPT16, _TRAP16, _INTERRUPT32, _TRAP32):
        raise Fault(_PROTECTION, name)
    selector = low >> 16
    descriptor, level = _code_segment(s, high, selector, name, software=software)
    virtual = register(s, RFLAGS) & FLAG_VM
    size = 4 if kind & 8 else 2
    frame: tuple[int, ...] = (flags_now(s), load32(env + CS), rip)
    if error is not None:
        frame += (error,)
    stack = None
    if level < privilege(s):
        stack, esp = _inner_stack(s, level)
        base, mask = base_of(stack[1]), stack_mask(stack[1][1])
        frame = (load32(env + SS), register(s, RSP), *frame)
        if virtual:
            frame = (*(load32(env + segment) for segment in (GS, FS, DS, ES)), *frame)
    else:
        if virtual:
            raise Fault(_PROTECTION, selector & 0xFFFC)
        base, esp = register(s, SS + SEGMENT_BASE), register(s, RSP) & _LOW
        mask = stack_mask(load32(env + SS + SEGMENT_FLAGS))
    esp = push(s, base, esp, mask, size, frame)
    mask_flags(s, kind)
    if stack is not None:
        if virtual:
            for segment in (ES, DS, FS, GS):
                load_segment(s, segment, 0, 0, 0, 0)
        load_descriptor(s, SS, stack[0] & ~3 | level, stack[1])
    set_stack_pointer(s, esp, mask)
    load_descriptor(s, CS, selector & ~3 | level, descriptor)
    set_register(s, RIP, high & 0xFFFF0000 | low & 0xFFFF)


def _inner_stack(s: State, level: int) -> tuple[tuple[int, tuple[int, int]], int]:
    """Return the stack segment (selector, descriptor) and pointer of the TSS for a level."""
    env = s.m[M_ENV]
    _require_tss(s)
    wide = load32(env + TR + SEGMENT_FLAGS) >> 8 & 8
    at, length = ((level * 8 + 4), 8) if wide else ((level * 4 + 2), 4)
    if at + length - 1 > load32(env + TR + SEGMENT_LIMIT):
        raise Fault(_BAD_TSS, load32(env + TR) & 0xFFFC)
    at += register(s, TR + SEGMENT_BASE)
    esp, selector = load(s, at, length // 2), load(s, at + length // 2, 2)
    if selector & 0xFFFC == 0 or selector & 3 != level:
        raise Fault(_BAD_TSS, selector & 0xFFFC)
    descriptor = find_descriptor(s, selector)
    if descriptor is None or descriptor[1] >> 13 & 3 != level:
        raise Fault(_BAD_TSS, selector & 0xFFFC)
    if descriptor[1] & (NOT_SYSTEM | CODE | WRITABLE | PRESENT) != (
        NOT_SYSTEM | WRITABLE | PRESENT
    ):
        raise Fault(_BAD_TSS, selector & 0xFFFC)
    return (selector, descriptor), esp


# --- long mode ---------------------------------------------------------------------------------


def _long(s: State, vector: int, error: int | None, rip: int, *, software: bool) -> None:
    env = s.m[M_ENV]
    name = vector * 16 + 2
    if vector * 16 + 15 > load32(env + IDT + SEGMENT_LIMIT):
        raise Fault(_PROTECTION, name)
    gate = register(s, IDT + SEGMENT_BASE) + vector * 16
    low, high, highest = (load(s, gate + at, 4) for at in (0, 4, 8))
    kind = high >> 8 & 0x1F
    if kind not in (_INTERRUPT32, _TRAP32):
        raise Fault(_PROTECTION, name)
    selector = low >> 16
    descriptor, level = _code_segment(s, high, selector, name, software=software)
    if descriptor[1] & (LONG | BIG) != LONG:
        raise Fault(_PROTECTION, selector & 0xFFFC)
    ist = high & 7
    switches = level < privilege(s) or ist != 0
    if switches:
        rsp = _stack_of_tss(s, ist + 3 if ist else level)
    else:
        if register(s, RFLAGS) & FLAG_VM:
            raise Fault(_PROTECTION, selector & 0xFFFC)
        rsp = register(s, RSP)
    frame = (load32(env + SS), register(s, RSP), flags_now(s), load32(env + CS), rip)
    rsp = push64(s, rsp & ~0xF, frame if error is None else (*frame, error))
    mask_flags(s, kind)
    if switches:
        load_segment(s, SS, level, 0, 0, level << 13)
    set_register(s, RSP, rsp)
    load_descriptor(s, CS, selector & ~3 | level, descriptor)
    set_register(s, RIP, highest << 32 | high & 0xFFFF0000 | low & 0xFFFF)


def _stack_of_tss(s: State, index: int) -> int:
    """Return RSP0 to RSP2 (index 0 to 2) or IST1 to IST7 (index 4 to 10) of the 64-bit TSS."""
    _require_tss(s)
    at = 8 * index + 4
    if at + 7 > load32(s.m[M_ENV] + TR + SEGMENT_LIMIT):
        raise Fault(_BAD_TSS, load32(s.m[M_ENV] + TR) & 0xFFFC)
    return signed(load(s, register(s, TR + SEGMENT_BASE) + at, 8))


# --- what the modes share ----------------------------------------------------------------------


def _code_segment(
    s: State, gate: int, selector: int, name: int, *, software: bool
) -> tuple[tuple[int, int], int]:
    """Check a gate (its second word) and the code segment it leads to.

    Returns the segment's descriptor and the privilege level to go on with. name: the error code
    that names the gate.
    """
    current = privilege(s)
    if software and gate >> 13 & 3 < current:
        raise Fault(_PROTECTION, name)
    if not gate & PRESENT:
        raise Fault(_NOT_PRESENT, name)
    if selector & 0xFFFC == 0:
        raise Fault(_PROTECTION, 0)
    descriptor = find_descriptor(s, selector)
    if descriptor is None or descriptor[1] & (NOT_SYSTEM | CODE) != NOT_SYSTEM | CODE:
        raise Fault(_PROTECTION, selector & 0xFFFC)
    level = descriptor[1] >> 13 & 3
    if level > current:
        raise Fault(_PROTECTION, selector & 0xFFFC)
    if not descriptor[1] & PRESENT:
        raise Fault(_NOT_PRESENT, selector & 0xFFFC)
    return descriptor, current if descriptor[1] & CONFORMING else level


def _require_tss(s: State) -> None:
    if not load32(s.m[M_ENV] + TR + SEGMENT_FLAGS) & PRESENT:
        raise Unsupported("a change of stacks, and the task register was never loaded: load it")
