"""A pool gives states back exactly, and finds one again however it was reached."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import TextpokeError
from emu.machine import state
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.pool import Pool
from emu.machine.pool_states import MAX_STORES
from emu.machine.text import MODELS
from emu.moves import chooser
from tests.machine.guest_builder import build
from tests.machine.guest_tables import DATA
from tests.machine.slicing import make_runs, numbers
from tests.machine.test_snapshot import future
from tests.machine.zoo import zoo


def wander(machine: Machine, seed: int, steps: int) -> dict[int, str]:
    """Capture, step, go back to any state, and so on; return the hash of each state."""
    states = Pool(machine, states=2048, parts=2048)
    random = numbers(seed)
    hashes: dict[int, str] = {}
    for step in range(steps):
        known = state_hash(machine) in hashes.values()
        number, new = states.capture()
        assert new != known
        assert hashes.setdefault(number, state_hash(machine)) == state_hash(machine)
        if random.random() < 0.5:
            number = random.choice(list(hashes))
            states.restore(number)
            assert state_hash(machine) == hashes[number]
            assert states.capture() == (number, False)
        make_runs(machine, random.randrange(3), random.randrange(1, 4), None, longest=60)
        if step % 40 == 39:
            machine.save()  # forgets what is dirty
    assert len(set(hashes.values())) == len(hashes) == len(states)
    return hashes


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), model=st.sampled_from(MODELS))
def test_everything_at_once(seed: int, model: str) -> None:
    machine = zoo(model)
    make_runs(machine, seed, 100, None)
    wander(machine, seed, 120)


def test_the_toy_kernel(toy_boot: BootImage) -> None:
    machine = Machine(toy_boot, cores=4, command_line="load", ram_mib=8)
    machine.drive(chooser.round_robin(1000), instructions=700_000)
    assert len(wander(machine, 1, 300)) > 100


def test_a_booting_kernel(toy_boot: BootImage) -> None:
    """Page tables are built, cores started; every step may need the TLB flushed."""
    machine = Machine(toy_boot, cores=4, command_line="load", ram_mib=8)
    states = Pool(machine, states=512, parts=4096)
    hashes = []
    for part in range(60):
        hashes.append(state_hash(machine))
        assert states.capture() == (part, True)
        machine.drive(chooser.random(part), instructions=12_000)
    for number in sorted(range(60), key=lambda number: number * 37 % 61):
        states.restore(number)
        assert state_hash(machine) == hashes[number]
        expected = future(machine, number, 20)
        states.restore(number)
        assert future(machine, number, 20) == expected


def test_the_future_is_the_one_it_had() -> None:
    machine = zoo()
    make_runs(machine, 4, 200, None)
    saved = machine.save()
    states = Pool(machine, states=16, parts=256)
    states.capture()
    first = future(machine, 9)
    states.restore(0)
    assert future(machine, 9) == first
    machine.restore(saved)
    assert states.capture() == (0, False)
    assert future(machine, 9) == first


def test_the_same_state_by_two_ways() -> None:
    """Two cores that do not meet: the order of their steps is not part of the state."""
    code = "mov eax, 1\nadd eax, -1\ninc rbx\nnop\nxor ecx, ecx\nagain: jmp again"
    machine = build(code, code).machine()
    states = Pool(machine, states=64, parts=64)
    ends = set()
    clock = machine.state.m[state.M_CLOCK]
    number, _ = states.capture()
    for order in ((0, 0, 1, 1), (1, 0, 1, 0), (0, 1, 1, 0), (1, 1, 0, 0)):
        states.restore(number)
        for core in order:
            machine.run(core, 1)
        ends.add(states.capture())
    assert machine.state.m[state.M_CLOCK] == clock + 4
    assert len(ends) == 2  # one state: new the first time
    assert len({end for end, _ in ends}) == 1


def test_extra_belongs_to_the_state() -> None:
    machine = build(f"again: inc qword ptr [{DATA}]\njmp again").machine()
    states = Pool(machine, states=16, parts=16)
    assert states.capture(5) == (0, True)
    assert states.capture(-6) == (1, True)
    assert states.digest(0) != states.digest(1)
    assert states.restore(0) == 5
    assert states.restore(1) == -6
    assert states.capture(5) == (0, False)
    assert len(states) == 2


def test_what_a_pool_refuses() -> None:
    machine = build(f"again: inc qword ptr [{DATA}]\njmp again").machine("sdm")
    states = Pool(machine, states=4, parts=64)
    with pytest.raises(TextpokeError, match="no state 0"):
        states.restore(0)
    for number in range(4):
        assert states.capture() == (number, True)
        machine.run(0, 1)
    with pytest.raises(TextpokeError, match="full with 4 states"):
        states.capture()
    start = machine.translate(machine.rip(0))
    assert start is not None
    for number in range(MAX_STORES + 1):
        machine.store(start & -64 | 0x20, bytes([number + 1]))
    with pytest.raises(TextpokeError, match="stores to text are unseen"):
        states.capture()
