"""Probes: what their events tell, in both engines."""

import pytest

from emu.machine.engines import ENGINES
from emu.machine.events import PROBE
from emu.machine.machine import Machine
from emu.machine.probes import Probe
from tests.machine.guest_builder import build, finish
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, TEXT

ARGUMENTS = "mov rdi, -1; mov rsi, 0x123456789; mov edx, 3; mov ecx, 4"
CODE = f"{ARGUMENTS}; inc rdi; inc rsi; inc rdx; inc rcx; hlt"
PLACE = TEXT + len(assemble(ARGUMENTS, TEXT))


def probed(engine: str, *probes: Probe) -> Machine:
    machine = build(CODE).machine(engine=engine)
    machine.set_probes(probes)
    finish(machine)
    return machine


@pytest.mark.parametrize("engine", ENGINES)
def test_a_probe_notes_the_first_four_arguments_of_a_call(engine: str) -> None:
    machine = probed(engine, Probe(PLACE, PROBE + 7, arguments=True))
    (event,) = [machine.events[n] for n in range(len(machine.events)) if machine.events[n].kind > 9]
    assert (event.core, event.kind, event.address) == (0, PROBE + 7, PLACE)
    assert (event.a, event.b, event.task, event.stack) == (-1, 0x123456789, 3, 4)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_probes_at_one_place_each_tell_theirs(engine: str) -> None:
    both = Probe(PLACE, PROBE + 7, arguments=True), Probe(PLACE, PROBE, argument=5, task=DATA)
    machine = probed(engine, *both)
    rows = machine.events.since(0)
    first, second = rows[rows[:, 2] >= PROBE].tolist()
    code = int.from_bytes(assemble("inc rdi; inc rsi; inc rdx", TEXT)[:8], "little", signed=True)
    assert first[2:] == [PROBE + 7, PLACE, -1, 0x123456789, 3, 4]
    assert second[2:7] == [PROBE, PLACE, 5, code, 0]
    assert second[7] not in (0, 4)
