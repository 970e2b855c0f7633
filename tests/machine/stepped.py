"""What a machine fetches, found without its trace: one instruction a step, looked at before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from emu.image.disasm import decode_one
from emu.machine import state
from emu.machine.events import DELIVERED
from emu.machine.fetches import Fetches
from emu.machine.machine import Machine
from tests.machine.guest_builder import rip
from tests.machine.guest_tables import IDT, STUBS


class Seen(NamedTuple):
    """One fetch."""

    core: int
    time: int
    address: int
    physical: int
    code: bytes


def seen(fetches: Fetches) -> list[Seen]:
    """Return what a trace found in the same form."""
    return [Seen(one.core, one.time, one.address, one.physical, one.code) for one in fetches]


class Stepped:
    """A machine in 64-bit mode that makes every Run in steps of one, and writes down what it sees.

    It has as much of a machine as `slicing.make_runs` needs.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine, self.cores, self.state = machine, machine.cores, machine.state
        self.seen: list[Seen] = []

    @property
    def end(self) -> str | None:
        return self.machine.end

    def stands_at_unstable(self, core: int) -> bool:
        return self.machine.stands_at_unstable(core)

    def run(self, core: int, instructions: int) -> int:
        for done in range(instructions):
            with self._watched():
                executed = self.machine.run(core, 1)
            if not executed:
                return done
        return instructions

    def fetch(self, core: int, ages: list[int]) -> None:
        code, at = b"", rip(self.machine, core)
        for index in range(15):
            physical = self.machine.translate(at + index, core)
            age = ages[index] if index < len(ages) else 0
            code += bytes([self.machine.versions(core, physical)[age]]) if physical else b"\0"
        with self._watched({core: code}):
            self.machine.fetch(core, ages)

    def drive(self, *arguments: object, **more: object) -> int:
        with self._watched():
            return self.machine.drive(*arguments, **more)  # type: ignore[arg-type]

    @contextmanager
    def _watched(self, chosen: dict[int, bytes] | None = None) -> Iterator[None]:
        """Note what the core fetches that makes a step of one instruction, if one does."""
        machine = self.machine
        places = [rip(machine, core) for core in range(self.cores)]
        codes = [self._bytes(core, at) for core, at in enumerate(places)]
        retired = [int(machine.state.core[core, state.C_RETIRED]) for core in range(self.cores)]
        events = len(machine.events)
        gates, stubs = (machine.read(start, 0x1000) for start in (IDT, STUBS))
        yield
        for core in range(self.cores):
            steps = int(machine.state.core[core, state.C_RETIRED]) - retired[core]
            assert steps in (0, 1)
            if steps == 0:
                continue
            at, code = places[core], (chosen or {}).get(core, codes[core])
            for row in machine.events.since(events):
                if row[state.E_KIND] == DELIVERED and row[state.E_CORE] == core:
                    gate = gates[16 * int(row[state.E_A]) :]
                    at = int.from_bytes(gate[:2] + gate[6:8], "little")
                    code = stubs[at - STUBS :][:15]
            length = len(decode_one(code, at).bytes)
            physical = machine.translate(at, core)
            self.seen.append(Seen(core, machine.now - 1, at, physical or 0, code[:length]))

    def _bytes(self, core: int, at: int) -> bytes:
        found = [self.machine.translate(at + index, core) for index in range(15)]
        return bytes(0 if each is None else self.machine.state.ram[each] for each in found)
