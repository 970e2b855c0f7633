"""What one step did to a machine, as a value that can be compared."""

from dataclasses import dataclass

from emu.machine import unicorn_layout
from emu.machine.events import TRAP
from emu.machine.machine import Machine
from emu.machine.registers import registers_of, rflags

GENERAL = {
    name: unicorn_layout.REGISTERS + 8 * number
    for number, name in enumerate(
        [
            "rax",
            "rcx",
            "rdx",
            "rbx",
            "rsp",
            "rbp",
            "rsi",
            "rdi",
            "r8",
            "r9",
            "r10",
            "r11",
            "r12",
            "r13",
            "r14",
            "r15",
        ]
    )
}


@dataclass(frozen=True)
class Effect:
    """Registers by name, exceptions as (vector, error, RIP), RAM without what was left out."""

    registers: dict[str, int]
    flags: int
    traps: tuple[tuple[int, int, int], ...]
    ram: bytes

    @property
    def rip(self) -> int:
        return self.registers["rip"]


def registers(machine: Machine, core: int = 0) -> dict[str, int]:
    """Return the general registers and RIP of a core."""
    values = {name: machine.register(core, offset) for name, offset in GENERAL.items()}
    values["rip"] = machine.register(core, unicorn_layout.RIP)
    values["cr2"] = machine.register(core, unicorn_layout.CR2)
    return values


def flags(machine: Machine, core: int = 0) -> int:
    """Return RFLAGS of a core."""
    return rflags(registers_of(machine.state, core))


def traps(machine: Machine, core: int = 0, since: int = 0) -> tuple[tuple[int, int, int], ...]:
    """Return the exceptions a core took, from event `since` on."""
    return tuple(
        (int(row[4]), int(row[5]), int(row[3]))
        for row in machine.events.since(since)
        if row[2] == TRAP and row[1] == core
    )


def effect(machine: Machine, core: int, since: int, without: list[int]) -> Effect:
    """Return a core's state and all RAM but the bytes at the physical addresses `without`."""
    ram = machine.state.ram.copy()
    ram[without] = 0
    return Effect(
        registers(machine, core), flags(machine, core), traps(machine, core, since), ram.tobytes()
    )
