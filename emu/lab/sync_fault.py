"""Faults of syncs: one core does not serialise when a kernel that patches itself asks it to.

    lose sync 2 on core 1
    lose every sync 1 on core 1 of cmdline_proc_show
    delay sync 3 on core 2 by 20000 after init: script line 4

Syncs are counted as the phases of a patch are: sync1 after the int3, sync2 after the tail, sync3
after the head. A lost one is the move FreezeFloor: the core takes the interrupt and answers, but
its floor stays where it was. A delayed one is DelayIpi. The move is made when the interrupt is the
next that the core takes, so it is about no other.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from emu.errors import TextpokeError

FORM: Final = "lose [every] sync K on core C [of FUNCTION] [after TEXT]"
FORM_OF_DELAY: Final = "delay [every] sync K on core C by N [of FUNCTION] [after TEXT]"

MAX_DELAY: Final = (1 << 32) - 1

_FAULT = re.compile(
    r"\s*(?:(lose)|delay)\s+(every\s+)?sync\s+(\d{1,10})\s+on\s+core\s+(\d{1,10})"
    r"(?:\s+by\s+(\d{1,10}))?(?:\s+of\s+([A-Za-z_.$][\w.$]*))?(?:\s+after\s+(.+))?\s*"
)


@dataclass(frozen=True, slots=True)
class SyncFault:
    """A fault of a sync.

    Attributes:
        sync: which of a patch, 1 to 3.
        core: that it is about, while another one patches.
        delay: instructions of the machine that the interrupt is late; None: the sync is lost.
        every: each such sync, not only the first.
        function: only of patches that change this function, as far as a core has executed it.
        after: only once this text has been on the serial line.
    """

    sync: int
    core: int
    delay: int | None = None
    every: bool = False
    function: str | None = None
    after: bytes | None = None

    @classmethod
    def parse(cls, text: str, cores: int) -> Self:
        """Return the fault that a text describes, for a machine with so many cores.

        Raises:
            TextpokeError: it is none, or there is no such core or sync.
        """
        found = _FAULT.fullmatch(text)
        if found is None or (found[1] is None) != (found[5] is not None):
            raise TextpokeError(
                f"{text[:80]!r} is no fault: the forms are {FORM!r} and {FORM_OF_DELAY!r}"
            )
        lose, every, sync, core, delay, function, after = found.groups()
        if not 1 <= int(sync) <= 3:
            raise TextpokeError(f"fault: no sync {sync}: a patch has sync 1, 2 and 3")
        if int(core) >= cores:
            raise TextpokeError(f"fault: no core {core}: there are {cores}, from 0 on")
        if not lose and not 1 <= int(delay) <= MAX_DELAY:
            raise TextpokeError(f"fault: a delay is 1 to {MAX_DELAY} instructions")
        return cls(
            int(sync),
            int(core),
            None if lose else int(delay),
            bool(every),
            function,
            None if after is None else after.encode(errors="surrogateescape"),
        )

    def __str__(self) -> str:
        words = ["lose" if self.delay is None else "delay"]
        words += ["every"] if self.every else []
        words += [f"sync {self.sync} on core {self.core}"]
        words += [] if self.delay is None else [f"by {self.delay}"]
        words += [] if self.function is None else [f"of {self.function}"]
        words += [] if self.after is None else [f"after {self.after.decode(errors='replace')}"]
        return " ".join(words)
