"""A machine's setup: what is decided before it is switched on."""

from dataclasses import dataclass

from emu.errors import TextpokeError
from emu.machine.boot import MAX_RAM, MIN_RAM
from emu.machine.state import MAX_CORES
from emu.machine.text import MODELS
from emu.moves.move import CLOCKS


@dataclass(frozen=True)
class Setup:
    """What is decided before a machine is switched on.

    image, sha256: name and digest of the kernel's file, to find its symbols by.
    """

    image: str
    sha256: str
    cores: int
    ram_mib: int
    command_line: str
    model: str
    clock: str

    def check(self) -> None:
        """Raise TextpokeError if there is no such machine."""
        if not 1 <= self.cores <= MAX_CORES:
            raise TextpokeError(f"{self.cores} cores: a machine has 1 to {MAX_CORES}")
        if self.model not in MODELS:
            raise TextpokeError(f"no fetch model {self.model!r}: there are {', '.join(MODELS)}")
        if self.clock not in CLOCKS:
            raise TextpokeError(f"no clock {self.clock!r}: there are {' and '.join(CLOCKS)}")
        if not MIN_RAM <= self.ram_mib << 20 <= MAX_RAM:
            least, most = MIN_RAM >> 20, MAX_RAM >> 20
            raise TextpokeError(f"{self.ram_mib} MiB of RAM: a machine has {least} to {most}")
