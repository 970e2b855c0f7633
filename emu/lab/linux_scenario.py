"""Linux scenarios: a stock kernel that is to be seen while it patches itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from emu.errors import GuestDied, TextpokeError
from emu.lab.end import End
from emu.lab.hold import Hold
from emu.lab.kernel_rounds import KernelRounds
from emu.lab.lab import Lab
from emu.lab.linux import RAM, Linux, go_on_linux
from emu.lab.start import boot
from emu.lab.sync_fault import SyncFault
from emu.machine import snapshot_file
from emu.scene.chronicle import Chronicle

_PIECE: Final = 5_000_000
_BOOT_BOUND: Final = 5_000_000_000
"""Instructions in which a kernel comes to its init: ten times what Debian's needs."""

AND: Final = " and "
_LOST: Final = {
    1: "when the int3 stands there",
    2: "when the tail is new",
    3: "when the first byte is new",
}
"""When each sync of a patch comes."""


@dataclass(frozen=True, slots=True)
class LinuxScenario:
    """A stock kernel, booted up to its init, or going on from a snapshot.

    Attributes:
        linux: what is started. With `saved`, its file names the kernel's functions, and its script
            is typed at the prompt instead.
        saved: a snapshot of a machine, or None.
        broken: faults of syncs (see `SyncFault`), joined by AND, or None.
        holds: moments at which a core waits for another, see `Hold`.
        model, cores: of the machine; of a snapshot they are its own.
        seed: of its chooser.
    """

    linux: Linux
    saved: str | None = None
    broken: str | None = None
    holds: tuple[str, ...] = ()
    model: str = "sdm"
    seed: int = 1
    cores: int = 2

    def __str__(self) -> str:
        file = "Linux" if self.linux.file is None else Path(self.linux.file).name
        broken = f", {self.broken}" if self.broken else ""
        seed = f", seed {self.seed}"
        if self.saved is not None:
            return f"{file} from {Path(self.saved).name}{seed}{broken}"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{file} on {cores}, {self.model}{seed}{broken}"

    @property
    def patched(self) -> tuple[str, ...]:
        """The functions that we patch: none, the kernel does that itself."""
        return ()

    @property
    def patchable(self) -> tuple[str, ...]:
        """The functions that can be chosen: none."""
        return ()

    @property
    def fixed(self) -> bool:
        """Whether cores and fetch model are what they are: those of a snapshot."""
        return self.saved is not None

    @property
    def breaks(self) -> Mapping[str, str]:
        """What can be broken, by its name, and what that means."""
        return {
            f"lose every sync {sync} on core {core}": f"{_LOST[sync]}, core {core} keeps what it "
            "may have fetched before"
            for core in range(self.cores)
            for sync in _LOST
        } | ({self.broken: "as the command line has it"} if self.broken else {})

    def recorded(self, file: str) -> NoReturn:
        """Raise TextpokeError: only runs of our patcher are opened here."""
        raise TextpokeError(
            f"{file}: a recorded run of a stock kernel is not opened here: "
            "textpoke linux --replay makes it again"
        )

    @property
    def sources_beside(self) -> Sequence[Path]:
        """The folders in which source files are looked for: none."""
        return ()

    def check(self) -> None:
        """Raise TextpokeError for what `boot` would refuse, without booting."""
        cores = self.cores
        if self.saved is None:
            self.linux.image()
        else:
            cores = snapshot_file.read(self.saved).setup.cores
            if self.linux.file is not None:
                self.linux.kernel()
        self._faults(cores)
        for each in self.holds:
            Hold.parse(each, cores)

    def _faults(self, cores: int) -> list[SyncFault]:
        texts = [] if self.broken is None else self.broken.split(AND)
        return [SyncFault.parse(each, cores) for each in texts]

    def boot(self, on_piece: Callable[[Lab], None] | None = None) -> Lab:
        """Return a lab whose kernel is about to start its init, or where it was saved.

        on_piece: told of the lab now and then, while it boots; may raise. Raises TextpokeError.
        """
        if self.saved is not None:
            lab = go_on_linux(self.saved, self.linux.file, seed=self.seed)
        else:
            lab = boot(
                self.linux.image(),
                cores=self.cores,
                append=self.linux.command_line,
                ram_mib=RAM,
                model=self.model,
                seed=self.seed,
            )
            _boot(lab, on_piece)
        cores = lab.machine.cores
        faults = self._faults(cores)
        holds = [Hold.parse(each, cores) for each in self.holds]
        if faults or holds:
            lab.steer(holds, faults)
        return lab

    def rounds(self, lab: Lab, chronicle: Chronicle) -> KernelRounds:
        """Return what a lab does from now on: whatever the kernel does."""
        lab.keep_timeline()
        if self.saved is not None and self.linux.script:
            lab.input(self.linux.script)
        return KernelRounds(lab, chronicle)


def _boot(lab: Lab, on_piece: Callable[[Lab], None] | None) -> None:
    while not lab.guest.all_run_tasks():
        end = lab.run(instructions=_PIECE)
        if on_piece is not None:
            on_piece(lab)
        if end not in (End.BOUND, End.INTERRUPTED) or lab.machine.retired() > _BOOT_BOUND:
            raise GuestDied(f"the kernel never came to its init: {lab.why(end)}")
