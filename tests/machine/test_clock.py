"""Clock mode `chosen`: ticks and deliveries are moves, and time is nothing a guest can see."""

import numpy as np
import pytest

from emu.errors import TextpokeError
from emu.machine import loop
from emu.machine.events import DELIVERED
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser
from emu.moves.move import Deliver, Run, Tick, decode
from tests.machine.guest_builder import build, quad
from tests.machine.guest_tables import APIC, DATA

COUNT = f"inc qword ptr [{DATA}]; "
BASE = f"mov r8d, {APIC}; "
PERIODIC = BASE + "mov dword ptr [r8 + 0x320], 0x20030; mov dword ptr [r8 + 0x380], 100; "
ONE_SHOT = BASE + "mov dword ptr [r8 + 0x320], 0x30; mov dword ptr [r8 + 0x380], 100; "
SPIN = "sti; again: inc rcx; jmp again"
SLEEP = "sti; again: hlt; jmp again"


def machine_of(*code: str) -> Machine:
    return build(*code).machine(clock="chosen")


def deliveries(machine: Machine) -> list[tuple[int, int]]:
    return [(int(row[1]), int(row[4])) for row in machine.events.since(0) if row[2] == DELIVERED]


def test_a_timer_expires_by_a_tick_and_interrupts_by_a_delivery_only() -> None:
    machine = machine_of(PERIODIC + SPIN)
    machine.run(0, 10_000)
    assert deliveries(machine) == []
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(Deliver(0, 0x30))
    machine.make(Tick(0))
    machine.run(0, 10_000)
    assert deliveries(machine) == []
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(Deliver(0, 0x31))
    rip = machine.rip(0)
    retired = machine.retired()
    machine.make(Deliver(0, 0x30))
    assert deliveries(machine) == [(0, 0x30)]
    assert machine.retired() == retired  # a Deliver executes nothing
    assert machine.rip(0) != rip
    machine.make(Tick(0))  # periodic: it runs on


def test_a_one_shot_timer_ticks_once() -> None:
    machine = machine_of(ONE_SHOT + SPIN)
    machine.run(0, 50)
    machine.make(Tick(0))
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(Tick(0))


def test_a_halted_core_wakes_by_a_delivery_only() -> None:
    machine = machine_of(ONE_SHOT + COUNT + SLEEP)
    machine.run(0, 1000)
    machine.make(Tick(0))
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(Run(0, 1))
    machine.make(Deliver(0, 0x30))
    machine.make(Run(0, 1))


def test_no_delivery_in_the_shadow_of_sti_or_with_interrupts_off() -> None:
    machine = machine_of(ONE_SHOT + "cli; nop; sti; nop; nop; nop; again: jmp again")
    machine.run(0, 4)  # and cli
    machine.make(Tick(0))
    enabled = []
    for _ in range(5):
        try:
            machine.make(Deliver(0, 0x30))
            enabled.append(True)
            break
        except TextpokeError:
            enabled.append(False)
            machine.run(0, 1)
    assert enabled == [False, False, False, True]  # behind cli, nop, sti; then behind the nop


def test_the_time_stamp_counts_how_often_it_was_read() -> None:
    read = f"rdtsc; mov [{DATA}], eax; mov ecx, 100; spin: dec ecx; jnz spin; rdtsc; "
    machine = machine_of(read + f"mov [{DATA + 8}], eax; hlt")
    machine.run(0, 10_000)
    assert quad(machine, DATA) == 1
    assert quad(machine, DATA + 8) == 2


def test_time_is_no_part_of_the_state() -> None:
    """Around a loop once or ten times: the same state, though not the same clock."""
    machine = machine_of(PERIODIC + "again: nop; jmp again")
    machine.run(0, 100)
    before, time = state_hash(machine), machine.now
    machine.run(0, 20)
    assert machine.now == time + 20
    assert state_hash(machine) == before
    machine.run(0, 1)
    assert state_hash(machine) != before


def test_random_makes_ticks_and_deliveries_and_its_moves_play_again() -> None:
    code = PERIODIC + SPIN
    runs = [machine_of(code, code) for _ in range(2)]
    first, second = runs
    first.record()
    first.drive(chooser.random(7, 50), moves=2000)
    recorded = first.recorded()
    kinds = {type(decode(row)) for row in recorded}
    assert {Run, Tick, Deliver} <= kinds
    assert second.play(recorded) == (loop.DONE, len(recorded))
    assert state_hash(first) == state_hash(second)
    assert np.array_equal(first.events.since(0), second.events.since(0))


def test_turns_give_ticks_and_deliveries_theirs() -> None:
    machine = machine_of(PERIODIC + SPIN, PERIODIC + SLEEP)
    machine.drive(chooser.round_robin(20), moves=300)
    assert {(0, 0x30), (1, 0x30)} <= set(deliveries(machine))


def test_an_unknown_clock_is_refused() -> None:
    with pytest.raises(TextpokeError, match="no clock 'sundial': there are counted and chosen"):
        build("hlt").machine(clock="sundial")


def test_counted_machines_have_no_ticks() -> None:
    machine = build(PERIODIC + SPIN).machine()
    machine.run(0, 10)
    with pytest.raises(TextpokeError, match="not enabled"):
        machine.make(Tick(0))
