"""The same moves give the same state: in any pieces, in any process, live and played back."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import TextpokeError
from emu.image.elf import ElfImage
from emu.machine import events as ev
from emu.machine import loop, state
from emu.machine.boot import BootImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.text import MODELS
from emu.moves import chooser
from emu.moves.move import FETCH, RUN
from tests.conftest import ROOT, TOY
from tests.machine.slicing import make_runs, numbers
from tests.machine.zoo import zoo


def toy(image: BootImage, words: str = "load", model: str = "sdm", settled: int = 0) -> Machine:
    machine = Machine(image, cores=4, command_line=words, model=model)
    machine.drive(chooser.round_robin(1000), instructions=settled)
    return machine


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 2**32), model=st.sampled_from(MODELS))
def test_everything_at_once_in_pieces(seed: int, cut: int, model: str) -> None:
    whole, pieces = zoo(model), zoo(model)
    for _ in range(3):
        make_runs(whole, seed, 60, None)
        make_runs(pieces, seed, 60, numbers(cut))
        assert state_hash(whole) == state_hash(pieces)
        assert whole.events.since(0).tolist() == pieces.events.since(0).tolist()
        assert whole.output == pieces.output
        seed += 1


def test_the_zoo_shows_what_it_should() -> None:
    machine = zoo()
    make_runs(machine, 1, 600, None)
    rows = machine.events.since(0)
    vectors = {(int(row[2]), int(row[4])) for row in rows if row[2] in (ev.TRAP, ev.DELIVERED)}
    assert vectors >= {(ev.TRAP, 1), (ev.TRAP, 3), (ev.TRAP, 14)}
    assert vectors >= {(ev.DELIVERED, 0x40), (ev.DELIVERED, 0x41)}
    assert {int(kind) for kind in rows[:, 2]} >= {ev.TEXT_STORE, ev.IPI, ev.SERIALISED}
    assert set(machine.output) == {ord("x")}


@pytest.mark.parametrize("seed", range(3))
def test_the_toy_kernel_in_pieces(toy_boot: BootImage, seed: int) -> None:
    whole, pieces = toy(toy_boot, settled=700_000), toy(toy_boot, settled=700_000)
    hashes = set()
    for part in range(4):
        make_runs(whole, seed + part, 500, None, longest=2000)
        make_runs(pieces, seed + part, 500, numbers(seed), longest=2000)
        assert state_hash(whole) == state_hash(pieces)
        hashes.add(state_hash(whole))
    assert len(hashes) == 4
    kinds = {int(row[2]) for row in whole.events.since(0)}
    assert kinds >= {ev.DELIVERED, ev.IPI}


@pytest.mark.slow
def test_the_toy_kernels_self_test_in_pieces(toy_boot: BootImage) -> None:
    """Boot, INIT and start-up IPIs, every exception, int3 and its emulation, on four cores."""
    whole, pieces = toy(toy_boot, "selftest"), toy(toy_boot, "selftest")
    part = 0
    while whole.exit_value is None:
        make_runs(whole, part, 1000, None, longest=5000)
        make_runs(pieces, part, 1000, numbers(part), longest=5000)
        assert state_hash(whole) == state_hash(pieces), part
        part += 1
    assert part > 5
    assert whole.output == pieces.output
    assert whole.exit_value == pieces.exit_value == 0


def test_hashing_in_the_middle_changes_nothing(toy_boot: BootImage) -> None:
    plain, watched = toy(toy_boot), toy(toy_boot)
    for part in range(5):
        make_runs(plain, part, 100, None)
        for _ in range(2):
            state_hash(watched)
        make_runs(watched, part, 100, None)
        watched.stands_at_unstable(part % 4)
        watched.translate(0xFFFFFFFF80000000, part % 4)
        watched.versions(part % 4, 0x200000)
    assert state_hash(plain) == state_hash(watched)


def test_the_drained_table_makes_no_difference(toy_boot: BootImage) -> None:
    """A long Run pauses when a table fills, where short ones never do."""
    long, short = toy(toy_boot, "selftest"), toy(toy_boot, "selftest")
    while long.started(1) is False:
        long.run(0, 1000)
        short.run(0, 1000)
    long.run(0, 400_000)
    for _ in range(4):
        short.run(0, 100_000)
    assert state_hash(long) == state_hash(short)


def test_another_seed_is_another_run(toy_boot: BootImage) -> None:
    hashes = []
    for seed in (1, 1, 2):
        machine = toy(toy_boot, settled=700_000)
        machine.drive(chooser.random(seed), moves=300)
        hashes.append(state_hash(machine))
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_drive_that_pauses_goes_on_where_it_was(toy_boot: BootImage) -> None:
    once, often = toy(toy_boot), toy(toy_boot)
    first, second = chooser.random(5), chooser.random(5)
    once.drive(first, moves=900)
    for _ in range(90):
        assert often.drive(second, moves=10) == loop.DONE
    assert state_hash(once) == state_hash(often)
    assert once.moves == often.moves == first.made == second.made == 900


PROCESS = """
from emu.image.elf import ElfImage
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import chooser
machine = Machine(ElfImage.read({toy!r}).boot_image, cores=4, command_line="load")
machine.drive(chooser.random(7), instructions=1_500_000)
print(state_hash(machine))
"""


def test_another_process_comes_to_the_same_state(toy_boot: BootImage) -> None:
    machine = toy(toy_boot)
    machine.drive(chooser.random(7), instructions=1_500_000)
    code = PROCESS.format(toy=str(TOY))
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [state_hash(machine)]


@pytest.fixture(scope="module")
def hot_site() -> int:
    """The address of a site that every task runs through again and again."""
    return ElfImage.read(TOY).sites.of("sys_read")


def nops(count: int) -> list[bytes]:
    """Return NOPs of five bytes, of which every mix is one."""
    source = numbers(3)
    return [b"\x0f\x1f\x44" + source.randbytes(2) for _ in range(count)]


@pytest.mark.parametrize("model", MODELS)
def test_played_back_moves_end_in_the_same_state(
    toy_boot: BootImage, hot_site: int, model: str
) -> None:
    live = toy(toy_boot, model=model, settled=700_000)
    physical = live.translate(hot_site)
    assert physical is not None
    assert live.read(physical, 5) == bytes.fromhex("0f1f440000")
    driver = chooser.random(11)
    rounds = []
    for form in nops(60):
        live.record()
        assert live.drive(driver, moves=100) == loop.DONE
        rounds.append((live.recorded(), form))
        live.store(physical, form)
    kinds = {int(row["kind"]) for rows, _ in rounds for row in rows}
    stale = int(live.state.core[:4, state.C_STALE].sum())
    assert (kinds == {RUN, FETCH}) == (model != "coherent")
    assert (stale > 10) == (model != "coherent")

    again = toy(toy_boot, model=model, settled=700_000)
    for rows, form in rounds:
        assert again.play(rows) == (loop.DONE, len(rows))
        again.store(physical, form)
    assert state_hash(again) == state_hash(live)
    assert again.events.since(0).tolist() == live.events.since(0).tolist()


def test_a_script_that_does_not_fit_is_refused(toy_boot: BootImage) -> None:
    live = toy(toy_boot)
    live.record()
    live.drive(chooser.random(11), moves=50)
    rows = live.recorded()
    wrong = rows.copy()
    wrong["actor"][20] = 3  # not started yet
    assert toy(toy_boot).play(wrong) == (loop.REFUSED, 20)
    wrong = rows.copy()
    wrong["kind"][20] = FETCH  # nothing is unstable
    assert toy(toy_boot).play(wrong) == (loop.REFUSED, 20)
    with pytest.raises(TextpokeError, match="unstable"):
        toy(toy_boot).fetch(0, [0])
