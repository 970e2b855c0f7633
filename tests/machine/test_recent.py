"""The last moves, and events of a run without end."""

import pytest

from emu.machine import events
from emu.machine.boot import BootImage
from emu.machine.machine import Machine
from emu.machine.recent import KEPT
from emu.moves import move_text
from emu.moves.chooser import random, round_robin
from emu.moves.move import Run
from tests.machine.guest_builder import build
from tests.machine.guest_tables import RETURN


def test_the_last_moves_are_those_that_were_recorded(toy_boot: BootImage) -> None:
    machine = Machine(toy_boot, cores=2)
    machine.record()
    chooser = random(1)
    for moves in (1, 3, 30, 1, 5000, 7, 40_000):
        machine.drive(chooser, moves=moves)
        recorded = machine.recorded()[-KEPT:]
        recent = machine.recent_moves.rows()
        assert recent.tobytes() == recorded.tobytes()
        assert len(machine.recent_moves.places()) == len(recent)


def test_a_move_has_the_place_where_its_core_stood() -> None:
    machine = build("nop; nop; nop; nop; jmp 0x200000").machine()
    stood = []
    for _ in range(7):
        stood.append(machine.rip(0))
        machine.make(Run(0, 2))
    assert machine.recent_moves.places() == stood
    assert move_text.texts(machine.recent_moves.rows()) == ["run 0 2"] * 7


def test_events_of_a_run_without_end_can_be_forgotten() -> None:
    machine = build("int3; jmp 0x200000", resume={3: RETURN}).machine()
    machine.events.limit = 100
    for _ in range(100):
        machine.drive(round_robin(), instructions=1000)
    held = machine.events.since(machine.events.first)
    assert 100 <= len(held) < 2 * 100 + 1000
    assert machine.events.first + len(held) == len(machine.events) > 1000
    assert machine.events[machine.events.first].kind == events.TRAP
    with pytest.raises(IndexError):
        machine.events.since(machine.events.first - 1)
    with pytest.raises(IndexError):
        machine.events[machine.events.first - 1]
