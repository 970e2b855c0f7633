"""Faults: an IPI is lost, held back, or does not synchronise the core that takes it."""

import pytest

from emu.errors import TextpokeError
from emu.machine import loop
from emu.machine import state as st
from emu.machine.events import DELIVERED, FAULT
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser, fault, move
from emu.moves.fault import DelayIpi, DropIpi, FreezeFloor
from tests.machine.guest_builder import build, log
from tests.machine.guest_tables import APIC, DATA
from tests.machine.site import NOP5, site

VECTOR = 0x41
SEND = (
    f"mov r8d, {APIC}; mov dword ptr [r8 + 0x310], 0x1000000; "
    f"mov dword ptr [r8 + 0x300], {VECTOR:#x}; "
)
SPIN = "sti; again: inc rcx; jmp again"


def sent(*, clock: str = "counted") -> Machine:
    """Return a machine whose core 1 runs, with an IPI of core 0 pending at it."""
    machine = build(SEND + "again: nop; jmp again", SPIN).machine(clock=clock)
    machine.run(1, 10)
    machine.run(0, 3)
    return machine


def delivered(machine: Machine) -> list[int]:
    return [int(row[4]) for row in machine.events.since(0) if row[2] == DELIVERED]


def test_an_ipi_that_is_dropped_never_comes() -> None:
    machine = sent()
    machine.make(DropIpi(1, VECTOR))
    machine.run(1, 10_000)
    assert delivered(machine) == []
    (event,) = [row for row in machine.events.since(0) if row[2] == FAULT]
    assert list(event[[1, 3, 4]]) == [1, VECTOR, fault.DROP_IPI]


def test_without_a_fault_it_comes() -> None:
    machine = sent()
    machine.run(1, 1)
    assert delivered(machine) == [VECTOR]


@pytest.mark.parametrize("clock", ["counted", "chosen"])
@pytest.mark.parametrize("fault", [DropIpi(1, VECTOR), DelayIpi(1, VECTOR, 5)], ids=str)
def test_only_a_pending_ipi_can_be_dropped_or_delayed(
    fault: DropIpi | DelayIpi, clock: str
) -> None:
    machine = sent(clock=clock)
    for other in (DropIpi(0, VECTOR), DropIpi(1, VECTOR + 1), DelayIpi(0, VECTOR, 5)):
        with pytest.raises(TextpokeError, match="not enabled"):
            machine.make(other)
    machine.make(fault)
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(fault)


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_an_ipi_that_is_delayed_comes_at_its_instant(piece: int) -> None:
    machine = sent()
    machine.make(DelayIpi(1, VECTOR, 500))
    start = machine.now
    while not delivered(machine):
        machine.run(1, piece)
    (row,) = [row for row in machine.events.since(0) if row[2] == DELIVERED]
    assert row[0] == start + 500


def test_a_core_that_sleeps_is_woken_by_a_delayed_ipi() -> None:
    machine = build(SEND + "cli; hlt", "sti; again: hlt; jmp again").machine()
    machine.run(1, 10)
    machine.run(0, 3)
    machine.make(DelayIpi(1, VECTOR, 100_000))
    assert machine.drive(chooser.round_robin(10), moves=1000) == loop.STUCK
    assert delivered(machine) == [VECTOR]


def test_delays_enter_the_state_hash() -> None:
    machines = [sent() for _ in range(3)]
    for machine, instructions in zip(machines, (500, 500, 501), strict=True):
        machine.make(DelayIpi(1, VECTOR, instructions))
    hashes = [state_hash(machine) for machine in machines]
    assert hashes[0] == hashes[1] != hashes[2]


def frozen_site(*, freeze: bool) -> Machine:
    """Return a machine whose core 1 took an IPI after text changed, with or without a freeze.

    The handler ends in IRET, so without the freeze core 1 sees the new text.
    """
    at = site(cores=2, before="sti; nop")
    machine = at.machine
    at.store(0, b"\xcc")
    assert machine.versions(1, at.physical[0]) == (0xCC, NOP5[0])
    if freeze:
        machine.make(FreezeFloor(1))
    machine.interrupt(VECTOR, 0b10)
    while len(log(machine)) < 1 or machine.rip(1) != at.address:
        machine.run(1, 1)
    return machine


def floor_moves(machine: Machine, core: int) -> bool:
    return bool(machine.state.core[core, st.C_FLOOR] == machine.state.m[st.M_TEXT_NOW])


def test_a_frozen_floor_stays_through_the_iret_of_the_handler() -> None:
    assert floor_moves(frozen_site(freeze=False), 1)
    assert not floor_moves(frozen_site(freeze=True), 1)


def test_a_floor_moves_again_after_the_handler() -> None:
    machine = frozen_site(freeze=True)
    machine.interrupt(VECTOR, 0b10)  # the next sync arrives
    for _ in range(200):
        if floor_moves(machine, 1):
            break
        machine.run(1, 1)
    assert floor_moves(machine, 1)


def test_a_floor_is_frozen_once_at_a_time() -> None:
    machine = sent()
    machine.make(FreezeFloor(1))
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(FreezeFloor(1))


def test_random_makes_faults_and_its_moves_play_again() -> None:
    ping = f"loop: {SEND} inc qword ptr [{DATA}]; mov ecx, 50; spin: dec ecx; jnz spin; jmp loop"
    first, second = (build("sti; " + ping, SPIN).machine() for _ in range(2))
    first.record()
    first.drive(chooser.random(3, 40, faults=20), moves=3000)
    recorded = first.recorded()
    faults = [move.decode(row) for row in recorded if row["kind"] == move.FAULT]
    assert {type(each) for each in faults} == {DropIpi, DelayIpi, FreezeFloor}
    assert second.play(recorded) == (loop.DONE, len(recorded))
    assert state_hash(first) == state_hash(second)
