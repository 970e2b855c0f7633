"""The small ports of a PC's chipset: 0x61, 0x92, 0xcf8 and 0xcf9.

* 0x61: gate and output of PIT channel 2, the speaker, and the refresh bit.
* 0x92: system control port A, bit 0 resets when it rises, bit 1 is A20 (kept, without effect).
* 0xcf8: the address of PCI's configuration mechanism 1, which keeps its 32 bits; there is no PCI
  device, so 0xcfc reads as all ones like any port that nobody answers at.
* 0xcf9: the reset control register, bit 2 resets.

Sources: PCI Local Bus Specification 3.0, section 3.2.2.3.2; Intel 82371SB data sheet, "RC";
QEMU 7.2 (hw/i386/port92.c, hw/isa/piix3.c, hw/audio/pcspk.c).
"""

from emu.machine import pit
from emu.machine.clock import device_time
from emu.machine.end import BY_PORT_92, BY_RESET_CONTROL, end
from emu.machine.native import jit
from emu.machine.state import State

SPEAKER, PORT_92, PCI_ADDRESS, RESET_CONTROL = 0x61, 0x92, 0xCF8, 0xCF9

BOARD_SPEAKER, BOARD_PORT_92, BOARD_PCI = 5, 6, 7
BOARD_RESET_CONTROL, BOARD_REFRESH = 13, 14

_GATE, _SPEAKER_ON, _REFRESH, _OUT = 0x01, 0x02, 0x10, 0x20  # of port 0x61
_FAST_RESET, _A20 = 0x01, 0x02  # of port 0x92
_SYSTEM_RESET, _RESET = 0x02, 0x04  # of the reset control register


@jit
def power_on(s: State) -> None:
    """Open A20, as firmware does."""
    s.board[BOARD_PORT_92] = _A20


@jit
def read_speaker(s: State) -> int:
    """Load a byte from port 0x61; the refresh bit is another at every read, as in QEMU."""
    s.board[BOARD_REFRESH] ^= _REFRESH
    out = _OUT if pit.output(s, pit.SPEAKER, device_time(s)) else 0
    return s.board[BOARD_SPEAKER] | s.board[BOARD_REFRESH] | out


@jit
def write_speaker(s: State, value: int) -> None:
    """Store a byte at port 0x61."""
    s.board[BOARD_SPEAKER] = value & (_GATE | _SPEAKER_ON)
    pit.set_gate(s, value & _GATE)


@jit
def write_port_92(s: State, value: int) -> None:
    """Store a byte at port 0x92."""
    if value & ~s.board[BOARD_PORT_92] & _FAST_RESET:
        end(s, BY_PORT_92)
    s.board[BOARD_PORT_92] = value


@jit
def write_reset_control(s: State, value: int) -> None:
    """Store a byte at port 0xcf9."""
    s.board[BOARD_RESET_CONTROL] = value & _SYSTEM_RESET
    if value & _RESET:
        end(s, BY_RESET_CONTROL)
