"""The live end of a run: what it does next, how it ends, and what has gone wrong on the way."""

from collections.abc import Iterator
from contextlib import contextmanager

from emu.detect.detectors import Detectors
from emu.detect.finding import Finding
from emu.errors import TextpokeError
from emu.lab.end import End
from emu.lab.lab import Lab
from emu.lab.rounds import Run
from emu.machine import loop
from emu.moves.chooser import EVERYBODY, continued
from emu.scene.chronicle import Chronicle
from emu.scene.failure import worst


class LiveEnd:
    """The live end of a run, which is looked at whenever it has gone on.

    Args:
        lab: which keeps a timeline.
        rounds: what the run does.
        chronicle, detectors: of the lab.

    Attributes:
        end: why the run cannot go on, or None.
        failures: what went wrong, each graver than the one before.
    """

    def __init__(self, lab: Lab, rounds: Run, chronicle: Chronicle, detectors: Detectors) -> None:
        self._lab, self._rounds = lab, rounds
        self._chronicle, self._detectors = chronicle, detectors
        self.end = lab.ended()
        self.failures: list[Finding] = []
        self._look()

    def run(self, instructions: int) -> End:
        """Let the run go on. Raises TextpokeError, as all that follows, where it cannot."""
        with self._looking():
            end = self._rounds.go(instructions)
            self._ended(end)
        return end

    def run_to_phase_end(self) -> End | None:
        """Let the run go on to the end of a phase; returns why it stopped before, else None."""
        rounds = self._rounds
        if not rounds.more:
            raise TextpokeError(
                "no phase comes any more: this run gets no other plan; begin another one"
            )
        end, known = None, rounds.count
        for _ in range(rounds.patience // rounds.unseen):
            with self._looking():
                end = rounds.go_to_phase_end(rounds.unseen)
                self._ended(end)
            if rounds.count > known:
                return None
            if end is not End.BOUND:
                break
        return end

    def step(self, actor: int | None) -> bool:
        """Let an actor, or anybody, make one move; returns whether it could."""
        lab, everybody = self._lab, self._lab.chooser
        only = EVERYBODY if actor is None else 1 << actor
        lab.choose(continued(everybody, quantum=1, actors=only))
        with self._looking():
            try:
                why = lab.machine.drive(lab.chooser, moves=1)
                if why == loop.PATCHER:
                    lab.patcher.step()
                    self._rounds.after_step()
            finally:
                lab.keep_timeline().grew()
                before = everybody.quantum, everybody.actors
                lab.choose(continued(lab.chooser, quantum=before[0], actors=before[1]))
            ended = lab.ended()
            if ended is not None:
                self._ended(ended)
        return why != loop.STUCK

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Look at what the run does meanwhile, also where that fails."""
        try:
            yield
        finally:
            self._look()

    def _look(self) -> None:
        """Note what has happened since the last time, and what is graver than what was before."""
        self._chronicle.take(self._detectors.watched)
        for found in (*self._detectors.findings(), *self._chronicle.fetches.findings):
            last = self.failures[-1:]
            if found not in self.failures and worst([*last, found]) == found:
                self.failures.append(found)

    def _ended(self, end: End) -> None:
        if end not in (End.BOUND, End.INTERRUPTED):
            self.end = end
