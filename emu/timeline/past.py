"""The past: a second machine of the same setup, on which a run is made again up to a point.

Nothing that is done to it reaches the run itself. It knows the run by its journal; a checkpoint
says where to begin. Between two moves it is where the count of moves says; what comes after
that, everything that happened there included, is in the state already.
"""

import contextlib

import numpy as np
from numpy.typing import NDArray

from emu.errors import PokeError, TextpokeError
from emu.guest.guest import Guest
from emu.machine import loop, state
from emu.machine.machine import Machine
from emu.moves import move
from emu.moves.chooser import Chooser
from emu.moves.plan import Plan
from emu.patch.patcher import Patcher
from emu.timeline.checkpoint import Checkpoint
from emu.timeline.journal import Entry, Journal
from emu.timeline.mark import Mark

_EVENTS = 1024  # kept of those that are made again, which nobody asks for
_TRIES = 1 << 16  # picks of nobody, one after the other, before something must be wrong


def counts(machine: Machine) -> NDArray[np.int64]:
    """Return what only grows: int64 [1 + cores], virtual time and instructions of each core."""
    retired = machine.state.core[: machine.cores, state.C_RETIRED]
    return np.concatenate([[machine.now], retired]).astype(np.int64)


class Past:
    """A machine, its guest and its patcher at a point of a run.

    guest: the run's. journal: the run's, which may grow. start: where this machine begins.
    came: the virtual time at which the last move ended; more may have passed since.
    """

    def __init__(self, guest: Guest, journal: Journal, start: Checkpoint) -> None:
        live = guest.machine
        self.machine = Machine(
            live.image,
            cores=live.cores,
            ram_mib=live.ram_mib,
            command_line=live.command_line,
            model=live.model,
            clock=live.clock,
        )
        self.machine.events.limit = _EVENTS
        self.guest = guest.on(self.machine)
        self.patcher = Patcher(self.guest)
        self._journal = journal
        self.restore(start)

    @property
    def mark(self) -> Mark:
        """Where it is."""
        return Mark(self.machine.retired(), self.moves)

    def save(self) -> Checkpoint:
        """Return a checkpoint of where it is, between two moves."""
        chooser, progress = self._chooser.copy(), self.patcher.progress()
        return Checkpoint(self.mark, self._entries, self.machine.save(), chooser, progress)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go to a checkpoint."""
        self.machine.restore(checkpoint.snapshot)
        self.machine.output.clear()
        self.moves, self._entries = checkpoint.mark.moves, checkpoint.entries
        self.came = self.machine.now
        self._chooser = checkpoint.chooser.copy()
        self.patcher.resume(checkpoint.patcher)

    def advance(self, moves: int) -> None:
        """Make the run's moves until so many of all are made."""
        while True:
            entry = self._coming()
            if entry is not None and entry.moves <= self.moves:
                if not self._carry_out(entry, moves):
                    return
            elif self.moves == moves:
                return
            else:
                self._drive(moves if entry is None else min(moves, entry.moves))
                self.came = self.machine.now

    def run(self, core: int, instructions: int) -> None:
        """Make the first instructions of a Run, which is the next move; then only `restore`."""
        self.machine.make(move.Run(core, instructions))

    def _coming(self) -> Entry | None:
        """Return the next entry of the journal; its moves may be half made."""
        return self._journal[self._entries] if self._entries < len(self._journal) else None

    def _carry_out(self, entry: Entry, moves: int) -> bool:
        """Let happen what happened here; returns whether that was possible with so many moves."""
        what, done = entry.what, self.moves - entry.moves
        if not done and entry.time is not None and entry.time > self.machine.now:
            nobody = Chooser("round-robin", 0, 1, actors=0)
            self.machine.drive(nobody, moves=1)
        if isinstance(what, Plan):
            if self.moves == moves:
                return False
            self.patcher.request(what)
            self.moves += 1
        elif isinstance(what, np.ndarray):
            if self.moves < moves:
                self._play(what[: moves - entry.moves], done)
                self.came = self.machine.now
            if self.moves < entry.moves + len(what):
                return False
        self._chooser = entry.chooser.copy()
        self._entries += 1
        return True

    def _drive(self, moves: int) -> None:
        """Let the chooser pick until so many moves of all are made."""
        tries = 0
        while self.moves < moves:
            before = self.machine.moves
            why = self.machine.drive(self._chooser, moves=moves - self.moves)
            made = self.machine.moves - before
            self.moves += made
            if why == loop.PATCHER:
                self._step()
            tries = 0 if made else tries + 1
            # clock `chosen`: timers tick at random only; the run's owner has asked again, too
            if tries and (why != loop.STUCK or tries > _TRIES):
                raise self._impossible(why)

    def _play(self, rows: NDArray[np.void], at: int) -> None:
        """Make moves that somebody made, from row `at` on."""
        while at < len(rows):
            why, reached = self.machine.play(rows, at)
            if why == loop.FOREIGN and rows[reached]["kind"] == move.PATCH:
                self._step()
                reached += 1
            elif reached == at:
                raise self._impossible(why)
            self.moves += reached - at
            at = reached

    def _step(self) -> None:
        with contextlib.suppress(PokeError):  # the run's owner was told when it happened
            self.patcher.step()

    def _impossible(self, why: int) -> TextpokeError:
        what = loop.WHY.get(why, "it ended")
        return TextpokeError(f"move {self.moves} cannot be made again: {what}; the run was changed")
