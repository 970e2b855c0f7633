"""The last moves, and events of a run without end."""

import pytest

from emu.machine import events, loop, state
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
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


def test_a_run_stops_with_the_first_move_that_makes_an_event(toy_boot: BootImage) -> None:
    by_moves, by_events = Machine(toy_boot, cores=2), Machine(toy_boot, cores=2)
    one, other = random(5), random(5)
    for _ in range(20):
        known = len(by_moves.events)
        while len(by_moves.events) == known:
            by_moves.drive(one, moves=1)
        assert by_events.drive(other, to_event=True) == loop.EVENTS
        assert other.made == one.made
        assert len(by_events.events) == len(by_moves.events)
    assert other.made > 20
    assert state_hash(by_events) == state_hash(by_moves)


def test_a_move_that_makes_more_events_than_there_is_room_for_comes_to_its_end() -> None:
    machine = build("int3; jmp 0x200000", resume={3: RETURN}).machine()
    chooser, before = round_robin(1_000_000), machine.retired()
    for moves in (1, 2):
        machine.drive(chooser, to_event=True)
        assert chooser.made == moves
        assert machine.retired() - before == moves * 1_000_000
        assert len(machine.events) > moves * state.MAX_EVENTS
