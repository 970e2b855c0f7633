"""Both engines go through the same states and see the same events; a difference is noticed."""

from pathlib import Path

import numpy as np
import pytest

from emu import lab
from emu.errors import TextpokeError
from emu.image.elf import ElfImage
from emu.lab import Lab
from emu.machine import events as ev
from emu.machine import plain_numbers, reference
from emu.machine.boot import BootImage
from emu.machine.engines import ENGINES
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.machine.text import MODELS
from emu.moves.chooser import random, round_robin
from tests import labs
from tests.kernels.test_modes import built
from tests.machine.guest_builder import build, finish, log
from tests.machine.guest_tables import DATA
from tests.machine.slicing import make_runs
from tests.machine.test_exceptions import CASES, Case, started
from tests.machine.zoo import zoo

REFERENCE = "reference"


def history(machine: Machine) -> tuple[object, ...]:
    """Return what two engines must agree on."""
    return (
        state_hash(machine),
        machine.events.since(0).tolist(),
        bytes(machine.output),
        machine.moves,
        machine.recorded().tobytes(),
    )


def zoos(model: str = "sdm") -> tuple[Machine, Machine]:
    return zoo(model), zoo(model, REFERENCE)


@pytest.mark.parametrize("model", MODELS)
def test_everything_at_once(model: str) -> None:
    compiled, plain = zoos(model)
    assert history(compiled) == history(plain)
    for seed in range(4):
        make_runs(compiled, seed, 60, None)
        make_runs(plain, seed, 60, None)
        assert history(compiled) == history(plain)
    kinds = {int(kind) for kind in plain.events.since(0)[:, 2]}
    assert kinds >= {ev.TEXT_STORE, ev.TRAP, ev.IPI, ev.DELIVERED, ev.SERIALISED}


@pytest.mark.parametrize("model", MODELS)
def test_random_moves_from_changing_text(model: str) -> None:
    both = []
    for machine in zoos(model):
        machine.record()
        chooser = random(11, 40)
        steps = []
        for _ in range(5):
            machine.drive(chooser, moves=40)
            steps.append(history(machine))
        both.append(steps)
        fetches = machine.events.since(0)[:, 2].tolist().count(ev.STALE_FETCH)
        assert bool(fetches) == (model != "coherent")
    assert both[0] == both[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_exception(case: Case) -> None:
    seen = []
    for engine in ENGINES:
        machine, _ = started(case, engine)
        finish(machine)
        seen.append((log(machine), history(machine)))
    assert seen[0] == seen[1]


def loaded(engine: str, model: str = "sdm") -> Lab:
    toy = lab.boot("toy", append="load", model=model, seed=1, engine=engine)
    toy.run_until_tasks()
    return toy


def test_a_function_is_patched_in_and_out() -> None:
    seen = []
    for engine in ENGINES:
        toy = loaded(engine)
        labs.in_and_out(toy, labs.plans(toy, labs.redirected(toy)), 2)
        seen.append((toy.hash(), toy.verdict(), history(toy.machine)))
        assert toy.patcher.done
    assert seen[0] == seen[1]


def test_a_run_of_one_engine_replays_on_the_other() -> None:
    toy = loaded(REFERENCE)
    again = lab.boot("toy", append="load")
    again.replay(toy.schedule())
    assert again.hash() == toy.hash()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first"),
    [("legacy", 0), ("modes", 30), ("modes", 100), ("modes", 200), ("modes", 340)],
)
def test_every_mode_and_exception(name: str, first: int, tmp_path: Path) -> None:
    """Where the reference engine delivers by itself, and the compiled one by QEMU.

    first: the case of the kernel to begin with.
    """
    image = ElfImage.read(built(name, tmp_path)).boot_image
    machines = [
        Machine(image, cores=1, command_line=str(first), model="coherent", engine=engine)
        for engine in ENGINES
    ]
    while machines[0].alive and machines[0].retired() < 3_000_000:
        for machine in machines:
            machine.drive(round_robin(1000), instructions=300_000)
        assert history(machines[0]) == history(machines[1])
    assert machines[0].events.since(0)[:, 2].tolist().count(ev.TRAP) > 20


@pytest.mark.slow
def test_the_toy_kernels_self_test(toy_boot: BootImage) -> None:
    machines = [
        Machine(toy_boot, cores=4, command_line="selftest", engine=engine) for engine in ENGINES
    ]
    choosers = [random(3, 100), random(3, 100)]
    while machines[0].exit_value is None:
        for machine, chooser in zip(machines, choosers, strict=True):
            machine.drive(chooser, moves=4_000)
        assert history(machines[0]) == history(machines[1])
    assert len(machines[0].events) > 1000


@pytest.mark.slow
def test_twenty_seeds_of_the_toy_kernel_being_patched() -> None:
    hashes = set()
    for seed in range(20):
        seen = []
        for engine in ENGINES:
            toy = loaded(engine, MODELS[seed % len(MODELS)])
            toy.choose(random(seed, 100))
            labs.in_and_out(toy, labs.plans(toy, labs.redirected(toy)), 3, 20_000)
            seen.append((toy.hash(), toy.verdict(), history(toy.machine)))
        assert seen[0] == seen[1], seed
        hashes.add(seen[0][0])
    assert len(hashes) == 20


MUTANTS = {
    "a timer counts in other steps": ("xapic_timer", "_divider", 4),
    "a port reads something else": ("ports", "read", 0),
    "text is never fetched": ("admitted", "_mark_fetched", None),
    "nothing serialises": ("candidate", "serialises", False),
    "a page fault tells nobody": ("exception_hooks", "emit", None),
    "an exception is forgotten": ("exception_hooks", "exception", None),
    "interrupts stay on in handlers": ("delivery", "mask_flags", None),
    "no flags on the stack": ("delivery", "flags_now", 2),
}  # what a function of a module always answers


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_difference_between_the_engines_is_noticed(
    mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, function, answer = MUTANTS[mutant]
    compiled, plain = zoos()
    monkeypatch.setattr(reference.module(module), function, lambda *_: answer)
    make_runs(compiled, 1, 60, None)
    make_runs(plain, 1, 60, None)
    assert history(compiled) != history(plain)


def test_an_error_in_a_hook_is_raised_by_the_move(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = build(f"mov dx, 0x3fd; in al, dx; mov [{DATA}], al; cli; hlt")
    machine = guest.machine(engine=REFERENCE)

    def broken(*_: int) -> int:
        raise ZeroDivisionError("in a device")

    with monkeypatch.context() as patched:
        patched.setattr(reference.module("ports"), "read", broken)
        with pytest.raises(ZeroDivisionError, match="in a device"):
            finish(machine)
    whole = guest.machine(engine=REFERENCE)
    finish(whole)
    assert whole.read(DATA, 1) == b"\x60"


def test_an_engine_nobody_knows() -> None:
    image = build("hlt").image
    with pytest.raises(TextpokeError, match="'slow': there are compiled and reference"):
        Machine(image, engine="slow")


def test_numbers_are_cut_as_in_native_code() -> None:
    assert plain_numbers.shifted(1, 63) == -(1 << 63)
    assert plain_numbers.shifted(0xFF, 56) == -(1 << 56)
    assert plain_numbers.shifted(-1, 8) == -256
    numpy = plain_numbers.numpy
    assert (numpy.int64(1 << 63), numpy.uint32(-1), numpy.int32(1 << 31)) == (
        -(1 << 63),
        0xFFFFFFFF,
        -(1 << 31),
    )
    cells = numpy.zeros(3, numpy.uint8)
    cells[0], cells[1] = 0x1FF, -2
    assert list(cells) == [0xFF, 0xFE, 0]
    table = plain_numbers.shared(np.zeros((2, 2), np.int64))
    table[1, 1] = 1 << 63
    assert table[1, 1] == -(1 << 63)
