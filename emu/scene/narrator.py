"""The narrator: makes the scene of any moment, of the run that goes on and of its past.

A scene is a function of the moment alone. Nearly everything in it is read from the machine, the
kernel's memory and the patcher's plan as they stand: who trapped shows in stacks, which interrupts
are on their way in the interrupt controllers, what may be fetched in the history of text. Two
things belong to the run and not to its state: what plans were requested, and what detectors have
found. Both have a number or a time that says from when on they hold. A finding belongs to a scene
if it is earlier than the scene's time. A machine that has reached a time has made all events that
are earlier, and can make no more of them; so it does not matter whether the moment is live or made
again by replay. What happens at the very time of a scene is told one nanosecond later, unless
the machine has stopped, as then nothing comes after it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from emu.detect.detectors import Detectors
from emu.detect.finding import Finding
from emu.detect.watch import Watched
from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.guest.int3_handler import Handler, gate
from emu.image.elf import ElfImage
from emu.image.placed import Placed
from emu.image.sites import SITE_SIZE
from emu.image.source import Sources
from emu.patch.patcher import Patcher
from emu.scene import cores, telling
from emu.scene.chapter import Chapter, chapters, of_kernel, usual
from emu.scene.chronicle import Chronicle
from emu.scene.failure import Failure, comment, failure, worst
from emu.scene.function_path import function_path
from emu.scene.kernel_path import kernel_path
from emu.scene.listing import Lister
from emu.scene.look import Known, Look, Place
from emu.scene.names import Names
from emu.scene.outline import Outline
from emu.scene.path import CallPath
from emu.scene.rewriting import Rewriting, rewriting
from emu.scene.saying import Told
from emu.scene.scene import Scene
from emu.scene.spots import NamedSpots, Spots
from emu.scene.tasks import TaskRow, task_rows

TASKS, LISTING, PATH = "tasks", "listing", "path"
"""The parts of a scene that are made only if somebody asks for them."""

MOST_SITES = 8
"""Sites that a scene shows; a batch can have hundreds."""

MANY_TASKS = 24
"""With more tasks than this, those that had a core lately come first."""

_BOOTING = "The kernel boots: not every core runs tasks yet."


class Narrator:
    """Makes scenes of one run.

    Args:
        image: of the kernel.
        detectors: those of the run; they know what is watched, and were told of every plan.
        placed: what has been put into the kernel so far.
        sources: folders with source files, for the listing.
        chronicle: of the run: what the kernel tells of itself; without, nothing is known of that.
    """

    def __init__(
        self,
        image: ElfImage,
        detectors: Detectors,
        placed: Callable[[], Sequence[Placed]],
        sources: Sequence[Path] = (),
        chronicle: Chronicle | None = None,
    ) -> None:
        self._image, self._detectors = image, detectors
        self._chronicle = chronicle
        self._names = Names(image, placed)
        self._lister = Lister(image, Sources(sources))
        self._handler: Handler | None = None
        self._outline: Outline | None = None  # of the plan that was asked for last
        self._spots: Spots | None = None  # for what was watched, placed, and led to by int3 then
        self._watched: tuple[Watched, ...] = ()
        self._seen: tuple[int, int | None] = 0, None

    def scene(
        self,
        guest: Guest,
        patcher: Patcher,
        *,
        needs: frozenset[str] = frozenset(),
        address: int | None = None,
    ) -> Scene:
        """Return the scene of the moment at which a guest and its patcher stand.

        needs: the optional parts to make, of TASKS, LISTING, PATH. address: what the listing and
        the path are about; None: the first site.
        """
        machine = guest.machine
        try:
            look = self._look(guest, patcher, address)
        except TextpokeError:  # paging is not on yet
            return Scene(machine.now, machine.retired(), "before", _BOOTING, (), (),
                         chapters=usual())  # fmt: skip
        failed = self._failure(look)
        told = telling.tell(look)
        if failed is not None:
            core = failed.core if failed.core >= 0 else None
            said = comment(look, failed)
            now = f"Now: {told.sentence}" if machine.alive else ""
            told = Told(failed.sentence, f"{said} {now}".strip(), core)
        elif not patcher.requests and not guest.all_run_tasks():
            told = Told(_BOOTING)
        about = self._about(look, address)
        return Scene(
            machine.now,
            machine.retired(),
            _phase(look),
            told.sentence,
            cores.sites(look),
            cores.cores(look),
            told.reason,
            told.actor,
            self._chapters(look),
            failed,
            self._tasks(look) if TASKS in needs else None,
            self._lister.listing(look, about) if LISTING in needs and about is not None else None,
            self._path(look, about) if PATH in needs else None,
        )

    # --- its parts -----------------------------------------------------------------------------

    def _look(self, guest: Guest, patcher: Patcher, address: int | None) -> Look:
        placed = self._names.refresh(guest)
        watched = self._detectors.watched
        if self._handler is None:
            self._handler = Handler(guest)
        opened = gate(guest, 0)
        if watched is not self._watched or (placed, opened) != self._seen or not self._spots:
            self._watched, self._seen = watched, (placed, opened)
            self._spots = Spots(self._image, self._names, watched, opened)
        plan = patcher.plan or self._detectors.plans.get(patcher.requests)
        if plan is None:
            self._outline = None
        elif self._outline is None or self._outline.plan is not plan:
            self._outline = Outline(plan)
        own = None
        if self._chronicle is not None and not patcher.requests:
            own = rewriting(guest, self._handler, self._chronicle.batches)
        spots = self._spots if own is None else NamedSpots(self._names, own.changes, opened)
        sites = self._sites(self._outline, address) if own is None else self._own(own, address)
        known = Known(self._handler, self._names, spots, watched, own)
        look = Look(guest, patcher, self._outline, sites, known)
        for each in sites:
            look.memory(each.address, len(each.old))
        return look

    def _sites(self, outline: Outline | None, address: int | None) -> tuple[Place, ...]:
        """Return the sites to be shown: first those of the plan, and the one at the address."""
        changes = outline.changes if outline else {}
        watched = {each.site: each for each in self._detectors.watched}
        order = [site for site in dict.fromkeys((*changes, *watched)) if site in watched]
        shown = order[:MOST_SITES]
        begin = next((s for s in order[MOST_SITES:] if s <= (address or 0) < s + SITE_SIZE), None)
        if begin is not None:
            shown[-1] = begin
        found = []
        for site in shown:
            each, change = watched[site], changes.get(site)
            old, new = (change.old, change.new) if change else each.legal[:2]
            found.append(Place(each.function, site, old, new))
        return tuple(found)

    def _own(self, found: Rewriting, address: int | None) -> tuple[Place, ...]:
        """Return the sites of the kernel's own batch to be shown, the one at the address, too."""
        shown = list(found.changes[:MOST_SITES])
        for each in found.changes[MOST_SITES:]:
            if each.address <= (address or 0) < each.address + len(each.old):
                shown[-1] = each
        place = self._names.place
        return tuple(Place(place(each.address), each.address, each.old, each.new) for each in shown)

    def _tasks(self, look: Look) -> tuple[TaskRow, ...]:
        """Return the tasks; of many, when they last had a core."""
        turns = None if self._chronicle is None else self._chronicle.turns
        many = turns is not None and len(look.tasks) > MANY_TASKS
        return task_rows(look, turns.before(look.machine.now) if turns and many else {})

    def _failure(self, look: Look) -> Failure | None:
        ended, now = not look.machine.alive, look.machine.now
        found = [*self._detectors.findings()]
        if self._chronicle is not None:
            found += self._chronicle.fetches.findings
        past = [each for each in sorted(found, key=_time) if each.time < now or ended]
        first = worst(past)
        return None if first is None else failure(look, first, self._detectors.watched)

    def _chapters(self, look: Look) -> tuple[Chapter, ...]:
        if look.rewriting is not None:
            return of_kernel(look.rewriting)
        if look.outline is None:
            return usual()
        patcher = look.patcher
        index = None if patcher.plan is None else patcher.index
        if patcher.plan is None and patcher.phase != "done":
            index = 0  # it was refused: memory was not as the plan expects
        return chapters(look.outline, index, look.guest.online())

    def _about(self, look: Look, address: int | None) -> int | None:
        if address is not None:
            return address
        return look.sites[0].address if look.sites else None

    def _path(self, look: Look, about: int | None) -> CallPath | None:
        """Return the ways of the watched function at an address, or of the first site's."""
        if look.rewriting is not None:
            return self._own_path(look, look.rewriting, about)
        watched = self._detectors.watched
        if not watched:
            return None
        found = self._image.symbols.at(about) if about is not None else None
        inside = (
            number
            for number, each in enumerate(watched)
            if found and found[0].address <= each.site < found[0].address + max(found[0].size, 1)
        )
        number = next(inside, None)
        if number is None:
            first = look.sites[0].address
            number = next(n for n, each in enumerate(watched) if each.site == first)
        return function_path(look, watched, number)

    def _own_path(self, look: Look, found: Rewriting, about: int | None) -> CallPath | None:
        """Return the ways of the site in the function at an address, or of the first site."""
        if not found.changes:
            return None
        names = [look.names.place(each.address).partition("+")[0] for each in found.changes]
        wanted = "" if about is None else look.names.place(about).partition("+")[0]
        number = names.index(wanted) if wanted in names else 0
        return kernel_path(look, number, found.changes[number])


def _time(found: Finding) -> int:
    return found.time


def _phase(look: Look) -> str:
    patcher = look.patcher
    if look.rewriting is not None:
        return look.rewriting.phase
    if patcher.plan is None:
        return "done" if patcher.phase == "done" else "before"
    return patcher.phase if look.begun else "before"
