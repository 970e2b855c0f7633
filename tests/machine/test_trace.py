"""The trace has every instruction that was executed, and only those, and watches only."""

import capstone
import numpy as np
import pytest

from emu.machine import state
from emu.machine.boot import BootImage
from emu.machine.decode import LONG, PROTECTED, REAL
from emu.machine.fetches import INSTRUCTION, Fetches
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.unicorn_blocks import flush_tlb
from emu.moves import chooser
from tests.machine.guest_builder import Guest, build, finish, quad
from tests.machine.guest_code import assemble
from tests.machine.guest_tables import DATA, FAR_TEXT, NX, PRESENT, TABLES, TEXT, WRITABLE
from tests.machine.site import NOP5, PLACEMENTS, Placement, call_from, site
from tests.machine.slicing import make_runs, numbers
from tests.machine.stepped import Stepped, seen
from tests.machine.zoo import zoo

COLUMNS = ("number", "time", "core", *(INSTRUCTION.names or ()))
ALIAS = 0x20000000  # the frames of FAR_TEXT, writable


def same(one: Fetches, other: Fetches) -> None:
    """Assert that two traces have the same fetches, however they were cut into blocks."""
    for name in COLUMNS:
        assert np.array_equal(one.column(name), other.column(name)), name


def toy(image: BootImage, words: str = "load", settled: int = 700_000) -> Machine:
    machine = Machine(image, cores=4, command_line=words)
    machine.drive(chooser.round_robin(1000), instructions=settled)
    return machine


@pytest.mark.parametrize("model", [pytest.param("coherent", marks=pytest.mark.slow), "sdm"])
def test_everything_at_once_is_what_single_steps_see(model: str) -> None:
    """Interrupts, exceptions, devices, string instructions, code that rewrites itself."""
    traced, stepped = zoo(model), Stepped(zoo(model))
    traced.trace()
    for seed in range(3):
        make_runs(traced, seed, 80, None)
        make_runs(stepped, seed, 80, None)  # type: ignore[arg-type]
    assert state_hash(traced) == state_hash(stepped.machine)
    assert seen(traced.fetches) == stepped.seen
    assert len(stepped.seen) > 5000
    assert [fetch.number for fetch in traced.fetches] == list(
        range(traced.retired() - len(stepped.seen), traced.retired())
    )


def test_tracing_changes_nothing_and_counts_what_retires(toy_boot: BootImage) -> None:
    plain, traced = toy(toy_boot), toy(toy_boot)
    before = traced.state.core[:4, state.C_RETIRED].copy()
    traced.trace()
    for machine in (plain, traced):
        machine.drive(chooser.random(3), instructions=600_000)
    assert state_hash(plain) == state_hash(traced)
    assert plain.events.since(0).tolist() == traced.events.since(0).tolist()
    assert plain.output == traced.output
    retired = (traced.state.core[:4, state.C_RETIRED] - before).tolist()
    assert [len(traced.fetches.of_core(core)) for core in range(4)] == retired
    assert len(traced.fetches) == sum(retired) >= 600_000
    assert len(traced.fetches.blocks) > state.MAX_TRACED  # it was drained in between


@pytest.mark.parametrize("seed", range(3))
def test_any_slicing_fetches_the_same(toy_boot: BootImage, seed: int) -> None:
    machines = [toy(toy_boot), toy(toy_boot), zoo(), zoo()]
    for machine, cut in zip(machines, (None, numbers(seed)) * 2, strict=True):
        machine.trace()
        make_runs(machine, seed, 150, cut)
    same(machines[0].fetches, machines[1].fetches)
    same(machines[2].fetches, machines[3].fetches)


def test_time_passes_where_nobody_executes() -> None:
    """A core sleeps until its timer: the fetch after hlt starts later than one ns after it."""
    code = """
        mov eax, 0xfee00000
        mov dword ptr [rax + 0x3e0], 0
        mov dword ptr [rax + 0x320], 0x40
        mov dword ptr [rax + 0x380], 500
        sti
        hlt
        nop
        cli
        hlt
    """
    machine = build(code).machine()
    machine.trace()
    machine.drive(chooser.round_robin(1000), instructions=300)
    times, addresses = machine.fetches.column("time"), machine.fetches.column("address")
    assert int(np.diff(times).max()) > 300
    assert np.all(np.diff(times) >= 1)
    assert [fetch.time for fetch in machine.fetches] == times.tolist()
    asleep = int(np.diff(times).argmax())
    assert machine.fetches[asleep].code == b"\xf4"
    assert machine.fetches.at(int(addresses[asleep]))[0].time == times[asleep]
    assert times[-1] == machine.now - 1


@pytest.mark.parametrize("placement", [pytest.param(p, id=p.name) for p in PLACEMENTS])
def test_a_fetch_has_the_bytes_it_chose(placement: Placement) -> None:
    at = site(placement, cores=2)
    at.store(0, call_from(at.address))
    at.machine.trace()
    ages = [0 if old == new else 1 for old, new in zip(NOP5, at.bytes(), strict=True)]
    number, time = at.machine.retired(), at.machine.now
    at.machine.fetch(0, ages)
    at.machine.fetch(1, [0] * 5)
    stale, new = at.machine.fetches
    assert (stale.code, new.code) == (NOP5, call_from(at.address))
    for core, fetch in enumerate((stale, new)):
        assert (fetch.core, fetch.number, fetch.time) == (core, number + core, time + core)
        assert fetch.address == at.address
        assert fetch.physical == at.physical[0]
    assert at.machine.retired() == number + 2


def unmap(machine: Machine, address: int) -> None:
    """Clear a page-table entry."""
    table = TABLES
    for shift in (39, 30, 21):
        table = quad(machine, table + 8 * (address >> shift & 511)) & 0xFFFFFFF000
    machine.store(table + 8 * (address >> 12 & 511), bytes(8))
    flush_tlb(machine.state)


def test_a_fetch_that_cannot_be_made_takes_its_step() -> None:
    """Its last bytes are not mapped: the step is a #PF, and counts."""
    placement = next(p for p in PLACEMENTS if p.name == "over two pages at 3")
    at = site(placement)
    at.store(1, b"\x1e")
    unmap(at.machine, at.address + 4)
    before = at.machine.retired()
    at.machine.trace()
    at.machine.fetch(0, [0, 1])
    (fetch,) = at.machine.fetches
    assert (fetch.number, fetch.address, fetch.physical) == (before, at.address, at.physical[0])
    assert fetch.code == NOP5[:2] + bytes(1)
    assert at.machine.retired() == before + 1


def rewriting(rounds: int) -> Guest:
    """Return a guest that executes mov eax, n for n from 1 on, rewriting its constant."""
    code = bytes.fromhex("b801000000 01c2 ff03 ffc9 75f3 f4")
    return build(
        f"mov ecx, {rounds}; mov ebx, {ALIAS + 1}; xor edx, edx; mov eax, {FAR_TEXT}; jmp rax",
        pages={ALIAS: FAR_TEXT | PRESENT | WRITABLE | NX},
        data={FAR_TEXT: code},
    )


def test_more_versions_of_code_than_the_tables_hold() -> None:
    rounds = state.MAX_SHAPES + 500
    machine = rewriting(rounds).machine()
    machine.trace()
    finish(machine)
    moves = machine.fetches.at(FAR_TEXT)
    codes = moves.column("code")[:, 1:5].copy().view(np.uint32)[:, 0]
    assert codes.tolist() == list(range(1, rounds + 1))
    assert len(machine.fetches) == machine.fetches.numbers[-1] + 1 - machine.fetches.numbers[0]


def test_from_the_host_changed_text_is_another_text() -> None:
    machine = build("again: mov eax, 1; jmp again").machine()
    machine.trace()
    machine.run(0, 6)
    machine.store(TEXT + 1, b"\x02")
    machine.run(0, 4)
    assert [fetch.code[1] for fetch in machine.fetches.at(TEXT)] == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("text", [f"mov ebx, {FAR_TEXT}; call rbx", "ud2", "int3", "xor eax, eax"])
def test_instructions_that_fault_are_fetched_once(text: str) -> None:
    """At a page that is not mapped nothing is fetched; the jump there was."""
    machine = build(f"{text}; hlt", pages={FAR_TEXT: 0}).machine()
    machine.trace()
    machine.run(0, 3)
    found = [fetch for fetch in machine.fetches if TEXT <= fetch.address < TEXT + 0x1000]
    assert [fetch.address for fetch in found] == sorted({fetch.address for fetch in found})
    assert b"".join(fetch.code for fetch in found).startswith(assemble(text, TEXT))
    assert len(machine.fetches) == 3 or text == "xor eax, eax"


def test_a_string_instruction_is_fetched_for_every_iteration() -> None:
    code = f"mov ecx, 5; mov edi, {DATA}; rep stosb; nop; hlt"
    rep = TEXT + len(assemble(f"mov ecx, 5; mov edi, {DATA}", TEXT))
    for size in (1, 100):
        machine = build(code).machine()
        machine.trace()
        finish(machine) if size == 100 else [machine.run(0, 1) for _ in range(20)]
        assert {fetch.code for fetch in machine.fetches.at(rep)} == {b"\xf3\xaa"}
        assert len(machine.fetches.at(rep)) == 5 + 1  # and the look at RCX


def test_the_lengths_in_every_mode_are_capstones(toy_boot: BootImage) -> None:
    """From power-on: 32-bit boot, start-up in real mode, and everything the self-test executes."""
    machine = Machine(toy_boot, cores=4, command_line="selftest")
    machine.trace()
    machine.drive(chooser.round_robin(1000))
    assert machine.exit_value == 0
    fetches = machine.fetches
    assert len(fetches) == machine.retired() == fetches[len(fetches) - 1].number + 1
    bits = {REAL: capstone.CS_MODE_16, PROTECTED: capstone.CS_MODE_32, LONG: capstone.CS_MODE_64}
    found: dict[int, int] = dict.fromkeys(bits, 0)
    for row in np.unique(fetches.instructions):
        engine = capstone.Cs(capstone.CS_ARCH_X86, bits[int(row["mode"])])
        code = row["code"][: row["length"]].tobytes()
        lengths = [size for _, size, _, _ in engine.disasm_lite(code, int(row["address"]))]
        assert lengths == [len(code)], (code.hex(), row["mode"])
        assert not row["code"][row["length"] :].any()
        found[int(row["mode"])] += 1
    assert all(found.values()), found


def test_columns_parts_and_single_fetches_agree(toy_boot: BootImage) -> None:
    machine = toy(toy_boot)
    machine.trace()
    make_runs(machine, 1, 60, None)
    fetches = machine.fetches
    every = list(fetches)
    assert [fetches[index] for index in range(len(fetches))] == every
    for name in ("number", "time", "core", "address", "physical", "mode"):
        assert fetches.column(name).tolist() == [getattr(fetch, name) for fetch in every]
    codes = fetches.column("code"), fetches.column("length")
    assert [row[:n].tobytes() for row, n in zip(*codes, strict=True)] == [f.code for f in every]
    first = every[0].number
    for begin, end in ((0, 0), (3, 3), (1, 2), (5, 700), (0, 1 << 60)):
        part = fetches.between(first + begin, first + end)
        assert list(part) == every[begin:end]
    for core in range(4):
        assert list(fetches.of_core(core)) == [fetch for fetch in every if fetch.core == core]
    hot = every[len(every) // 2].address
    there = [fetch for fetch in every if fetch.address == hot]
    assert list(fetches.at(hot)) == there != []
    assert list(fetches.of_core(1).at(hot)) == [fetch for fetch in there if fetch.core == 1]
    assert len(fetches.at(0x1234)) == 0
    for beyond in (-1, len(fetches)):
        with pytest.raises(IndexError):
            fetches[beyond]


@pytest.mark.parametrize("pieces", [1, 40])
@pytest.mark.parametrize(("begin", "end"), [(0, 1), (50_001, 350_010), (200_000, 1 << 40)])
def test_only_an_interval_is_kept(toy_boot: BootImage, begin: int, end: int, pieces: int) -> None:
    machines = toy(toy_boot), toy(toy_boot)
    start = machines[0].retired()
    machines[0].trace()
    machines[1].trace(begin=start + begin, end=start + end)
    for machine in machines:
        driver = chooser.round_robin(777)
        for _ in range(pieces):
            machine.drive(driver, instructions=400_000 // pieces)
    same(machines[0].fetches.between(start + begin, start + end), machines[1].fetches)
    assert len(machines[1].fetches) == min(end, machines[1].retired() - start) - begin


def test_tracing_again_starts_again_and_can_end(toy_boot: BootImage) -> None:
    machine = toy(toy_boot)
    assert len(machine.fetches) == 0
    assert machine.fetches.column("time").tolist() == []
    machine.trace()
    machine.run(0, 100)
    machine.trace()
    machine.run(0, 10)
    machine.trace(False)
    kept = machine.fetches
    machine.run(0, 100)
    assert len(machine.fetches) == len(kept) == 10
    assert not kept.blocks.flags.writeable
