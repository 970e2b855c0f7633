"""What the words on the toy kernel's command line do."""

import pytest

from emu.guest.toy import ToyGuest
from emu.image.elf import ElfImage
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import chooser
from tests.conftest import TOY


def booted(words: str, cores: int, seed: int) -> tuple[Machine, int, str]:
    """Return the machine, why it stopped, and what was printed."""
    machine = Machine(ElfImage.read(TOY).boot_image, cores=cores, command_line=words)
    why = machine.drive(chooser.random(seed, 200), instructions=400_000_000)
    return machine, why, machine.output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("cores", [1, 3, 8])
def test_passes_are_made_by_every_core_and_then_all_halt(cores: int) -> None:
    ends = []
    for seed in (1, 2):
        machine, why, said = booted("passes=20", cores, seed)
        assert why == loop.STUCK
        assert said == "textpoke toy kernel\npasses: all cpus ready\n"
        guest = ToyGuest(machine, ElfImage.read(TOY))
        assert guest.all_run_tasks()
        passes = guest.objects["passes"]
        ends.append([(int(passes[core].done), int(passes[core].sum)) for core in range(cores)])  # type: ignore[index, union-attr]
    assert ends[0] == ends[1] == [ends[0][0]] * cores
    assert ends[0][0][0] == 20


@pytest.mark.parametrize(
    "words", ["turns=9", "turns=5 tasks=8 users=2", "turns=4 tick=0", "turns=5 tick=20000"]
)
def test_a_load_that_ends_leaves_nothing_behind(words: str) -> None:
    machine, why, said = booted(words, 2, 5)
    assert (why, machine.exit_value) == (loop.EXIT, 0), said
    assert said.endswith("load: all cpus run tasks\nload: done, nothing left behind\n")


def test_a_handler_of_no_linux_is_refused() -> None:
    machine, why, said = booted("int3=6.2", 1, 1)
    assert (why, machine.exit_value) == (loop.EXIT, 1)
    assert said.endswith("panic: int3 is 6.1 or 6.12, not what the command line says\n")


def test_the_handler_of_6_1_is_taken() -> None:
    _, _, said = booted("turns=1 int3=6.1", 1, 1)
    assert "panic" not in said
