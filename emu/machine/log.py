"""The log of a machine: what native code has written, taken over before its tables are full."""

import numpy as np
from numpy.typing import NDArray

from emu.machine import state as st
from emu.machine.events import Events
from emu.machine.fetches import Fetches
from emu.machine.recent import RecentMoves
from emu.machine.state import State
from emu.machine.tracing import Tracing
from emu.moves import move


class Log:
    """Events, serial output, moves and traced fetches, from the start of the machine on.

    Attributes:
        events: all of them.
        output: bytes sent on the serial line.
        moves: how many were made by `loop`.
        recent_moves: the last of them.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.events = Events()
        self.output = bytearray()
        self.moves = 0
        self.recent_moves = RecentMoves()
        self._recorded: list[NDArray[np.uint8]] | None = None
        self._tracing = Tracing(state)

    def collect(self) -> None:
        """Take over what native code has written."""
        scalars = self._state.m
        self.events.drain(self._state)
        self._tracing.drain(self._state)
        count = int(scalars[st.M_OUTPUT])
        if count:
            self.output += self._state.output[:count].tobytes()
            scalars[st.M_OUTPUT] = 0
        moves = int(scalars[st.M_MOVES])
        if moves:
            rows = self._state.moves[:moves].copy()
            self.moves += moves
            self.recent_moves.add(rows, self._state.places[:moves])
            if self._recorded is not None:
                self._recorded.append(rows)
            scalars[st.M_MOVES] = 0

    def record(self) -> None:
        """Keep every move from now on, in place of those kept before."""
        self._recorded = []

    def recorded(self) -> NDArray[np.void]:
        """Return the moves kept since `record`, with dtype move.ROW."""
        rows = self._recorded or []
        table = np.concatenate(rows) if rows else np.zeros((0, st.MOVE_BYTES), np.uint8)
        return np.ascontiguousarray(table).view(move.ROW).reshape(-1)

    def trace(self, *, begin: int, end: int) -> None:
        """Note every fetch from now on, those numbered [begin, end), in place of those before."""
        self._tracing = Tracing(self._state, begin, end)
        self._state.m[st.M_TRACE] = True

    def fetches(self) -> Fetches:
        """Return the fetches noted so far."""
        return self._tracing.fetches()
