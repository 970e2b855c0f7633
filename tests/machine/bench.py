"""The devices of a PC on a bench: their ports and the passing of time, without a guest."""

import numpy as np

import emu.machine.view  # noqa: F401 -- how numba knows a State
from emu.machine import board, ports
from emu.machine.run import settle_machine
from emu.machine.state import C_EXTINT, C_IRQ, M_CLOCK, M_INTR, allocate

RAM = 64 << 20


class Bench:
    """A board that was just switched on, core 0 waiting for interrupts."""

    def __init__(self, cores: int = 1) -> None:
        self.state = allocate(cores, np.zeros(RAM, np.uint8))
        board.power_on(self.state)

    def inb(self, port: int, size: int = 1) -> int:
        return int(ports.read(self.state, port, size))

    def outb(self, port: int, *values: int, size: int = 1) -> None:
        for value in values:
            ports.write(self.state, port, size, value)

    def wait(self, duration: int) -> None:
        """Let virtual ns pass."""
        self.state.m[M_CLOCK] += duration
        settle_machine(self.state)

    @property
    def now(self) -> int:
        return int(self.state.m[M_CLOCK])

    @property
    def intr(self) -> int:
        """The output of the 8259 pair."""
        return int(self.state.m[M_INTR])

    def asked(self, core: int = 0) -> tuple[int, bool]:
        """Return the APIC's vector that a core would take, and whether the 8259 asks it."""
        return int(self.state.core[core, C_IRQ]), bool(self.state.core[core, C_EXTINT])

    def start_pics(self, *, icw4: int = 1, icw1: int = 0x11) -> None:
        """Initialise both 8259s to vectors 0x20 and 0x28, nothing masked."""
        for port, base, cascade in ((0x20, 0x20, 4), (0xA0, 0x28, 2)):
            self.outb(port, icw1)
            self.outb(port + 1, base, cascade, icw4, 0)

    def quiet_timer(self) -> None:
        """Keep IRQ0 low."""
        self.outb(0x43, 0x30)

    def irq(self, line: int) -> bool:
        """Return whether the 8259s see a request on a line."""
        port = 0xA0 if line >= 8 else 0x20
        self.outb(port, 0x0A)
        return bool(self.inb(port) >> (line & 7) & 1)
