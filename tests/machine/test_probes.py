"""Probes: what their events tell, in both engines."""

import pytest

from emu.machine.engines import ENGINES
from emu.machine.events import PROBE
from emu.machine.machine import Machine
from emu.machine.probe_values import Constant, Field, Kept, Register
from emu.machine.probes import KEEP, Probe
from emu.machine.unicorn_layout import RDI, RSI
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


VALUES = f"mov rdi, {DATA - 16:#x}; mov qword ptr [rdi + 16], 77; mov rsi, -1"
LAST = TEXT + len(assemble(VALUES, TEXT))


@pytest.mark.parametrize("engine", ENGINES)
def test_values_are_registers_memory_and_what_was_kept(engine: str) -> None:
    machine = build(f"{VALUES}; hlt").machine(engine=engine)
    kept = Constant(9), Constant(0), Constant(0), Constant(0)
    values = Register(RSI), Field(RDI, 16), Kept(), Field(RSI, 0x7000_0000_0000)
    far = Field(RSI, (1 << 64) + DATA + 1), Field(RDI, -(1 << 30)), Kept(), Kept()
    machine.set_probes(
        [
            Probe(TEXT, KEEP, values=kept),
            Probe(LAST, PROBE, values=values),
            Probe(LAST, PROBE + 1, values=far),
        ]
    )
    finish(machine)
    rows = machine.events.since(0)
    found, other = rows[rows[:, 2] >= PROBE].tolist()
    assert found[2:] == [PROBE, LAST, -1, 77, 9, 0]
    assert other[2:] == [PROBE + 1, LAST, 77, 0, 9, 9]
    assert 0 not in rows[:, 2]  # KEEP makes no event


@pytest.mark.parametrize("engine", ENGINES)
def test_a_field_may_cross_into_another_page(engine: str) -> None:
    begin = DATA + 4096 - 3
    stores = f"mov rdi, {begin:#x}; mov rax, 0x1122334455667788; mov [rdi], rax"
    machine = build(f"{stores}; hlt").machine(engine=engine)
    place = TEXT + len(assemble(stores, TEXT))
    values = Field(RDI, 0), Field(RDI, 1), Constant(0), Kept()
    machine.set_probes([Probe(place, PROBE, values=values)])
    finish(machine)
    rows = machine.events.since(0)
    (found,) = rows[rows[:, 2] >= PROBE].tolist()
    assert found[4:] == [0x1122334455667788, 0x11223344556677, 0, 0]
