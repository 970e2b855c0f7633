"""All detectors of a run together: they follow the machine's events and give the verdict."""

from emu.detect.calls import Calls
from emu.detect.fetches import Fetches
from emu.detect.finding import Finding
from emu.detect.service import Service
from emu.detect.verdict import Verdict
from emu.detect.watch import Watched, probes
from emu.guest.guest import Guest
from emu.machine.probes import Probe
from emu.moves.plan import Plan


class Detectors:
    """Watch some redirected functions from now on.

    Sets the machine's probes, beside the guest's own. `follow` has to be called before a verdict;
    how often does not matter.

    plans: those that were requested, by number.
    """

    def __init__(self, guest: Guest, watched: tuple[Watched, ...]) -> None:
        self._guest, self._machine = guest, guest.machine
        self._seen = len(self._machine.events)
        self.watched = watched
        self.plans: dict[int, Plan] = {}
        self.calls = Calls()
        self.fetches = Fetches(watched)
        self._probe()

    def watch(self, more: tuple[Watched, ...]) -> None:
        """Watch more functions from now on, or more ways of those that are watched."""
        self.follow()
        there = {each.site: each for each in self.watched}
        for each in more:
            there[each.site] = there[each.site].with_ways(each) if each.site in there else each
        self.watched = self.fetches.watched = tuple(there.values())
        self._probe()

    def probes(self) -> tuple[Probe, ...]:
        """Return the probes that they need."""
        return tuple(probes(self._guest, self.watched))

    def _probe(self) -> None:
        mine = self.probes()
        if mine:
            self._machine.set_probes((*self._guest.probes(), *mine))

    def requested(self, number: int, plan: Plan) -> None:
        """Say that the plan of this number was requested."""
        self.plans[number] = plan
        self.calls.plans[number] = Service.of(plan, self.watched)

    def follow(self) -> None:
        """Look at everything that has happened since the last time."""
        rows = self._machine.events.since(self._seen)
        self.calls.take(rows, self._seen)
        self.fetches.take(rows)
        self._seen += len(rows)

    def mark(self) -> int:
        """Return the present moment, as an event number."""
        return len(self._machine.events)

    def drained(self, mark: int) -> bool:
        """Return whether every call made before a mark has reached a body."""
        self.follow()
        return not any(number < mark for number in self.calls.pending())

    def findings(self) -> tuple[Finding, ...]:
        """Return what has gone wrong so far, one by one, in the order of time; the first ones."""
        self.follow()
        found = [*self.fetches.findings, *self.calls.findings]
        return tuple(sorted(found, key=lambda each: each.time))

    def verdict(self) -> Verdict:
        """Return the verdict so far; calls that are under way belong to nobody yet."""
        self.follow()
        calls, fetches = self.calls, self.fetches
        return Verdict(
            calls=calls.calls - len(calls.pending()),
            old=calls.old,
            new=calls.new,
            lost=calls.lost,
            late=calls.late,
            int3=fetches.int3,
            stale=fetches.stale,
            hazard=fetches.hazard,
            torn=fetches.torn,
            harmful=fetches.harmful,
            unhandled=fetches.unhandled,
        )
