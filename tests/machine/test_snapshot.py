"""A machine that is put back goes on as it did, in the same machine and in another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import TextpokeError
from emu.machine import pages, registers, state, unicorn_layout
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.text import MODELS
from emu.moves import chooser
from tests.machine.guest_builder import build
from tests.machine.guest_tables import DATA, RETURN
from tests.machine.slicing import make_runs
from tests.machine.zoo import zoo

Future = tuple[str, list[list[int]], bytes, int | None]


def future(machine: Machine, seed: int, moves: int = 60) -> Future:
    """Make some moves; return where they lead and what happened on the way."""
    event, sent = len(machine.events), len(machine.output)
    make_runs(machine, seed, moves, None)
    events = machine.events.since(event).tolist()
    return state_hash(machine), events, bytes(machine.output[sent:]), machine.exit_value


def goes_on_alike(machine: Machine, seed: int, moves: int = 60) -> None:
    before = state_hash(machine)
    saved = machine.save()
    assert state_hash(machine) == before
    first = future(machine, seed, moves)
    machine.restore(saved)
    assert state_hash(machine) == before
    assert future(machine, seed, moves) == first
    other = Machine.from_snapshot(saved)
    assert state_hash(other) == before
    assert future(other, seed, moves) == first


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), moves=st.integers(0, 300), model=st.sampled_from(MODELS))
def test_everything_at_once(seed: int, moves: int, model: str) -> None:
    machine = zoo(model)
    make_runs(machine, seed, moves, None)
    goes_on_alike(machine, seed + 1)


@pytest.mark.parametrize("words", ["load", "selftest"])
def test_the_toy_kernel(toy_boot: BootImage, words: str) -> None:
    machine = Machine(toy_boot, cores=4, command_line=words)
    for instructions in (0, 3_000, 200_000, 300_000, 100_003, 1_000_000):
        machine.drive(chooser.random(3), instructions=instructions)
        goes_on_alike(machine, instructions, 200)


def test_saving_does_not_change_the_future(toy_boot: BootImage) -> None:
    plain, saved = (Machine(toy_boot, cores=4, command_line="load") for _ in range(2))
    for part in range(20):
        plain.drive(chooser.random(part), instructions=60_000)
        saved.drive(chooser.random(part), instructions=60_000)
        saved.save()
    assert state_hash(plain) == state_hash(saved)
    assert plain.events.since(0).tolist() == saved.events.since(0).tolist()


def test_back_and_forth(toy_boot: BootImage) -> None:
    """Any of many snapshots, in any order, from any state in between."""
    machine = Machine(toy_boot, cores=4, command_line="load")
    machine.drive(chooser.round_robin(1000), instructions=600_000)
    points = []
    for part in range(8):
        points.append((machine.save(), state_hash(machine)))
        make_runs(machine, part, 40, None)
    for number in (3, 7, 0, 0, 5, 1, 6, 2, 4, 7):
        saved, expected = points[number]
        make_runs(machine, number, 25, None)
        machine.restore(saved)
        assert state_hash(machine) == expected


def test_text_and_what_may_be_fetched() -> None:
    """The history, floors and fetched lines are part of the machine; so are translations."""
    machine = build("again: mov eax, 1\ninc rbx\njmp again", "again: inc rcx\njmp again").machine(
        "sdm"
    )
    machine.run(0, 10)
    machine.run(1, 10)
    text = machine.translate(machine.rip(1), 1)
    start = machine.translate(0x200000, 0)
    assert text is not None
    assert start is not None
    old = machine.save()
    machine.store(start, b"\xb8\x02")  # mov eax, 2
    poked = machine.save()
    assert len(machine.versions(0, start + 1)) == 2
    while not machine.stands_at_unstable(0):
        machine.run(0, 1)
    machine.fetch(0, [0] * 5)
    assert machine.register(0, unicorn_layout.RAX) == 2
    for saved, versions, value in ((old, 1, 1), (poked, 2, 2), (old, 1, 1), (poked, 2, 2)):
        for target in (machine, Machine.from_snapshot(saved)):
            target.restore(saved)
            assert len(target.versions(0, start + 1)) == versions
            while target.rip(0) != 0x200000:
                target.run(0, 1)
            if versions == 2:
                assert target.stands_at_unstable(0)
                target.fetch(0, [0] * 5)
            else:
                target.run(0, 1)
            assert target.register(0, unicorn_layout.RAX) == value


def test_pages_are_shared(toy_boot: BootImage) -> None:
    machine = Machine(toy_boot, cores=4, command_line="load")
    machine.drive(chooser.round_robin(1000), instructions=700_000)
    first = machine.save()
    make_runs(machine, 1, 5, None)
    second = machine.save()
    apart = list(pages.differing(first.ram, second.ram))
    assert 0 < len(apart) < 40
    for page in apart:
        assert pages.page_at(first.ram, page) != pages.page_at(second.ram, page)
    assert not list(pages.differing(machine.save().ram, second.ram))


def test_only_the_same_machine(toy_boot: BootImage) -> None:
    saved = Machine(toy_boot, cores=2).save()
    with pytest.raises(TextpokeError, match="another machine"):
        Machine(toy_boot, cores=4).restore(saved)


def test_nothing_of_the_process_is_kept(toy_boot: BootImage) -> None:
    """Two machines that were just switched on differ in addresses of the host; snapshots do not."""
    one, other = (Machine(toy_boot, cores=3).save() for _ in range(2))
    assert one.scalars.tolist() == other.scalars.tolist()
    assert one.registers == other.registers
    assert one.tables.keys() == other.tables.keys()
    for name, rows in one.tables.items():
        assert np.array_equal(rows, other.tables[name]), name


def _as_looked_at(hflags: int) -> int:
    """Return hflags without SS32 in 64-bit mode, where QEMU looks at CS64 first (translate.c)."""
    return hflags & ~(1 << 5) if hflags & unicorn_layout.CS64 else hflags


def test_registers_are_rebuilt(toy_boot: BootImage) -> None:
    """What the engine derives from registers is as it was, at any moment."""
    machine = Machine(toy_boot, cores=4, command_line="selftest")
    seen = set()
    for part in range(400):  # small ones where modes change, while the kernel boots
        make_runs(machine, part, 5 if part < 200 else 60, None)
        for core in range(4):
            env = registers.registers_of(machine.state, core)
            canonical = registers.canonical_registers(machine.state, core, started=True)
            again = registers.engine_registers(machine._hardware.pristine, canonical)
            offset = unicorn_layout.HFLAGS
            flags = int(env[offset : offset + 4].view(np.uint32)[0])
            seen.add(flags)
            if machine.started(core):
                rebuilt = int(again[offset : offset + 4].view(np.uint32)[0])
                assert _as_looked_at(rebuilt) == _as_looked_at(flags)
            copy = state.allocate(1, np.zeros(state.PAGE, np.uint8))
            copy.env[0] = again
            assert registers.canonical_registers(copy, 0, started=True) == canonical
    assert len(seen) > 3  # real mode, protected mode, long mode, single steps


def test_a_trap_flag_that_was_cleared_stays_so() -> None:
    """The engine has two places for flags; a copy in the wrong one would trap for ever."""
    code = """
        pushfq
        or qword ptr [rsp], 0x100
        popfq
        nop
        pushfq
        and qword ptr [rsp], -0x101
        popfq
        again: inc rbx
        jmp again
    """
    machine = build(code, resume={1: RETURN}).machine()
    machine.run(0, 3)
    other = Machine.from_snapshot(machine.save())
    for each in (machine, other):
        each.run(0, 150)
    assert state_hash(machine) == state_hash(other)
    assert other.general_registers(0)[3] > 3


def test_rounding_modes_are_rebuilt() -> None:
    """The engine keeps them apart from the control words that choose them."""
    code = f"""
        mov dword ptr [{DATA}], 0x7f80
        ldmxcsr [{DATA}]
        mov word ptr [{DATA + 8}], 0xf7f
        fldcw [{DATA + 8}]
        mov eax, 7
        cvtsi2sd xmm0, eax
        mov eax, 2
        cvtsi2sd xmm1, eax
        mov dword ptr [{DATA + 16}], 7
        fild dword ptr [{DATA + 16}]
        nop
        divsd xmm0, xmm1
        cvtsd2si ecx, xmm0
        mov dword ptr [{DATA + 16}], 2
        fidiv dword ptr [{DATA + 16}]
        fistp dword ptr [{DATA + 24}]
        mov edx, [{DATA + 24}]
        again: jmp again
    """
    machine = build(code).machine()
    machine.run(0, 11)
    other = Machine.from_snapshot(machine.save())
    for each in (machine, other):
        each.run(0, 20)
        assert each.general_registers(0)[1:3] == (3, 3)
