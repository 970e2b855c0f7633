"""The functions the engine calls back. Each gets the machine's arrays and leaves at once.

The engine hands every hook one pointer: the address that stands for the `State` in native code.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from unicorn import unicorn_const as uc_const
from unicorn import x86_const
from unicorn.unicorn_py3 import Uc
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine import fast_call, ioapic, msr, ports, xapic
from emu.machine.admitted import (
    index_in_block,
    length_at_rip,
    rip_in_block,
    stands_at_icebp,
    start_of_trap,
)
from emu.machine.block import (
    admit_plain,
    before_block,
    give_back,
    only_alone,
    restore_true_bytes,
)
from emu.machine.debug import note_port, on_delivery
from emu.machine.delivery_faults import corrected
from emu.machine.events import TRAP, emit
from emu.machine.memory_hooks import (
    on_crossing_store,
    on_slow_access,
    on_text_store,
    on_watched_access,
)
from emu.machine.native import entry, hook, jit, load32, load64, pointer, store32
from emu.machine.state import (
    ARMED_PORT,
    C_ARMED,
    C_TRAP,
    M_BLOCK_COUNT,
    M_BUDGET,
    M_CHOSEN,
    M_CORES,
    M_CPU,
    M_CROSSING_HOOK,
    M_CURRENT,
    M_DELIVERING,
    M_ENV,
    M_STOP_AFTER,
    M_SWAPPED,
    M_TRAP_START,
    M_WATCH_HOOK,
    STOP_BUDGET,
    STOP_FOR_TIMER,
    TRAP_ICEBP,
    State,
)
from emu.machine.unicorn_blocks import flush_tlb, go_on, stop
from emu.machine.unicorn_cpu import (
    check_ports,
    exception,
    identify,
    linear_rip,
    register,
    set_register,
    set_rip,
)
from emu.machine.unicorn_layout import (
    CLASS_TLB_FILL,
    CPU_TO_CLASS,
    CPU_TO_UC,
    CR2,
    ERROR_CODE,
    IS_INT,
    OLD_EXCEPTION,
    RAX,
    RBX,
    RCX,
    RDX,
    RIP,
    RSP,
    UC_MEMORY_MAPPING,
)
from emu.machine.unicorn_memory import (
    data_of_hooks,
    fill_tlb,
    find_ram,
    not_translating,
)
from emu.machine.view import state_at

_PAGE_FAULT, _UNDEFINED = 14, 6
_FETCH_OR_READ = 2  # the error code's write bit is clear

_i64, _u32, _i32, _ptr = types.int64, types.uint32, types.int32, types.voidptr


def _on_plain_block(caller: int, engine: int, pc: int, size: int, data: Any) -> bool:
    """Every block, before it runs."""
    return bool(admit_plain(state_at(data), pc, np.int64(size), caller))


def _on_block(caller: int, engine: int, pc: int, size: int, data: Any) -> None:
    """Every block that is not plain, before it runs."""
    before_block(state_at(data), pc, np.int64(size), caller)


_block_entry = entry(_on_plain_block, _on_block, _i64, _i64, _u32, _ptr)


@jit
def _on_block_address() -> int:
    return int(_block_entry())


@hook(types.boolean(_i64, _i64, _i32, _i32, _i32, _i32, _i64))
def on_tlb_fill(
    cpu: int, virtual: int, size: int, access: int, mmu: int, probe: int, caller: int
) -> bool:
    """An address is to be translated. Stands in for `CPUClass.tlb_fill`."""
    s = state_at(pointer(data_of_hooks(load64(cpu + CPU_TO_UC))))
    return bool(fill_tlb(s, cpu, virtual, size, access, mmu, probe & 1, caller))


@jit
def _charge_for_fetch(s: State) -> None:
    """Count a fetch that fails right after another exception or interrupt as an instruction.

    A handler that is not mapped raises faults for ever, and nobody else would be asked.
    """
    if s.m[M_BUDGET] == 0:
        store32(s.m[M_ENV] + OLD_EXCEPTION, -1)  # as if it had not been raised: it will be again
        stop(s, STOP_BUDGET)
        go_on(s)
    s.m[M_BUDGET] -= 1


@jit
def take_exception(s: State, vector: int) -> None:
    """Let the running core take an exception that the engine noticed."""
    not_translating(s)
    is_int = load32(s.m[M_ENV] + IS_INT)
    if s.m[M_DELIVERING]:
        vector = corrected(s, vector)
    error = load32(s.m[M_ENV] + ERROR_CODE)
    fetch = (
        vector == _PAGE_FAULT and register(s, CR2) == linear_rip(s) and not error & _FETCH_OR_READ
    )
    if not is_int and not fetch and rip_in_block(s):
        # after a single step RIP is behind the block
        give_back(s, min(index_in_block(s) + 1, s.m[M_BLOCK_COUNT]))
    else:
        if is_int:
            s.m[M_TRAP_START] = start_of_trap(s)
        if fetch and s.m[M_BLOCK_COUNT] == 0:
            _charge_for_fetch(s)
        give_back(s, s.m[M_BLOCK_COUNT])
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    if s.m[M_CHOSEN] == 1:  # the chosen instruction could not even be fetched: that was the step
        s.m[M_CHOSEN], s.m[M_BUDGET] = 2, 0
    on_delivery(s, vector, is_int)
    emit(s, s.m[M_CURRENT], TRAP, linear_rip(s), vector, error, 0, register(s, RSP))
    if is_int:  # where the delivery fails, it is the fault of this instruction
        set_rip(s, s.m[M_TRAP_START])
    exception(s)


@hook(types.void(_i64, _u32, _ptr))
def on_exception(engine: int, vector: int, data: Any) -> None:
    """An exception or software interrupt; RIP is at a fault, after a trap."""
    take_exception(state_at(data), np.int64(vector))


@hook(types.boolean(_i64, _ptr))
def on_undefined(engine: int, data: Any) -> bool:
    """An instruction that does not exist: #UD. But ICEBP does."""
    s = state_at(data)
    length = stands_at_icebp(s)
    if length:
        set_register(s, RIP, register(s, RIP) + length)
        s.core[s.m[M_CURRENT], C_TRAP] |= TRAP_ICEBP
    else:
        take_exception(s, _UNDEFINED)
    return True


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_device_access(
    engine: int, access: int, address: int, size: int, value: int, data: Any
) -> None:
    """A load or store of device memory, before it happens."""
    only_alone(state_at(data))


@hook(_i64(_i64, _i64, _u32, _ptr))
def apic_read(engine: int, offset: int, size: int, data: Any) -> int:
    """A load from the page of the local APIC."""
    s = state_at(data)
    return xapic.read(s, s.m[M_CURRENT], np.int64(offset))


@hook(types.void(_i64, _i64, _u32, _i64, _ptr))
def apic_write(engine: int, offset: int, size: int, value: int, data: Any) -> None:
    """A store to the page of the local APIC."""
    s = state_at(data)
    ended = xapic.write(s, s.m[M_CURRENT], np.int64(offset), value)
    if ended:
        ioapic.end_of_interrupt(s, ended)
    s.m[M_STOP_AFTER] |= STOP_FOR_TIMER  # its deadline may now lie within the slice


@hook(_i64(_i64, _i64, _u32, _ptr))
def ioapic_read(engine: int, offset: int, size: int, data: Any) -> int:
    """A load from the page of the I/O APIC."""
    return ioapic.read(state_at(data), np.int64(offset))


@hook(types.void(_i64, _i64, _u32, _i64, _ptr))
def ioapic_write(engine: int, offset: int, size: int, value: int, data: Any) -> None:
    """A store to the page of the I/O APIC."""
    ioapic.write(state_at(data), np.int64(offset), value)


@hook(_i64(_i64, _i64, _u32, _ptr))
def open_bus_read(engine: int, offset: int, size: int, data: Any) -> int:
    """A load from physical memory where nothing answers: all ones."""
    return -1


@hook(types.void(_i64, _i64, _u32, _i64, _ptr))
def open_bus_write(engine: int, offset: int, size: int, value: int, data: Any) -> None:
    """A store to physical memory where nothing answers."""


@hook(_u32(_i64, _u32, _i32, _ptr))
def on_in(engine: int, port: int, size: int, data: Any) -> np.uint32:
    """in."""
    s = state_at(data)
    only_alone(s)
    check_ports(s, np.int64(port), np.int64(size))
    if s.core[s.m[M_CURRENT], C_ARMED] & ARMED_PORT:
        note_port(s, np.int64(port), np.int64(size))
    return np.uint32(ports.read(s, np.int64(port), np.int64(size)))


@hook(types.void(_i64, _u32, _i32, _u32, _ptr))
def on_out(engine: int, port: int, size: int, value: int, data: Any) -> None:
    """out."""
    s = state_at(data)
    only_alone(s)
    check_ports(s, np.int64(port), np.int64(size))
    if s.core[s.m[M_CURRENT], C_ARMED] & ARMED_PORT:
        note_port(s, np.int64(port), np.int64(size))
    ports.write(s, np.int64(port), np.int64(size), np.int64(value))


@hook(_i32(_i64, _ptr))
def on_rdtsc(engine: int, data: Any) -> int:
    """rdtsc: virtual time; no clock of the host reaches the guest."""
    s = state_at(data)
    only_alone(s)
    time = msr.tsc(s, s.m[M_CURRENT])
    set_register(s, RAX, time & 0xFFFFFFFF)
    set_register(s, RDX, time >> 32 & 0xFFFFFFFF)
    return 1


@hook(types.void(_i64, _ptr))
def on_syscall(engine: int, data: Any) -> None:
    """syscall: the engine only steps over it."""
    s = state_at(data)
    fast_call.syscall(s, length_at_rip(s))


@hook(types.void(_i64, _ptr))
def on_sysenter(engine: int, data: Any) -> None:
    """sysenter: the engine only steps over it."""
    s = state_at(data)
    fast_call.sysenter(s, length_at_rip(s))


_RDTSCP, _RDRAND, _RDSEED = 1 << 27, 1 << 30, 1 << 18
_X2APIC, _TSC_DEADLINE, _APIC = 1 << 21, 1 << 24, 1 << 9


@hook(_i32(_i64, _ptr))
def on_cpuid(engine: int, data: Any) -> int:
    """cpuid: the engine's model, with the core's own APIC ID and without what reads the host."""
    s = state_at(data)
    leaf = register(s, RAX) & 0xFFFFFFFF
    core = s.m[M_CURRENT]
    output = np.zeros(4, np.int64)
    identify(s, leaf, register(s, RCX) & 0xFFFFFFFF, output)
    if leaf == 1:
        output[1] = output[1] & 0xFFFF | core << 24 | s.m[M_CORES] << 16
        output[2] &= ~(_RDRAND | _X2APIC | _TSC_DEADLINE)
        if not msr.apic_enabled(s, core):
            output[3] &= ~_APIC
    elif leaf == 7:
        output[1] &= ~_RDSEED
    elif leaf == 0xB:
        output[:] = 0
    elif leaf == 0x80000001:
        output[3] &= ~_RDTSCP
    set_register(s, RAX, output[0])
    set_register(s, RBX, output[1])
    set_register(s, RCX, output[2])
    set_register(s, RDX, output[3])
    return 1


def _add(uc: Uc, kind: int, address: int, table: int, begin: int, end: int, *more: int) -> int:
    handle = ctypes.c_size_t()
    status = uclib.uc_hook_add(
        uc._uch,
        ctypes.byref(handle),
        kind,
        ctypes.c_void_p(address),
        ctypes.c_void_p(table),
        ctypes.c_uint64(begin),
        ctypes.c_uint64(end),
        *(ctypes.c_int(value) for value in more),
    )
    assert status == uc_const.UC_ERR_OK, status
    return int(handle.value)


_EVERYWHERE = (1, 0)  # begin > end: no bounds


def install(uc: Uc, table: int) -> None:
    """Register all hooks but those on text; `table` is the address of the state."""
    _add(uc, uc_const.UC_HOOK_BLOCK, _on_block_address(), table, *_EVERYWHERE)
    _add(uc, uc_const.UC_HOOK_INTR, on_exception.address, table, *_EVERYWHERE)
    _add(uc, uc_const.UC_HOOK_INSN_INVALID, on_undefined.address, table, *_EVERYWHERE)
    for function, instruction in (
        (on_in, x86_const.UC_X86_INS_IN),
        (on_out, x86_const.UC_X86_INS_OUT),
        (on_rdtsc, x86_const.UC_X86_INS_RDTSC),
        (on_cpuid, x86_const.UC_X86_INS_CPUID),
        (on_syscall, x86_const.UC_X86_INS_SYSCALL),
        (on_sysenter, x86_const.UC_X86_INS_SYSENTER),
    ):
        _add(uc, uc_const.UC_HOOK_INSN, function.address, table, *_EVERYWHERE, instruction)
    for page in (ioapic.BASE, xapic.BASE):
        _add(
            uc,
            uc_const.UC_HOOK_MEM_READ | uc_const.UC_HOOK_MEM_WRITE,
            on_device_access.address,
            table,
            page,
            page + 0xFFF,
        )


def watch_slow_accesses(s: State, uc: Uc) -> None:
    """Let the engine ask `on_slow_access`; RAM must be mapped, and the block hook installed."""
    find_ram(s)
    first_byte = (0, 0)
    kind, address = uc_const.UC_HOOK_MEM_WRITE, on_crossing_store.address
    s.m[M_CROSSING_HOOK] = _add(uc, kind, address, s.address, *first_byte)
    kind, address = kind | uc_const.UC_HOOK_MEM_READ, on_watched_access.address
    s.m[M_WATCH_HOOK] = _add(uc, kind, address, s.address, *first_byte)
    place = ctypes.c_uint64.from_address(uc._uch.value + UC_MEMORY_MAPPING)
    place.value = on_slow_access.address


def watch_tlb_fills(s: State) -> None:
    """Let the engine ask us before it translates an address.

    Not for the reference engine: a fault in there unwinds, and must not meet Python on its way.
    """
    cpu_class = ctypes.c_uint64.from_address(int(s.m[M_CPU]) + CPU_TO_CLASS).value
    place = ctypes.c_uint64.from_address(cpu_class + CLASS_TLB_FILL)
    place.value = on_tlb_fill.address
    flush_tlb(s)


def map_devices(uc: Uc, table: int, ram_size: int) -> None:
    """Map both APICs and, wherever else no RAM is below 4 GiB, the open bus."""
    free = ram_size
    for page, read, write in (
        (ioapic.BASE, ioapic_read, ioapic_write),
        (xapic.BASE, apic_read, apic_write),
    ):
        _map(uc, table, free, page - free, open_bus_read, open_bus_write)
        _map(uc, table, page, 0x1000, read, write)
        free = page + 0x1000
    _map(uc, table, free, (1 << 32) - free, open_bus_read, open_bus_write)


def _map(uc: Uc, table: int, start: int, size: int, read: Any, write: Any) -> None:
    status = uclib.uc_mmio_map(
        uc._uch,
        ctypes.c_uint64(start),
        ctypes.c_size_t(size),
        ctypes.c_void_p(read.address),
        ctypes.c_void_p(table),
        ctypes.c_void_p(write.address),
        ctypes.c_void_p(table),
    )
    assert status == uc_const.UC_ERR_OK, status


VOID_POINTER = ctypes.c_void_p


@dataclass(frozen=True)
class Guard:
    """Physical memory [start, end), stores to which are reported until it is removed."""

    start: int
    end: int
    remove: Callable[[], None]


def guard(uc: Uc, table: int, start: int, end: int) -> Guard:
    """Have stores to physical [start, end) reported.

    Stores elsewhere are not reported, so kernels that keep data away from text are spared the
    call. The TLB has to be flushed afterwards.
    """
    handle = _add(uc, uc_const.UC_HOOK_MEM_WRITE, on_text_store.address, table, start, end - 1)
    return Guard(start, end, lambda: uclib.uc_hook_del(uc._uch, ctypes.c_size_t(handle)))
