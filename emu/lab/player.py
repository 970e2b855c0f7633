"""The player: a run, and where in it one stands. What the buttons of a window do, headless.

The live end of the run is its `edge`; everything before it is recorded. In the recorded part steps
follow the record, so that nothing in the past changes; at the edge they make it longer: a step of
one actor lets the run's own chooser pick among the moves of that actor.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from emu.detect.finding import Finding
from emu.errors import GuestDied, TextpokeError
from emu.lab.end import End
from emu.lab.lab import Lab
from emu.lab.linux_scenario import LinuxScenario
from emu.lab.live_end import LiveEnd
from emu.lab.rounds import Rounds, Run
from emu.lab.scenario import Scenario
from emu.lab.start import boot
from emu.moves.plan import PHASES
from emu.moves.schedule import Schedule
from emu.scene.chronicle import Chronicle
from emu.scene.lanes import Lanes
from emu.scene.log import Log
from emu.scene.narrator import Narrator
from emu.scene.scene import Scene
from emu.timeline.mark import Mark
from emu.timeline.timeline import Moment

AnyScenario: TypeAlias = Scenario | LinuxScenario

PATIENCE: Final = 5_000_000
"""Instructions in which a sleeping core comes to its next one."""

AFTERWARDS: Final = 1_000_000
"""Instructions after the last plan of a run in which what it did wrong shows."""

EVENTS: Final = 1 << 20
"""Events that the machine keeps at the least, once chronicle and detectors have looked at them."""


class Player:
    """Plays a run. `lab.interrupt`, which another thread may call, ends what goes on.

    Args:
        lab: whose cores run tasks, and which keeps a timeline.
        rounds: what the run does at its edge.
        start: the first moment there is to see.
        scenario: what is played; of a recorded run, what would be to be seen live.
        chronicle: of the lab, up to now.

    Attributes:
        moment: where one stands; valid until the player moves.
    """

    def __init__(
        self, lab: Lab, rounds: Run, start: Mark, scenario: AnyScenario, chronicle: Chronicle
    ) -> None:
        self.lab, self.rounds, self.start, self.scenario = lab, rounds, start, scenario
        self.timeline = lab.keep_timeline()
        self.moment: Moment = self.timeline.at(start)
        detectors = lab.detectors or lab.watch(())
        sources = scenario.sources_beside
        image = lab.guest.image
        self._narrator = Narrator(image, detectors, lambda: lab.placed, sources, chronicle)
        self._detectors, self._chronicle = detectors, chronicle
        self._live = LiveEnd(lab, rounds, chronicle, detectors)
        lab.machine.events.limit = EVENTS

    @classmethod
    def live(cls, scenario: AnyScenario, on_piece: Callable[[Lab], None] | None = None) -> "Player":
        """Return the player of a new run. Raises TextpokeError if it cannot be had.

        on_piece: told of a kernel that boots, now and then; may raise.
        """
        lab = scenario.boot(on_piece)
        chronicle = Chronicle(lab.guest)
        rounds = scenario.rounds(lab, chronicle)
        return cls(lab, rounds, lab.keep_timeline().edge, scenario, chronicle)

    @classmethod
    def recorded(cls, schedule: Schedule, scenario: Scenario) -> "Player":
        """Return the player of a recorded run, which stands where the patcher begins.

        scenario: what the run was made of; its image, at the least, is that of the schedule.

        Raises BadSchedule if the schedule does not fit the image, or a move is not possible.
        """
        setup = schedule.machine
        lab = boot(
            scenario.image,
            cores=setup.cores,
            ram_mib=setup.ram_mib,
            append=setup.command_line,
            model=setup.model,
            clock=setup.clock,
            sha256=schedule.check_image,
        )
        timeline, rounds = lab.keep_timeline(), Rounds(lab, (), None)
        steps: list[Mark] = []
        chronicles: list[Chronicle] = []

        def after_step() -> None:
            if not chronicles:  # before there are tasks there is nothing to tell
                chronicles.append(Chronicle(lab.guest))
            steps.append(timeline.edge)
            rounds.after_step()
            chronicles[0].take(lab.detectors.watched if lab.detectors else ())

        lab.replay(schedule, after_step)
        start = steps[0] if steps else timeline.beginning
        chronicle = chronicles[0] if chronicles else Chronicle(lab.guest)
        return cls(lab, rounds, start, scenario, chronicle)

    @property
    def end(self) -> End | None:
        """Why the run cannot go on, or None."""
        return self._live.end

    @property
    def failures(self) -> Sequence[Finding]:
        """What went wrong up to the edge, each graver than the one before."""
        return self._live.failures

    @property
    def phase(self) -> str | None:
        """The phase at whose end one stands, or None."""
        return self.rounds.phase_at(self.moment)

    def scene(self, needs: frozenset[str] = frozenset(), address: int | None = None) -> Scene:
        """Return the picture of the moment one stands at.

        needs: its optional parts, see `Narrator.scene`. address: what listing and path are about.
        """
        moment = self.moment
        return self._narrator.scene(moment.guest, moment.patcher, needs=needs, address=address)

    def lanes(self) -> Lanes:
        """Return what has happened on all cores, up to the edge."""
        return self._chronicle.lanes()

    def log(self) -> Log:
        """Return every event up to the edge, in words."""
        return self._chronicle.log(self._detectors.watched, self.lab.placed)

    def save(self, path: str) -> None:
        """Write the run up to its edge, as a schedule. Raises TextpokeError if it cannot be."""
        self.lab.schedule().write(path)

    @property
    def at_edge(self) -> bool:
        """Return whether one stands where the run has got to."""
        return self.moment.mark == self.timeline.edge

    # --- forward -------------------------------------------------------------------------------

    def step(self, actor: int | None = None) -> None:
        """Go on by one instruction: of the core `actor`, or of whoever is next.

        The number behind the cores is the patcher: its next step. A core that sleeps wakes first,
        if it can: the others go on meanwhile.

        Raises TextpokeError where the actor cannot move.
        """
        if not self.at_edge:
            self._follow(actor)
            return
        self._require_life()
        if not self._step_alone(actor):
            self._step_later(actor)

    def next_phase(self) -> None:
        """Go on to where the next phase has done what it does, or to the next failure."""
        later = self.rounds.after(self.moment)
        if later is not None:
            self._go_on(later)
            return
        self._require_life()
        stopped = self._run_to_phase_end()
        self._go_on(self.rounds.after(self.moment) or self.timeline.edge)
        if stopped is End.BOUND and self.at_edge:
            raise TextpokeError(self._unended)

    def next_failure(self) -> None:
        """Go on to where something goes wrong. Raises TextpokeError if nothing does for long."""
        given, since = self.rounds.plans, self.timeline.edge.instructions
        if not given and not self.rounds.more and not self._failure_ahead(self.lab.machine.now):
            self.go_to_edge()
            raise TextpokeError(
                "nothing goes wrong: this run patches nothing; textpoke gui --break with the name "
                "of a break shows a run that fails"
            )
        bound = given + self.rounds.most_plans
        patience = self.rounds.patience if self.rounds.more else AFTERWARDS
        while not self._failure_ahead(self.lab.machine.now):
            if self.rounds.plans > given:
                given, since = self.rounds.plans, self.timeline.edge.instructions
            waited = self.timeline.edge.instructions - since
            if self.end is not None or given >= bound or waited >= patience:
                self.go_to_edge()
                said = self._how_far(given >= bound, waited)
                raise TextpokeError(f"nothing more goes wrong {said}")
            if self._run(self.rounds.unseen) is End.INTERRUPTED:
                break
        self._go_on(self.timeline.edge)

    def play(self, instructions: int) -> bool:
        """Go on by about so many instructions, or to the next failure.

        Returns whether there is a reason to go on.
        """
        if not self.at_edge:
            time = min(self.moment.time + instructions, self.lab.machine.now)
            mark = self.timeline.at_time(time).mark
            here = self.moment.mark
            return self._go_on(mark if mark > here else self.timeline.after(here).mark)
        if self.end is not None:
            return False
        self._run(instructions)
        return self._go_on(self.timeline.edge) and self.end is None

    def type(self, data: bytes) -> None:
        """Let bytes come in on the serial line, where the run has got to."""
        self._require_life()
        self.go_to_edge()
        self.lab.input(data)
        self.go_to_edge()

    # --- back ----------------------------------------------------------------------------------

    def back(self, core: int | None = None) -> None:
        """Go back to before the last instruction, of a core or of whoever made it."""
        if core is not None and core >= self.lab.machine.cores:
            core = None
        moment = self.timeline.before(self.moment.mark, core)
        self.moment = moment if moment.mark >= self.start else self.timeline.at(self.start)

    def previous_phase(self) -> None:
        """Go back to the end of the phase before, or to the beginning."""
        earlier = self.rounds.before(self.moment)
        self._stand(self.start if earlier is None else max(earlier, self.start))

    # --- anywhere ------------------------------------------------------------------------------

    def go(self, time: int) -> None:
        """Go to the last moment that is not later than a virtual time, in ns."""
        self._stand(max(self.start, self.timeline.at_time(time).mark))

    def go_to_phase(self, phase: str) -> None:
        """Go to the end of a phase of the plan one is in, or of the next that has it.

        Raises GuestDied where the run ends before, TextpokeError where no such phase comes.
        """
        plan = self.rounds.plan_at(self.moment)
        found = self.rounds.first(phase, plan)
        if found is not None:
            self._stand(found)
            return
        self._stand(self.timeline.edge)
        for _ in range(_ENDS_OF_TWO_PLANS):
            stopped = self.end or self._run_to_phase_end()
            self._stand(self.timeline.edge)
            if self.end is not None:
                raise GuestDied(f"the run ends before phase {phase}: {self.lab.why(self.end)}")
            if stopped is End.BOUND:
                raise TextpokeError(self._unended)
            found = self.rounds.first(phase, plan)
            if found is not None:
                self._stand(found)
            if found is not None or stopped is End.INTERRUPTED:
                return
        raise TextpokeError(f"no plan of this run has a phase {phase}")

    def go_to_edge(self) -> None:
        """Go to where the run has got to."""
        self._stand(self.timeline.edge)

    # --- how -----------------------------------------------------------------------------------

    def _run(self, instructions: int) -> End:
        """Let the run go on."""
        with self._at_edge_if_refused():
            return self._live.run(instructions)

    def _run_to_phase_end(self) -> End | None:
        """Let the run go on to the end of a phase; returns why it stopped before, else None.

        Raises TextpokeError if none is to come.
        """
        with self._at_edge_if_refused():
            return self._live.run_to_phase_end()

    @contextmanager
    def _at_edge_if_refused(self) -> Iterator[None]:
        """Where the run cannot do something, one stands where it has got to."""
        try:
            yield
        except TextpokeError:
            self._stand(self.timeline.edge)
            raise

    def _how_far(self, all_plans: bool, waited: int) -> str:
        """Return for how long nothing has gone wrong, and what to do about it."""
        if self.end is not None:
            return f"before the run ends: {self.lab.why(self.end)}"
        if all_plans:
            return (
                f"in {self.rounds.most_plans} plans; another seed may show it, and so does "
                "textpoke gui --break with the name of the break alone"
            )
        return (
            f"in {waited:,} instructions, in which no plan began; textpoke gui --break with the "
            "name of a break shows a run that fails"
        )

    def _stand(self, mark: Mark) -> None:
        self.moment = self.timeline.at(mark)

    def _go_on(self, mark: Mark) -> bool:
        """Stand at a later point, or where something goes wrong before it.

        Returns whether it is the point.
        """
        end = self.timeline.at(mark).time
        failure = self._failure_ahead(end)
        if failure is None:
            self._stand(mark)
            return True
        self._stand(self.timeline.after(self.timeline.at_time(failure.time).mark).mark)
        return False

    def _failure_ahead(self, end: int) -> Finding | None:
        """Return the next failure, up to a time that the run has reached.

        What happens at a time can be seen one nanosecond later.
        """
        ahead = (each for each in self.failures if self.moment.time <= each.time <= end)
        return next(ahead, None)

    @property
    def _unended(self) -> str:
        return f"no phase has ended in {self.rounds.patience:,} instructions; Run goes on"

    def _require_life(self) -> None:
        if self.end is not None:
            raise TextpokeError(f"the run cannot go on: {self.lab.why(self.end)}")

    def _follow(self, actor: int | None) -> None:
        """Go one step along the record."""
        core = actor if actor is not None and actor < self.lab.machine.cores else None
        self.moment = self.timeline.after(self.moment.mark, core)

    def _step_alone(self, actor: int | None) -> bool:
        """Let an actor, or anybody, make one move; returns whether it could."""
        with self._at_edge_if_refused():
            moved = self._live.step(actor)
        self._stand(self.timeline.edge)
        return moved

    def _step_later(self, actor: int | None) -> None:
        """Let everybody go on until a core that slept has executed an instruction."""
        cores = self.lab.machine.cores
        if actor is None or actor >= cores:
            raise TextpokeError("the patcher cannot move: it has no plan, or waits for the cores")
        before = self.moment.mark
        made = self._executed(actor)
        bound = before.instructions + PATIENCE
        while self._executed(actor) == made and self.end is None:
            if self.timeline.edge.instructions >= bound:
                self._stand(self.timeline.edge)
                raise TextpokeError(f"core {actor} sleeps, and nothing has woken it")
            if self._run(_NAP) is End.INTERRUPTED:
                break
        self.moment = self.timeline.after(before, actor)

    def _executed(self, core: int) -> int:
        return self.lab.machine.retired_by(core)


_ENDS_OF_TWO_PLANS: Final = 2 * 2 * len(PHASES)  # at most: a phase that waits ends twice
_NAP: Final = 1_000  # instructions between two looks at whether a core has woken
