"""Scenarios: what is to be seen. A kernel under load, functions to patch, and what is broken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emu import resources
from emu.errors import TextpokeError
from emu.image.elf import ElfImage
from emu.lab.lab import Lab
from emu.lab.rounds import Rounds
from emu.lab.start import boot
from emu.machine.machine import DEFAULT_RAM
from emu.machine.setup import Setup
from emu.moves.schedule import Schedule
from emu.patch import breaks
from emu.patch.redirect import Redirect
from emu.scene.chronicle import Chronicle

FUNCTION: Final = "cmdline_proc_show"
SECOND: Final = "ring_write"
"""The toy's function whose site straddles an 8-byte word."""

REPLACEMENT: Final = {
    FUNCTION: "mov eax, 42          # cmdline_proc_show returns 42 instead of printing\nret\n",
    SECOND: "mov eax, 1           # ring_write says it wrote one byte\nret\n",
}
"""Replacements, in assembly, of the functions that are shown if nobody names others."""

EXPLANATIONS: Final = breaks.EXPLANATIONS
"""What each break leaves out or misplaces, by its name."""

WARM_UP: Final = 20_000
"""Instructions of all cores between the first tasks and the first plan."""


def shown(broken: str | None, model: str) -> tuple[str, ...]:
    """Return the functions that show a break best: where a tear needs it, one that straddles."""
    if broken == "unsorted":
        return (FUNCTION, SECOND)
    return (SECOND,) if model == "observed" and broken in ("sync1", "sync2") else (FUNCTION,)


def recorded_break(broken: str | None, model: str) -> Schedule | None:
    """Return the schedule that shows a break under a fetch model, if one comes with textpoke.

    Raises TextpokeError if there is no such break.
    """
    if broken is None:
        return None
    breaks.check(broken)
    path = resources.schedule(f"{broken}-{model}")
    return Schedule.read(path) if path else None


def recorded_run(file: str | Path, image: str = "toy") -> Schedule:
    """Return the schedule in a file; BadSchedule unless it is one for an image."""
    schedule = Schedule.read(file)
    elf = ElfImage.read(resources.image_path(image))
    schedule.check_image(elf.boot_image.sha256, elf.name)
    return schedule


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run that is patched in and out, again and again.

    Attributes:
        image: a path, or "toy". append: its command line.
        functions: those to patch, in one batch; empty: what shows `broken` best.
        sources: files with their replacements, as for `Lab.load`; empty: those that come along.
        broken: the name of a break, or None.
        model, seed, cores: of the machine, and of its chooser.
    """

    image: str = "toy"
    append: str = "load"
    functions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    broken: str | None = None
    model: str = "sdm"
    seed: int = 1
    cores: int = 4

    @classmethod
    def of_schedule(cls, schedule: Schedule, image: str = "toy") -> "Scenario":
        """Return what a recorded run was made of, as far as its schedule says."""
        made = schedule.machine
        return cls(image, made.command_line, model=made.model, cores=made.cores)

    def __str__(self) -> str:
        what = " and ".join(self.functions or shown(self.broken, self.model))
        broken = f", broken: {self.broken}" if self.broken else ""
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{what} on {cores}, {self.model}, seed {self.seed}{broken}"

    def check(self) -> None:
        """Raise TextpokeError for what `boot` or `redirects` would refuse, without booting."""
        if self.broken is not None:
            breaks.check(self.broken)
        image = ElfImage.read(resources.image_path(self.image))
        boot_image = image.boot_image
        Setup(
            boot_image.name,
            boot_image.sha256,
            self.cores,
            DEFAULT_RAM,
            self.append,
            self.model,
            "counted",
        ).check()
        for name in self.functions:
            image.sites.of(name)
            if not self.sources:
                _replacement(name)

    @property
    def patched(self) -> tuple[str, ...]:
        """The functions that are patched."""
        return self.functions or shown(self.broken, self.model)

    @property
    def patchable(self) -> tuple[str, ...]:
        """The functions that can be chosen."""
        return tuple(REPLACEMENT)

    @property
    def fixed(self) -> bool:
        """Whether cores and fetch model are what they are."""
        return False

    @property
    def breaks(self) -> Mapping[str, str]:
        """What can be broken, by its name, and what that means."""
        return EXPLANATIONS

    def recorded(self, file: str) -> "tuple[Schedule, Scenario]":
        """Return the schedule in a file, and what it was made of; BadSchedule unless it fits."""
        schedule = recorded_run(file, self.image)
        return schedule, Scenario.of_schedule(schedule, self.image)

    @property
    def sources_beside(self) -> Sequence[Path]:
        """The folders in which source files are looked for."""
        return (resources.image_path(self.image).parent,)

    def rounds(self, lab: Lab, _chronicle: Chronicle) -> Rounds:
        """Return what a lab does from now on: it runs a little, and then is patched."""
        lab.run(instructions=WARM_UP)
        redirects = self.redirects(lab)
        lab.watch(redirects)
        return Rounds(lab, redirects, self.broken)

    def boot(self, _on_piece: Callable[[Lab], None] | None = None) -> Lab:
        """Return a lab in which all cores run tasks. Raises TextpokeError."""
        if self.broken is not None:
            breaks.check(self.broken)
        lab = boot(
            self.image, cores=self.cores, append=self.append, model=self.model, seed=self.seed
        )
        lab.run_until_tasks()
        return lab

    def redirects(self, lab: Lab) -> Sequence[Redirect]:
        """Place the replacements. Raises TextpokeError where a function has none."""
        functions = self.functions or shown(self.broken, self.model)
        if self.sources:
            return lab.load(functions, [Path(source) for source in self.sources])
        return [lab.arena.redirect(name, _replacement(name)) for name in functions]


def _replacement(function: str) -> str:
    """Return the replacement of a function that comes with textpoke."""
    if function not in REPLACEMENT:
        raise TextpokeError(
            f"no replacement for {function} comes with textpoke, as for "
            f"{' and '.join(REPLACEMENT)}: name a file with one (--with FILE)"
        )
    return REPLACEMENT[function]
