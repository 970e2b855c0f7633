"""What answers at which I/O port. A port nobody answers at reads as all ones, as on a PC.

Source of the debug-exit port: QEMU hw/misc/debugexit.c; a value v written to it ends the
machine with status (v << 1) | 1.
"""

from emu.machine import fw_cfg, uart
from emu.machine.native import jit
from emu.machine.state import M_EXIT, M_STOP_AFTER, STOP_FOR_EXIT, State

DEBUG_EXIT = 0xF4


@jit
def read(s: State, port: int, size: int) -> int:
    """Return what `in` of 1, 2 or 4 bytes reads."""
    if uart.PORT <= port < uart.PORT + 8:
        return uart.read(s, port - uart.PORT)
    if port == fw_cfg.PORT + 1:
        return fw_cfg.read_byte(s)
    return (1 << 8 * size) - 1


@jit
def write(s: State, port: int, size: int, value: int) -> None:
    """Do what `out` of 1, 2 or 4 bytes does."""
    if uart.PORT <= port < uart.PORT + 8:
        uart.write(s, port - uart.PORT, value)
    elif port == fw_cfg.PORT:
        fw_cfg.select(s, value)
    elif port == DEBUG_EXIT:
        s.m[M_EXIT] = value & 0xFFFFFFFF
        s.m[M_STOP_AFTER] |= STOP_FOR_EXIT
