"""How a lab comes about: a kernel is booted, or a machine goes on from a snapshot."""

from collections.abc import Callable
from pathlib import Path

from emu import resources
from emu.errors import BadSnapshot, TextpokeError
from emu.image.elf import ElfImage
from emu.image.linux_image import LinuxImage
from emu.image.nameless import NamelessImage
from emu.lab.lab import Lab
from emu.machine import snapshot_file
from emu.machine.engines import COMPILED
from emu.machine.machine import DEFAULT_RAM, Machine
from emu.moves.chooser import Chooser, random, round_robin

LINUX_QUANTUM = 50_000
"""Instructions of a turn with a stock kernel: where a core begins one, it has to walk its page
tables anew, and a boot takes hundreds of millions of instructions."""


def boot(  # noqa: PLR0913 -- what a machine is made of
    image: str | Path | ElfImage = "toy",
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
    """Switch a machine on with a kernel: a path, "toy", or an image that was read.

    seed: moves are chosen at random from it; without, the cores take turns.
    faults: about one move in this many is a Fault; 0: none. They need a seed.
    sha256: told the digest and the name of the image before anything else; may raise.
    engine: compiled or reference, see `emu.machine.engines`; the run is the same.
    """
    elf = _image(image)
    chooser = _chooser(elf, seed, quantum, faults)
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
    image: str | Path | ElfImage | None = None,
    *,
    likely: str | Path | ElfImage = "toy",
    seed: int | None = None,
    quantum: int | None = None,
    faults: int = 0,
    engine: str = COMPILED,
) -> Lab:
    """Let a machine go on from a snapshot in a file.

    image: its kernel, to name things by. Without it, `likely` names them if that is its kernel.
    """
    snapshot = snapshot_file.read(saved)
    name, sha256 = snapshot.setup.image, snapshot.setup.sha256
    elf = _image(image or likely)
    machine = Machine.from_snapshot(snapshot, engine=engine)
    if elf.boot_image.sha256 != sha256 and not _runs(machine, elf):
        if image is not None:
            raise BadSnapshot(f"{saved}: made with {name}, and {_name(image)} is not that file")
        elf = NamelessImage(name, sha256)
    return Lab(elf, machine, _chooser(elf, seed, quantum, faults), from_start=False)


def _image(image: str | Path | ElfImage) -> ElfImage:
    return image if isinstance(image, ElfImage) else ElfImage.read(resources.image_path(image))


def _name(image: str | Path | ElfImage) -> str:
    return image.name if isinstance(image, ElfImage) else str(image)


def _runs(machine: Machine, image: ElfImage) -> bool:
    """Return whether a kernel is the one in memory, whatever initramfs it was started with."""
    return isinstance(image, LinuxImage) and image.is_in(machine.read, machine.ram_mib << 20)


def _chooser(image: ElfImage, seed: int | None, quantum: int | None, faults: int) -> Chooser:
    stock = isinstance(image, LinuxImage)
    if seed is not None:
        return random(seed, quantum or (LINUX_QUANTUM if stock else 100), faults)
    if faults:
        raise TextpokeError("faults are chosen at random: they need a seed")
    return round_robin(quantum or (LINUX_QUANTUM if stock else 1000))
