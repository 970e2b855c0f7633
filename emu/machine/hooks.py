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

from emu.machine import ioapic, ports, text, xapic
from emu.machine.block import (
    admit_plain,
    before_block,
    give_back,
    index_in_block,
    restore_true_bytes,
    rip_in_block,
)
from emu.machine.clock import time_stamp
from emu.machine.events import TEXT_STORE, TRAP, emit
from emu.machine.native import entry, hook, jit, load32, load64, pointer
from emu.machine.state import (
    LINE_FETCHED,
    M_BEHIND,
    M_BLOCK_ALONE,
    M_BLOCK_COUNT,
    M_BLOCK_FRESH,
    M_BUDGET,
    M_CHOSEN,
    M_CORES,
    M_CPU,
    M_CURRENT,
    M_DELIVERING,
    M_ENV,
    M_RAM_SIZE,
    M_STOP_AFTER,
    M_SWAPPED,
    STOP_FOR_TIMER,
    State,
)
from emu.machine.unicorn_blocks import (
    enter_alone,
    fault,
    flush_tlb,
)
from emu.machine.unicorn_cpu import (
    exception,
    identify,
    linear_rip,
    may_use_ports,
    register,
    set_register,
)
from emu.machine.unicorn_layout import (
    CLASS_TLB_FILL,
    CPU_TO_CLASS,
    CPU_TO_UC,
    CR2,
    ERROR_CODE,
    IS_INT,
    RAX,
    RBX,
    RCX,
    RDX,
    RSP,
    UC_MEMORY_MAPPING,
)
from emu.machine.unicorn_memory import (
    data_of_hooks,
    fill_tlb,
    find_ram,
    not_translating,
    region_at,
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


@hook(_i64(_i64, _i64))
def on_slow_access(engine: int, address: int) -> int:
    """A load or store that the TLB alone does not settle, or the translator reading code.

    Not a hook: it stands in for `uc_struct.memory_mapping`, and returns the MemoryRegion.
    """
    return int(region_at(state_at(pointer(data_of_hooks(engine))), address))


@hook(types.boolean(_i64, _i64, _i32, _i32, _i32, _i32, _i64))
def on_tlb_fill(
    cpu: int, virtual: int, size: int, access: int, mmu: int, probe: int, caller: int
) -> bool:
    """An address is to be translated. Stands in for `CPUClass.tlb_fill`."""
    s = state_at(pointer(data_of_hooks(load64(cpu + CPU_TO_UC))))
    return bool(fill_tlb(s, cpu, virtual, size, access, mmu, probe & 1, caller))


@jit
def _raise(s: State, vector: int) -> None:
    """Let the running core take an exception that the engine noticed."""
    not_translating(s)
    is_int = load32(s.m[M_ENV] + IS_INT)
    error = load32(s.m[M_ENV] + ERROR_CODE)
    fetch = (
        vector == _PAGE_FAULT and register(s, CR2) == linear_rip(s) and not error & _FETCH_OR_READ
    )
    if not is_int and not fetch and rip_in_block(s):
        # after a single step RIP is behind the block
        give_back(s, min(index_in_block(s) + 1, s.m[M_BLOCK_COUNT]))
    else:
        give_back(s, s.m[M_BLOCK_COUNT])
    if s.m[M_SWAPPED]:
        restore_true_bytes(s)
    if s.m[M_CHOSEN] == 1:  # the chosen instruction could not even be fetched: that was the step
        s.m[M_CHOSEN], s.m[M_BUDGET] = 2, 0
    emit(s, s.m[M_CURRENT], TRAP, linear_rip(s), vector, error, 0, register(s, RSP))
    exception(s)


@hook(types.void(_i64, _u32, _ptr))
def on_exception(engine: int, vector: int, data: Any) -> None:
    """An exception or software interrupt; RIP is at a fault, after a trap."""
    _raise(state_at(data), np.int64(vector))


@hook(types.boolean(_i64, _ptr))
def on_undefined(engine: int, data: Any) -> bool:
    """An instruction that does not exist: #UD."""
    _raise(state_at(data), _UNDEFINED)
    return True


@jit
def _only_alone(s: State) -> None:
    """Go on only if the instruction is a block of its own; else enter it as one."""
    if not s.m[M_BLOCK_ALONE] and not s.m[M_DELIVERING]:
        give_back(s, index_in_block(s))
        enter_alone(s)


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_device_access(
    engine: int, access: int, address: int, size: int, value: int, data: Any
) -> None:
    """A load or store of device memory, before it happens."""
    _only_alone(state_at(data))


@hook(types.void(_i64, _i32, _i64, _i32, _i64, _ptr))
def on_text_store(engine: int, access: int, address: int, size: int, value: int, data: Any) -> None:
    """A store to a page that was executed, before it happens."""
    s = state_at(data)
    first, last = address >> 6, min(address + size, s.m[M_RAM_SIZE]) - 1 >> 6
    if s.m[M_BLOCK_FRESH]:  # what the block has executed so far is not marked as fetched yet
        _only_alone(s)
    if not (s.lines[first] | s.lines[last]) & LINE_FETCHED:
        return
    _only_alone(s)
    at = address
    while at < address + size and at < s.m[M_RAM_SIZE]:
        length = min(8 - (at & 7), address + size - at)
        old = np.int64(0)
        for byte in range(length):
            old |= s.ram[at + byte] << (8 * byte)
        new = value >> (8 * (at - address))
        if length < 8:
            new &= (1 << (8 * length)) - 1
        if text.remember(s, at, length, old, new):
            emit(s, s.m[M_CURRENT], TEXT_STORE, at, old, new, length, register(s, RSP))
        at += length
    s.m[M_BEHIND] = text.is_behind(s, s.m[M_CURRENT])


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


@jit
def _check_privilege(s: State) -> None:
    """Raise #GP for in and out where the core may not; the engine allows them everywhere."""
    if not may_use_ports(s):
        fault(s, 13, 0)


@hook(_u32(_i64, _u32, _i32, _ptr))
def on_in(engine: int, port: int, size: int, data: Any) -> np.uint32:
    """in."""
    s = state_at(data)
    _only_alone(s)
    _check_privilege(s)
    return np.uint32(ports.read(s, np.int64(port), np.int64(size)))


@hook(types.void(_i64, _u32, _i32, _u32, _ptr))
def on_out(engine: int, port: int, size: int, value: int, data: Any) -> None:
    """out."""
    s = state_at(data)
    _only_alone(s)
    _check_privilege(s)
    ports.write(s, np.int64(port), np.int64(size), np.int64(value))


@hook(_i32(_i64, _ptr))
def on_rdtsc(engine: int, data: Any) -> int:
    """rdtsc: virtual time; no clock of the host reaches the guest."""
    s = state_at(data)
    _only_alone(s)
    time = time_stamp(s, s.m[M_CURRENT])
    set_register(s, RAX, time & 0xFFFFFFFF)
    set_register(s, RDX, time >> 32)
    return 1


_RDTSCP, _RDRAND, _RDSEED = 1 << 27, 1 << 30, 1 << 18
_X2APIC, _TSC_DEADLINE = 1 << 21, 1 << 24


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
    """Let the engine ask us about slow accesses; RAM must be mapped, the block hook installed."""
    find_ram(s)
    place = ctypes.c_uint64.from_address(uc._uch.value + UC_MEMORY_MAPPING)
    place.value = on_slow_access.address
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
