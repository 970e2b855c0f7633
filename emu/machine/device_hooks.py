"""What the engine calls back about devices, in memory and at ports. `hooks` registers these.

Each access is an instruction in a block of its own, so that it sees and causes everything at its
exact instant.
"""

from typing import Any

import numpy as np
from numba import types

from emu.machine import ioapic, ports, xapic_registers
from emu.machine.admitted import only_alone
from emu.machine.debug import note_port
from emu.machine.native import hook
from emu.machine.state import ARMED_PORT, C_ARMED, M_CURRENT, M_STOP_AFTER, STOP_FOR_TIMER
from emu.machine.unicorn_cpu import check_ports
from emu.machine.view import state_at

_i64, _u32, _i32, _ptr = types.int64, types.uint32, types.int32, types.voidptr


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
    return xapic_registers.read(s, s.m[M_CURRENT], np.int64(offset))


@hook(types.void(_i64, _i64, _u32, _i64, _ptr))
def apic_write(engine: int, offset: int, size: int, value: int, data: Any) -> None:
    """A store to the page of the local APIC."""
    s = state_at(data)
    ended = xapic_registers.write(s, s.m[M_CURRENT], np.int64(offset), value)
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
