"""Which physical memory is guarded: stores to it are reported, because it is or may become text.

Pages are guarded when they are first executed, and what an image says is code from the start.
"""

from unicorn.unicorn_py3 import Uc

from emu.machine.engines import Engine
from emu.machine.hooks import Guard
from emu.machine.state import LINE, LINE_GUARDED, M_UNGUARDED, PAGE, State


class Guards:
    """The guards of one machine, whole pages, neighbours joined."""

    def __init__(self, uc: Uc, state: State, engine: Engine) -> None:
        self._uc, self._state, self._engine = uc, state, engine
        self._guards: list[Guard] = []

    def add(self, start: int, end: int) -> None:
        """Have stores to physical [start, end) reported, and to the rest of its pages."""
        state = self._state
        start, end = start & -PAGE, min(-(-end // PAGE) * PAGE, state.ram.size)
        for neighbour in [g for g in self._guards if g.start <= end and start <= g.end]:
            start, end = min(start, neighbour.start), max(end, neighbour.end)
            neighbour.remove()
            self._guards.remove(neighbour)
        self._guards.append(self._engine.hooks.guard(self._uc, state.address, start, end))
        state.lines[start // LINE : end // LINE] |= LINE_GUARDED
        self._engine.unicorn_blocks.flush_tlb(state)

    def add_page(self) -> None:
        """Guard the page whose first execution has stopped a slice."""
        page = int(self._state.m[M_UNGUARDED])
        self.add(page, page + PAGE)
