"""What answers at which I/O port. A port nobody answers at reads as all ones, as on a PC.

    0x20, 0x21    pic, master           0x92          chipset     0x4d0, 0x4d1  pic, ELCR
    0x40 - 0x43   pit                   0xa0, 0xa1    pic, slave  0x510, 0x511  fw_cfg
    0x60, 0x64    i8042                 0xb2          pm          0x600 - 0x60b pm
    0x61          chipset               0xf4          debug exit  0xcf8, 0xcf9  chipset
    0x70, 0x71    rtc                   0x3f8 - 0x3ff uart

Most devices have registers of a byte: a wider access is one to several ports, lowest first.
Source of the debug-exit port: QEMU hw/misc/debugexit.c; a value v written to it ends the
machine with status (v << 1) | 1.
"""

from emu.machine import board, chipset, fw_cfg, i8042, pic, pit, pm, rtc, uart
from emu.machine.end import BY_DEBUG_EXIT, end
from emu.machine.native import jit
from emu.machine.state import M_EXIT, State

DEBUG_EXIT = 0xF4
_MASTER, _SLAVE, _ELCR, _PIT, _RTC = 0x20, 0xA0, 0x4D0, 0x40, 0x70


@jit
def read(s: State, port: int, size: int) -> int:
    """Return what `in` of 1, 2 or 4 bytes reads."""
    if pm.PORT <= port < pm.PORT + pm.PORTS:
        return pm.read(s, port - pm.PORT, size)
    if port == chipset.PCI_ADDRESS and size == 4:
        return s.board[chipset.BOARD_PCI]
    value = 0
    for byte in range(size):
        value |= _read_byte(s, port + byte) << 8 * byte
    board.schedule(s)
    return value


@jit
def _read_byte(s: State, port: int) -> int:
    if uart.PORT <= port < uart.PORT + 8:
        return uart.read(s, port - uart.PORT)
    if _PIT <= port < _PIT + 4:
        return pit.read(s, port - _PIT)
    if port & ~1 == _MASTER:
        return pic.read(s, pic.MASTER, port & 1)
    if port & ~1 == _SLAVE:
        return pic.read(s, pic.SLAVE, port & 1)
    if port & ~1 == _ELCR:
        return pic.read_elcr(s, port & 1)
    if port == _RTC + 1:
        return rtc.read(s)
    if port == fw_cfg.PORT + 1:
        return fw_cfg.read_byte(s)
    if port == i8042.DATA:
        return i8042.read_data(s)
    if port == i8042.COMMAND:
        return i8042.read_status(s)
    if port == pm.SMI_COMMAND:
        return s.board[pm.BOARD_SMI]
    return _read_chipset(s, port)


@jit
def _read_chipset(s: State, port: int) -> int:
    if port == chipset.SPEAKER:
        return chipset.read_speaker(s)
    if port == chipset.PORT_92:
        return s.board[chipset.BOARD_PORT_92]
    if port == chipset.RESET_CONTROL:
        return s.board[chipset.BOARD_RESET_CONTROL]
    return 0xFF


@jit
def write(s: State, port: int, size: int, value: int) -> None:
    """Do what `out` of 1, 2 or 4 bytes does."""
    if pm.PORT <= port < pm.PORT + pm.PORTS:
        pm.write(s, port - pm.PORT, size, value)
    elif port == fw_cfg.PORT:
        fw_cfg.select(s, value)
    elif port == DEBUG_EXIT:
        s.m[M_EXIT] = value & 0xFFFFFFFF
        end(s, BY_DEBUG_EXIT)
    elif port == chipset.PCI_ADDRESS and size == 4:
        s.board[chipset.BOARD_PCI] = value & 0xFFFFFFFF
    else:
        for byte in range(size):
            _write_byte(s, port + byte, value >> 8 * byte & 0xFF)
    board.schedule(s)


@jit
def _write_byte(s: State, port: int, value: int) -> None:
    if uart.PORT <= port < uart.PORT + 8:
        uart.write(s, port - uart.PORT, value)
    elif _PIT <= port < _PIT + 4:
        pit.write(s, port - _PIT, value)
    elif port & ~1 == _MASTER:
        pic.write(s, pic.MASTER, port & 1, value)
    elif port & ~1 == _SLAVE:
        pic.write(s, pic.SLAVE, port & 1, value)
    elif port & ~1 == _ELCR:
        pic.write_elcr(s, port & 1, value)
    elif port == _RTC:
        rtc.select(s, value)
    elif port == _RTC + 1:
        rtc.write(s, value)
    elif port == i8042.DATA:
        i8042.write_data(s, value)
    elif port == i8042.COMMAND:
        i8042.write_command(s, value)
    elif port == pm.SMI_COMMAND:
        pm.smi_command(s, value)
    else:
        _write_chipset(s, port, value)


@jit
def _write_chipset(s: State, port: int, value: int) -> None:
    if port == chipset.SPEAKER:
        chipset.write_speaker(s, value)
    elif port == chipset.PORT_92:
        chipset.write_port_92(s, value)
    elif port == chipset.RESET_CONTROL:
        chipset.write_reset_control(s, value)
