"""How a lab comes about: a kernel is booted, or a machine goes on from a snapshot."""

from collections.abc import Callable
from pathlib import Path

from emu import resources
from emu.errors import BadSnapshot, TextpokeError
from emu.image.elf import ElfImage
from emu.image.nameless import NamelessImage
from emu.lab.lab import Lab
from emu.machine import snapshot_file
from emu.machine.engines import COMPILED
from emu.machine.machine import DEFAULT_RAM, Machine
from emu.moves.chooser import Chooser, random, round_robin


def boot(  # noqa: PLR0913 -- what a machine is made of
    image: str | Path = "toy",
    *,
    cores: int = 4,
    ram_mib: int = DEFAULT_RAM,
    append: str = "",
    model: str = "sdm",
    clock: str = "counted",
    seed: int | None = None,
    quantum: int | None = None,
    faults: int = 0,
    sha256: Callable[[str, str], None] | None = None,
    engine: str = COMPILED,
) -> Lab:
    """Switch a machine on with a kernel: a path, or "toy".

    seed: moves are chosen at random from it; without, the cores take turns.
    faults: about one move in this many is a Fault; 0: none. They need a seed.
    sha256: told the digest and the name of the image before anything else; may raise.
    engine: compiled or reference, see `emu.machine.engines`; the run is the same.
    """
    chooser = _chooser(seed, quantum, faults)
    elf = ElfImage.read(resources.image_path(image))
    if sha256:
        sha256(elf.boot_image.sha256, elf.name)
    machine = Machine(
        elf.boot_image,
        cores=cores,
        ram_mib=ram_mib,
        command_line=append,
        model=model,
        clock=clock,
        engine=engine,
    )
    return Lab(elf, machine, chooser)


def go_on(  # noqa: PLR0913 -- as for boot
    saved: str | Path,
    image: str | Path | None = None,
    *,
    seed: int | None = None,
    quantum: int | None = None,
    faults: int = 0,
    engine: str = COMPILED,
) -> Lab:
    """Let a machine go on from a snapshot in a file.

    image: its kernel, to name things by. Without it only the toy kernel has names.
    """
    snapshot = snapshot_file.read(saved)
    name, sha256 = snapshot.setup.image, snapshot.setup.sha256
    elf = ElfImage.read(resources.image_path(image or "toy"))
    if elf.boot_image.sha256 != sha256:
        if image is not None:
            raise BadSnapshot(f"{saved}: made with {name}, and {image} is not that file")
        elf = NamelessImage(name, sha256)
    machine = Machine.from_snapshot(snapshot, engine=engine)
    return Lab(elf, machine, _chooser(seed, quantum, faults), from_start=False)


def _chooser(seed: int | None, quantum: int | None, faults: int) -> Chooser:
    if seed is not None:
        return random(seed, quantum or 100, faults)
    if faults:
        raise TextpokeError("faults are chosen at random: they need a seed")
    return round_robin(quantum or 1000)
