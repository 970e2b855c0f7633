"""Registering the functions that the engine calls back, and mapping what is not RAM.

The engine hands every hook one pointer: the address that stands for the `State` in native code.
The functions are in `memory_hooks`, `device_hooks`, `exception_hooks`, `instruction_hooks`; what
comes before every block is `block`.
"""

import ctypes
import functools
from typing import Any

import numpy as np
from numba import types
from unicorn import unicorn_const as uc_const
from unicorn import x86_const
from unicorn.unicorn_py3 import Uc
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine import ioapic, xapic
from emu.machine.block import admit_plain, before_block
from emu.machine.device_hooks import (
    apic_read,
    apic_write,
    ioapic_read,
    ioapic_write,
    on_device_access,
    on_in,
    on_out,
    open_bus_read,
    open_bus_write,
)
from emu.machine.exception_hooks import on_exception, on_undefined
from emu.machine.instruction_hooks import on_cpuid, on_rdtsc, on_syscall, on_sysenter
from emu.machine.memory_hooks import (
    on_crossing_store,
    on_slow_access,
    on_text_store,
    on_watched_access,
)
from emu.machine.native import Hook, addresses, entry, hook, jit, load64, pointer
from emu.machine.state import M_CPU, M_CROSSING_HOOK, M_TEXT_HOOK, M_WATCH_HOOK, State
from emu.machine.unicorn_blocks import flush_tlb
from emu.machine.unicorn_layout import CLASS_TLB_FILL, CPU_TO_CLASS, CPU_TO_UC, UC_MEMORY_MAPPING
from emu.machine.unicorn_memory import data_of_hooks, fill_tlb, find_ram
from emu.machine.view import state_at

_i64, _u32, _i32, _ptr = types.int64, types.uint32, types.int32, types.voidptr


def _on_plain_block(caller: int, engine: int, pc: int, size: int, data: Any) -> bool:
    """Every block, before it runs."""
    return bool(admit_plain(state_at(data), pc, np.int64(size), caller))


def _on_block(caller: int, engine: int, pc: int, size: int, data: Any) -> None:
    """Every block that is not plain, before it runs."""
    before_block(state_at(data), pc, np.int64(size), caller)


_block_entry = entry(_on_plain_block, _on_block, _i64, _i64, _u32, _ptr)


@hook(types.boolean(_i64, _i64, _i32, _i32, _i32, _i32, _i64))
def on_tlb_fill(
    cpu: int, virtual: int, size: int, access: int, mmu: int, probe: int, caller: int
) -> bool:
    """An address is to be translated. Stands in for `CPUClass.tlb_fill`."""
    s = state_at(pointer(data_of_hooks(load64(cpu + CPU_TO_UC))))
    return bool(fill_tlb(s, cpu, virtual, size, access, mmu, probe & 1, caller))


_HOOKS = (
    apic_read,
    apic_write,
    ioapic_read,
    ioapic_write,
    on_cpuid,
    on_crossing_store,
    on_device_access,
    on_exception,
    on_in,
    on_out,
    on_rdtsc,
    on_slow_access,
    on_syscall,
    on_sysenter,
    on_text_store,
    on_tlb_fill,
    on_undefined,
    on_watched_access,
    open_bus_read,
    open_bus_write,
)
_hook_addresses = addresses(*_HOOKS)


@jit
def _addresses() -> tuple[int, tuple[int, ...]]:
    return _block_entry(), _hook_addresses()


@functools.cache
def _block_address() -> int:
    return int(_addresses()[0])


@functools.cache
def _address(hook: Hook) -> int:
    return int(_addresses()[1][_HOOKS.index(hook)])


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
    _add(uc, uc_const.UC_HOOK_BLOCK, _block_address(), table, *_EVERYWHERE)
    _add(uc, uc_const.UC_HOOK_INTR, _address(on_exception), table, *_EVERYWHERE)
    _add(uc, uc_const.UC_HOOK_INSN_INVALID, _address(on_undefined), table, *_EVERYWHERE)
    for function, instruction in (
        (on_in, x86_const.UC_X86_INS_IN),
        (on_out, x86_const.UC_X86_INS_OUT),
        (on_rdtsc, x86_const.UC_X86_INS_RDTSC),
        (on_cpuid, x86_const.UC_X86_INS_CPUID),
        (on_syscall, x86_const.UC_X86_INS_SYSCALL),
        (on_sysenter, x86_const.UC_X86_INS_SYSENTER),
    ):
        _add(uc, uc_const.UC_HOOK_INSN, _address(function), table, *_EVERYWHERE, instruction)
    for page in (ioapic.BASE, xapic.BASE):
        _add(
            uc,
            uc_const.UC_HOOK_MEM_READ | uc_const.UC_HOOK_MEM_WRITE,
            _address(on_device_access),
            table,
            page,
            page + 0xFFF,
        )


def watch_slow_accesses(s: State, uc: Uc) -> None:
    """Let the engine ask `on_slow_access`; RAM must be mapped, and the block hook installed."""
    find_ram(s)
    first_byte = (0, 0)
    kind, address = uc_const.UC_HOOK_MEM_WRITE, _address(on_crossing_store)
    s.m[M_CROSSING_HOOK] = _add(uc, kind, address, s.address, *first_byte)
    kind, address = kind | uc_const.UC_HOOK_MEM_READ, _address(on_watched_access)
    s.m[M_WATCH_HOOK] = _add(uc, kind, address, s.address, *first_byte)
    kind, address = uc_const.UC_HOOK_MEM_WRITE, _address(on_text_store)
    s.m[M_TEXT_HOOK] = _add(uc, kind, address, s.address, *first_byte)
    place = ctypes.c_uint64.from_address(uc._uch.value + UC_MEMORY_MAPPING)
    place.value = _address(on_slow_access)


def watch_tlb_fills(s: State) -> None:
    """Let the engine ask us before it translates an address.

    Not for the reference engine: a fault in there unwinds, and must not meet Python on its way.
    """
    cpu_class = ctypes.c_uint64.from_address(int(s.m[M_CPU]) + CPU_TO_CLASS).value
    place = ctypes.c_uint64.from_address(cpu_class + CLASS_TLB_FILL)
    place.value = _address(on_tlb_fill)
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
        ctypes.c_void_p(_address(read)),
        ctypes.c_void_p(table),
        ctypes.c_void_p(_address(write)),
        ctypes.c_void_p(table),
    )
    assert status == uc_const.UC_ERR_OK, status


VOID_POINTER = ctypes.c_void_p
