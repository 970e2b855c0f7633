"""One kernel on one machine, and everything to do with it: running, patching, watching."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from emu.detect.detectors import Detectors
from emu.detect.verdict import Verdict
from emu.errors import GuestDied, TextpokeError
from emu.guest.guest import Guest
from emu.guest.of import guest_of
from emu.image.elf import ElfImage
from emu.image.objects import Objects
from emu.image.placed import Placed
from emu.lab.end import End
from emu.lab.hold import Hold
from emu.lab.steering import Steering
from emu.lab.sync_fault import SyncFault
from emu.lab.torn import TornText
from emu.lab.watched import watched
from emu.machine import loop
from emu.machine.fetches import Fetches
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves import move, schedule
from emu.moves.chooser import Chooser, continued
from emu.moves.plan import Plan
from emu.moves.schedule import ImageId, MachineSetup, Schedule
from emu.moves.segment import Moves
from emu.patch import plans, replacements
from emu.patch.patcher import Patcher
from emu.patch.redirect import Arena, Redirect
from emu.timeline.fetches import fetches
from emu.timeline.recording import Recording
from emu.timeline.replay import Replay
from emu.timeline.report import Report, Why, report
from emu.timeline.timeline import Timeline

DEFAULT_STEPS = 2_000_000_000
_TASKS_BOUND = 500_000_000
_DRAIN_BOUND = 10_000_000
_PIECE = 5_000  # instructions between two looks at whether something has come about
_LOOK = 4096  # moves after which output is passed on and Ctrl-C is heard, at the latest
_LOOK_INSTRUCTIONS = 5_000_000  # the same for long moves


class Lab:
    """A kernel on a machine, its patcher, its detectors and the chooser that moves them all.

    from_start: the machine was just switched on, so that a schedule can say all its moves.
    """

    def __init__(
        self, image: ElfImage, machine: Machine, chooser: Chooser, *, from_start: bool = True
    ) -> None:
        self.image, self.machine = image, machine
        self.guest: Guest = guest_of(machine, image)
        machine.set_probes(self.guest.probes())
        self.patcher = Patcher(self.guest)
        self.detectors: Detectors | None = None
        self.recording = Recording(chooser)
        self._arena: Arena | None = None
        self._recorded: list[Placed] = []  # what a schedule has put into the kernel
        self.torn = TornText(self.guest)
        self._typed = bytearray()
        self._from_start = from_start
        self._interrupted = False
        self.steering: Steering | None = None
        self._told = bool(self.guest.probes())  # whether the kernel's events come about

    @property
    def chooser(self) -> Chooser:
        """Who picks the moves now."""
        return self.recording.chooser

    @property
    def arena(self) -> Arena:
        """Where trampolines and replacements go."""
        if self._arena is None:
            self.guest.require_contract()
            self._arena = Arena(self.guest)
        return self._arena

    @property
    def placed(self) -> Sequence[Placed]:
        """What was put into the kernel, trampolines too: names, lines and call frames of it."""
        return (*self._recorded, *(self._arena.placed if self._arena else ()))

    @property
    def timeline(self) -> Timeline | None:
        """The past of the run, if it is kept."""
        return self.recording.timeline

    def keep_timeline(self) -> Timeline:
        """Keep the past of the run from here on, so that any moment of it can be seen."""
        if self.recording.timeline is None:
            self.recording.timeline = Timeline(self.machine, self.patcher, self.chooser)
        return self.recording.timeline

    # --- running -------------------------------------------------------------------------------

    def run(
        self,
        *,
        until: bytes | None = None,
        instructions: int = DEFAULT_STEPS,
        stop: Callable[[], bool] | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> End:
        """Let the chooser make moves until something ends it.

        until: text on the serial line. stop: asked after every step of the patcher, and every
        few thousand instructions; ends the run as BOUND does. on_output: gets serial output.
        """
        machine = self.machine
        machine.watch(until[-1] if until else None)
        shown = len(machine.output)
        left = instructions
        while left > 0 and not self._interrupted:
            self._send_typed()
            self.recording.grew()
            before = machine.retired()
            piece = min(left, _LOOK_INSTRUCTIONS if stop is None else _PIECE)
            why = self._drive(piece)
            left -= machine.retired() - before
            if len(machine.output) > shown:
                if on_output:
                    on_output(bytes(machine.output[shown:]))
                if until and machine.output.find(until, max(0, shown + 1 - len(until))) >= 0:
                    return End.TEXT
                shown = len(machine.output)
            if why == loop.EXIT:
                return End.EXIT
            if why == loop.DEAD:
                return End.DIED
            if why == loop.STUCK and not self._send_typed():
                return End.STUCK
            if stop is not None and stop():
                break
        interrupted, self._interrupted = self._interrupted, False
        return End.INTERRUPTED if interrupted else End.BOUND

    def _drive(self, instructions: int) -> int:
        """Let the chooser make moves, the patcher's too; returns why that ended."""
        steering = self.steering if self.steering and self.steering.active else None
        self._look_for_places()
        why = self.machine.drive(
            self.chooser,
            moves=1 if steering and steering.attentive else _LOOK,
            instructions=instructions,
            to_event=steering is not None,
        )
        if why == loop.PATCHER:
            self.patcher.step()
        self.torn.follow()
        if steering and self.machine.alive:
            steering.after_move()
        return why

    def interrupt(self) -> None:
        """Let the run that is under way, or else the next, end between two moves.

        A signal handler may call it.
        """
        self._interrupted = True

    def input(self, data: bytes) -> None:
        """Let bytes come in on the serial line, at once or, in `run`, as soon as there is room."""
        self._typed += data
        self._send_typed()

    def _send_typed(self) -> bool:
        """Make Input moves of what waits for it, as far as there is room; returns whether any."""
        data = bytes(self._typed[: self.machine.input_room])
        if not data or not self.machine.alive:
            return False
        del self._typed[: len(data)]
        parts = [data[at : at + move.MAX_BYTES] for at in range(0, len(data), move.MAX_BYTES)]
        self.make(*(move.Input("uart", part) for part in parts))
        return True

    def make(self, *moves: move.Move) -> None:
        """Make moves that no chooser picks; TextpokeError if one is not possible now."""
        for each in moves:
            self.machine.make(each)
        self.recording.moves(Moves.of(list(moves)))

    # --- steering ------------------------------------------------------------------------------

    def steer(self, holds: Sequence[Hold] = (), faults: Sequence[SyncFault] = ()) -> None:
        """Let holds and faults of syncs decide from here on, beside the chooser.

        Raises:
            BadSymbol: the kernel does not have what one of them names.
        """
        base = self.chooser

        def choose(actors: int, longest: int | None) -> None:
            quantum, allowed = longest or base.quantum, base.actors & actors
            self.choose(continued(self.chooser, quantum=quantum, actors=allowed, waits=True))

        self.steering = Steering(self.guest, holds, faults, choose=choose, make=self.make)

    def _look_for_places(self) -> None:
        """Let the machine tell events from places that the kernel has only now."""
        found = self.steering is not None and self.steering.find()
        probes = () if self._told else self.guest.probes()
        if probes:
            self._told = True
            self.machine.guard_text(self.guest.image.text())
        if found or probes:
            self._set_probes()

    def _set_probes(self) -> None:
        steered = self.steering.probes() if self.steering else ()
        detected = self.detectors.probes() if self.detectors else ()
        self.machine.set_probes((*self.guest.probes(), *detected, *steered))

    def input_may_wake(self) -> bool:
        """Return whether some core is halted and would hear an interrupt."""
        cores = map(self.machine.standing, range(self.machine.cores))
        return any(core.activity == "halted" and core.interrupts for core in cores)

    def run_until_tasks(self) -> None:
        """Run until every core runs tasks; GuestDied if that does not come about."""
        self.guest.require_contract()
        end = self.run(instructions=_TASKS_BOUND, stop=self.guest.all_run_tasks)
        if not self.guest.all_run_tasks():
            raise GuestDied(f"the cores never all ran tasks: {self.why(end)}")

    def ended(self) -> End | None:
        """Return how the machine ended as it stands, None if it can go on."""
        if self.machine.end is not None:
            return End.EXIT
        if self.machine.dead_core() is not None:
            return End.DIED
        return End.STUCK if self.machine.nobody_can_move() else None

    def why(self, end: End) -> str:
        """Return how a run ended in one sentence: that of its report, where there is one."""
        found = self.report(end)
        return found.sentence if found else end.value

    def report(self, end: End, *, exited: bool = False) -> Report | None:
        """Return the report on a run that ended without an end of its own, else None.

        exited: also on one that the guest ended.
        """
        whys: dict[End, Why] = {
            End.DIED: "died",
            End.STUCK: "stuck",
            End.BOUND: "bound",
            End.INTERRUPTED: "interrupted",
        }
        if exited:
            whys[End.EXIT] = "exited"
        why = whys.get(end)
        return None if why is None else report(self.machine, self.image, why, self.placed)

    @property
    def objects(self) -> Objects:
        """The kernel's variables with their types: `lab.objects["tasks"]` (docs/objects.md)."""
        return self.guest.objects

    def objects_of(self, file: str) -> Objects:
        """Return the variables of a replacement's own, typed: `lab.objects_of("fix.c")["reads"]`.

        Raises TextpokeError if no such file was placed.
        """
        found = [placed for placed in self.placed if placed.name == file and placed.sections]
        if not found:
            names = ", ".join(sorted({each.name for each in self.placed if each.sections}))
            raise TextpokeError(
                f"no replacement from {file!r} in the kernel: there is {names or 'none'}"
            )
        return Objects(found[-1].symbols, found[-1].types, self.guest.read)

    def hash(self) -> str:
        """Return the state hash of machine and patcher."""
        return state_hash(self.machine, self.patcher.state())

    def choose(self, chooser: Chooser) -> None:
        """Let another chooser go on from here."""
        self.recording.choose(chooser)

    def schedule(self) -> Schedule:
        """Return the run so far as a schedule that ends here.

        Raises TextpokeError for a machine that went on from a snapshot.
        """
        if not self._from_start:
            raise TextpokeError("a schedule begins where the machine is switched on")
        machine, verdict = self.machine, self.verdict() if self.detectors else None
        return Schedule(
            image=ImageId(self.image.name, self.image.boot_image.sha256),
            machine=MachineSetup(
                machine.cores, machine.ram_mib, machine.command_line, machine.model, machine.clock
            ),
            instructions=max(1, machine.retired()),
            plans=tuple(self.recording.plans),
            segments=self.recording.segments(),
            end=schedule.End(
                self.hash(),
                verdict.name if verdict else None,
                dataclasses.asdict(verdict) if verdict else {},
            ),
        )

    def replay(self, recorded: Schedule, on_step: Callable[[], None] | None = None) -> None:
        """Make the moves of a schedule, from the machine's start on; see `Replay`."""
        redirects = Redirect.of_plans(recorded.plans, self.image.symbols.describe)
        for redirect in redirects:
            self.guest.add_code(redirect.region)
            self._recorded += redirect.placed

        def request(plan: Plan) -> None:
            if self.detectors is None and redirects:
                self.watch(redirects)
            self.request(plan)

        def drained(mark: int) -> None:
            if self.detectors:
                self.detectors.follow()
                self.detectors.calls.close(mark)

        Replay(
            self.machine,
            self.patcher,
            self.recording,
            request=request,
            state_hash=self.hash,
            on_drained=drained,
            on_step=on_step,
        ).play(recorded)

    def fetches(self, begin: int, end: int) -> Fetches:
        """Return every fetch between two points of the run so far, by making it again.

        begin, end: instructions retired by all cores; see `timeline.fetches`.
        """
        return fetches(self.image, self.schedule(), begin, end)

    # --- patching ------------------------------------------------------------------------------

    def load(
        self,
        functions: Sequence[str],
        files: Sequence[str | Path],
        *,
        include: Sequence[str | Path] = (),
        warn: Callable[[str], None] | None = None,
    ) -> tuple[Redirect, ...]:
        """Place the replacements of functions, in C and in assembly; see `replacements.load`."""
        return replacements.load(
            self.arena,
            functions,
            [Path(file) for file in files],
            include=[Path(folder) for folder in include],
            warn=warn,
        )

    def watch(self, redirects: Sequence[Redirect]) -> Detectors:
        """Let new detectors watch these functions, and no others, from now on.

        Of one function there may be several redirects. To watch more later, and go on counting:
        `detectors.watch`.
        """
        self.detectors = Detectors(self.guest, watched(redirects))
        self._set_probes()
        return self.detectors

    def plan(
        self, redirects: Sequence[Redirect], *, inward: bool, broken: str | None = None
    ) -> tuple[Plan, ...]:
        """Return the plans that redirect functions, or give them back: one for each batch."""
        make = plans.inward if inward else plans.outward
        return make(self.guest, redirects, broken)

    def plan_retarget(
        self, pairs: Sequence[tuple[Redirect, Redirect]], *, broken: str | None = None
    ) -> tuple[Plan, ...]:
        """Return the plans that lead redirected functions elsewhere: from one to the other."""
        return plans.anew(self.guest, pairs, broken)

    def request(self, plan: Plan) -> None:
        """Give the patcher a plan."""
        self.patcher.request(plan)
        if self.detectors:
            self.detectors.requested(self.patcher.requests, plan)
        self.recording.request(plan)

    def carry_out(self, plan: Plan, *, instructions: int = DEFAULT_STEPS) -> End:
        """Give the patcher a plan and run until it is done."""
        self.request(plan)
        return self.run(instructions=instructions, stop=lambda: self.patcher.done)

    def patch_in(self, redirects: Sequence[Redirect], *, instructions: int = DEFAULT_STEPS) -> End:
        """Redirect functions, watched from now on; runs until the patcher is done."""
        if self.detectors is None:
            self.watch(redirects)
        else:
            self.detectors.watch(watched(redirects))
            self._set_probes()
        return self._patch(redirects, True, instructions)

    def patch_out(self, redirects: Sequence[Redirect], *, instructions: int = DEFAULT_STEPS) -> End:
        """Give functions back; runs until the patcher is done."""
        return self._patch(redirects, False, instructions)

    def _patch(self, redirects: Sequence[Redirect], inward: bool, instructions: int) -> End:
        end = End.BOUND
        for plan in self.plan(redirects, inward=inward):
            end = self.carry_out(plan, instructions=instructions)
            if end is not End.BOUND or not self.patcher.done:
                break
        return end

    def drain(self) -> None:
        """Run until every call made so far has reached a body; those that do not are lost.

        `interrupt` does not end it: calls that were not waited for would seem to be lost.
        """
        detectors = self.detectors
        if detectors is None or not self.machine.alive:
            return
        mark = detectors.mark()
        self.recording.choose(self.chooser, drain=True)
        end = End.INTERRUPTED
        while end is End.INTERRUPTED:
            end = self.run(instructions=_DRAIN_BOUND, stop=lambda: detectors.drained(mark))
        detectors.calls.close(mark)

    def verdict(self) -> Verdict:
        """Return what the detectors say."""
        if self.detectors is None:
            raise TextpokeError("nothing is watched yet: see Lab.watch")
        return self.detectors.verdict()
