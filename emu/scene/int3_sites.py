"""Which int3 a handler of a kernel has looked at: that of the core's last breakpoint trap.

A handler of kprobes may run into an int3 itself, so the open ones of a core are a stack. The
handler of text_poke is asked first, that of kprobes last (arch/x86/kernel/traps.c, do_int3).
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emu.guest.probes import INT3, INT3_HANDLERS
from emu.machine.events import TRAP
from emu.machine.state import E_A, E_ADDRESS, E_B, E_CORE, E_KIND
from emu.scene.task_names import UNKNOWN

_BREAKPOINT: Final = 3
_LAST: Final = INT3_HANDLERS.index("kprobe")
_DEEP: Final = 8  # int3s within each other: an exception's stack has no room for more
_TAKEN: Final = 0xFFFFFFFF


class Int3Sites:
    """The int3s that cores are at."""

    def __init__(self, cores: int) -> None:
        self._open = [deque[int](maxlen=_DEEP) for _ in range(cores)]

    def take(self, columns: NDArray[np.int64], sites: NDArray[np.int64]) -> None:
        """Fill in, for each event of kind INT3, the address of its int3, as int64.

        columns: int64 [8, n], a row for each column of `Event`. UNKNOWN: nobody saw the trap.
        """
        kinds = columns[E_KIND]
        wanted = (kinds == INT3) | (kinds == TRAP) & (columns[E_A] == _BREAKPOINT)
        for at in np.flatnonzero(wanted).tolist():
            mine = self._open[int(columns[E_CORE, at])]
            if kinds[at] == TRAP:
                mine.append(int(columns[E_ADDRESS, at]) - 1)
                continue
            sites[at] = mine[-1] if mine else UNKNOWN
            over = int(columns[E_A, at]) & _TAKEN or columns[E_B, at] == _LAST
            if mine and over:
                mine.pop()
