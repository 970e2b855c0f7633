"""Runs whose past is kept, lived through act by act, and what was seen of them meanwhile."""

from collections.abc import Sequence
from itertools import cycle

from emu.errors import TextpokeError
from emu.lab import boot
from emu.machine.hashing import state_hash
from emu.moves.chooser import EVERYBODY, random, round_robin
from emu.moves.fault import FreezeFloor
from emu.moves.segment import Moves
from emu.timeline.checkpoint import Checkpoints
from emu.timeline.mark import Mark
from emu.timeline.timeline import Moment, Timeline
from tests.labs import plans, redirected

ACTS = ("run", "patch", "core", "input", "fault", "chooser")

_SMALL = 8  # MiB: a state hash of it takes some milliseconds


def hash_of(moment: Moment) -> str:
    """Return the state hash of machine and patcher."""
    return state_hash(moment.machine, moment.patcher.state())


class Life:
    """A run of the loaded toy kernel; everything random follows from the seed.

    seen: the state hash at points, taken of the run itself when it was there.
    """

    def __init__(
        self, seed: int, *, cores: int = 4, model: str = "sdm", quantum: int = 100
    ) -> None:
        self.lab = boot(
            "toy",
            append="load",
            cores=cores,
            model=model,
            seed=seed,
            quantum=quantum,
            ram_mib=_SMALL,
        )
        self.lab.run_until_tasks()
        self._plans = cycle(plans(self.lab, redirected(self.lab)))
        self.timeline: Timeline = self.lab.keep_timeline()
        self.seen: dict[Mark, str] = {}
        self.look()

    def bounded(self, *, most: int = 64, most_pages: int = 1 << 16, distance: int = 5000) -> None:
        """Let there be other bounds for checkpoints; before the first act."""
        first = self.timeline.checkpoints.first
        self.timeline.checkpoints = Checkpoints(
            first, most=most, most_pages=most_pages, distance=distance
        )

    def look(self) -> None:
        """See where the run is."""
        self.seen[self.timeline.edge] = self.lab.hash()

    def request(self) -> None:
        """Give the patcher, which is done, the next plan: in, out, in, ..."""
        self.lab.request(next(self._plans))
        self.look()  # the point is the same: the request belongs to it

    def live(self, acts: Sequence[tuple[str, int]]) -> None:
        """Do things, each with a number, and look after each."""
        for name, number in acts:
            getattr(self, f"_{name}")(number)
            self.look()

    def _run(self, number: int) -> None:
        self.lab.run(instructions=number)

    def _patch(self, number: int) -> None:
        if self.lab.patcher.done:
            self.request()
        self.lab.run(instructions=number)

    def _core(self, number: int) -> None:
        """Let one core go alone, as a person does, by the same chooser."""
        chooser = self.lab.chooser
        chooser.actors = chooser.native[3] = 1 << number % self.lab.machine.cores
        self.lab.choose(chooser)
        self.lab.run(instructions=number % 50 + 1)
        chooser.actors = chooser.native[3] = EVERYBODY
        self.lab.choose(chooser)

    def _input(self, number: int) -> None:
        self.lab.input(number.to_bytes(20, "little"))

    def _fault(self, number: int) -> None:
        fault = FreezeFloor(number % self.lab.machine.cores)
        try:
            self.lab.machine.make(fault)
        except TextpokeError:
            return  # it is frozen already
        self.lab.recording.moves(Moves.of([fault]))

    def _chooser(self, number: int) -> None:
        quantum = number % 300 + 1
        self.lab.choose(random(number, quantum) if number % 2 else round_robin(quantum))
        self.lab.run(instructions=number % 3000)


def patched(seed: int, **setup: int) -> Life:
    """Return a life with a function patched in and out."""
    life = Life(seed, **setup)  # type: ignore[arg-type]
    life.live([("run", 3000), *(("patch", 8000),) * 4, ("core", 41), ("input", 77), ("run", 9000)])
    assert life.lab.patcher.requests >= 2
    return life


def steps(timeline: Timeline, mark: Mark, count: int) -> dict[Mark, str]:
    """Go back so many points, or to the beginning; returns where that led, and the states."""
    found = {}
    for _ in range(count):
        moment = timeline.before(mark)
        mark = moment.mark
        found[mark] = hash_of(moment)
    return found
