"""A look: what one scene reads of a machine, each thing once. Looking has no effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from emu.detect.watch import Watched
from emu.errors import TextpokeError
from emu.guest.guest import Guest
from emu.guest.int3_handler import Handler, Table
from emu.guest.stack import Stack
from emu.guest.tasks import Task
from emu.image.disasm import BAD, MAX_INSTRUCTION, decode_one
from emu.machine import state as st
from emu.machine.standing import Standing, standing
from emu.moves.plan import Change, Ipi, Step, Wait
from emu.patch.patcher import Patcher
from emu.scene.fetchable import Versions
from emu.scene.names import Names
from emu.scene.outline import Outline
from emu.scene.rewriting import Rewriting
from emu.scene.spots import NamedSpots, Spot, Spots


@dataclass(frozen=True, slots=True)
class Place:
    """A site. old, new: what the plan makes of it, or the two ways that there are."""

    function: str
    address: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known before one looks, as it does not change with the machine."""

    handler: Handler
    names: Names
    spots: Spots | NamedSpots
    watched: tuple[Watched, ...]
    rewriting: Rewriting | None = None


class Look:
    """A machine at one moment.

    Attributes:
        outline: of the plan that the patcher carries out, or was given last; None before the first.
        rewriting: what the kernel does to its text, or did last; None: nothing yet.
        sites: those that a scene shows, the first of the plan in front.
    """

    def __init__(
        self,
        guest: Guest,
        patcher: Patcher,
        outline: Outline | None,
        sites: Sequence[Place],
        known: Known,
    ) -> None:
        self.guest, self.patcher, self.outline, self.sites = guest, patcher, outline, sites
        self.machine, self.handler, self.names = guest.machine, known.handler, known.names
        self._spots, self._watched = known.spots, known.watched
        self.rewriting = known.rewriting
        self._pages: dict[int, int] = {}
        self._stacks: dict[int, Stack] = {}

    # --- the patcher ---------------------------------------------------------------------------

    @property
    def step(self) -> Step | None:
        """The step that the patcher makes next; None: it has no plan."""
        plan = self.patcher.plan
        return None if plan is None else plan.steps[self.patcher.index]

    @cached_property
    def group(self) -> tuple[tuple[Step, ...], int]:
        """The steps of the phase that the patcher is in, and how many of them are done.

        Before the first phase, those in front of it.
        """
        if self.patcher.plan is None or self.outline is None:
            return (), 0
        return self.outline.group(self.patcher.index)

    @property
    def asked(self) -> int:
        """The cores, as a bit mask, that the phase's interrupt goes to; 0: it sends none."""
        return next((step.cores for step in self.group[0] if isinstance(step, Ipi)), 0)

    @cached_property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """The words that the patcher waits for: (address, value that it has)."""
        step = self.step
        if not isinstance(step, Wait):
            return ()
        values = [(at, self._word(at), wanted) for at, wanted in step.words]
        return tuple((at, value) for at, value, wanted in values if value != wanted)

    @property
    def begun(self) -> bool:
        """Return whether the plan, or the kernel's batch, is in one of its phases."""
        if self.rewriting is not None:
            return not self.rewriting.batch.over
        if self.patcher.plan is None or self.outline is None:
            return False
        return self.outline.begun(self.patcher.index) > 0

    @property
    def change(self) -> Change | None:
        """What is done to the first site."""
        if self.rewriting is not None:
            return next(iter(self.rewriting.changes), None)
        return next(iter(self.outline.changes.values()), None) if self.outline else None

    def change_at(self, address: int | None) -> Change | None:
        """Return what is done to a site; None: nothing."""
        if self.rewriting is not None:
            return next((e for e in self.rewriting.changes if e.address == address), None)
        return self.outline.changes.get(address or 0) if self.outline else None

    def name(self, change: Change) -> str:
        """Return the name of a site that is changed: that of its function."""
        found = (each.function for each in self._watched if each.site == change.address)
        return next(found, None) or self.names.place(change.address)

    def watched(self, number: int | None) -> str:
        """Return the name of a watched function."""
        if number is None:
            return "a function"
        if self.rewriting is not None:
            return self.names.place(self.rewriting.changes[number].address)
        return self._watched[number].function

    @cached_property
    def sync_vector(self) -> int | None:
        """The interrupt that asks a core to serialise."""
        return self.guest.sync_vector

    def site_of(self, number: int | None) -> int | None:
        """Return the site of a watched function."""
        if number is None:
            return None
        if self.rewriting is not None:
            return self.rewriting.changes[number].address
        return self._watched[number].site

    # --- cores ---------------------------------------------------------------------------------

    @cached_property
    def started(self) -> tuple[int, ...]:
        """The cores that run or halt."""
        return tuple(core for core in range(self.machine.cores) if self.machine.started(core))

    @cached_property
    def standing(self) -> tuple[Standing, ...]:
        """How each core stands."""
        return tuple(standing(self.machine.state, core) for core in range(self.machine.cores))

    @cached_property
    def spots(self) -> dict[int, Spot]:
        """Where each core stands that is on a way of a watched function."""
        found = {}
        for core, task in self.on_core.items():
            spot = self._spots.of(self.stack(task).frames)
            if spot is not None:
                found[core] = spot
        return found

    def spot(self, task: Task) -> Spot | None:
        """Return where a task stands."""
        return self._spots.of(self.stack(task).frames)

    # --- tasks ---------------------------------------------------------------------------------

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks."""
        return self.guest.tasks()

    @cached_property
    def blocking(self) -> tuple[Task, ...]:
        """The tasks that have yet to go over while a live patch is in transition."""
        transition = self.guest.transition()
        if transition is None:
            return ()
        return tuple(
            task
            for task in self.tasks
            if task.patch_state is not None and task.patch_state != transition.target
        )

    @cached_property
    def on_core(self) -> dict[int, Task]:
        """The task of each core."""
        return {task.core: task for task in self.tasks if task.core is not None}

    def stack(self, task: Task) -> Stack:
        """Return the stack of a task; empty where memory is not as the kernel says."""
        if task.address not in self._stacks:
            try:
                self._stacks[task.address] = self.guest.stack(task)
            except TextpokeError as error:
                self._stacks[task.address] = Stack((), str(error))
        return self._stacks[task.address]

    # --- memory and text -----------------------------------------------------------------------

    @cached_property
    def versions(self) -> Versions:
        """What of text each core may fetch."""
        return Versions(self.machine)

    @cached_property
    def table(self) -> Table:
        """What the int3 handler knows."""
        return self.handler.table(self.guest)

    def physical(self, address: int, size: int) -> tuple[int, ...]:
        """Return the physical address of each byte. Raises TextpokeError where none is."""
        return tuple(self._physical(at) for at in range(address, address + size))

    def memory(self, address: int, size: int) -> bytes:
        """Return bytes of code. Raises TextpokeError where nothing is mapped."""
        found = b""
        while size > 0:
            part = min(size, st.PAGE - address % st.PAGE)
            found += self.machine.read(self._physical(address), part)
            address, size = address + part, size - part
        return found

    def decoded(self, code: bytes, address: int) -> str:
        """Return what some bytes at a site are, as text; behind them memory goes on."""
        behind = address + len(code)
        rest = min(MAX_INSTRUCTION, st.PAGE - behind % st.PAGE)
        return self.names.decoded(code + self.memory(behind, rest), address)

    def became(self, code: bytes, address: int) -> str:
        """Return what bytes were executed as, and how much of what lies behind they took along."""
        text = self.decoded(code, address)
        behind = address + len(code)
        rest = min(MAX_INSTRUCTION, st.PAGE - behind % st.PAGE)
        taken = len(decode_one(code + self.memory(behind, rest), address).bytes) - len(code)
        if taken <= 0 or text == BAD:
            return text
        more = "1 byte" if taken == 1 else f"{taken} bytes"
        return f"{text}, with {more} of the next instruction"

    def fetchable(self, core: int, address: int, size: int) -> frozenset[bytes]:
        """Return what a core may fetch at an address."""
        return self.versions.fetchable(core, self.physical(address, size))

    def _physical(self, address: int) -> int:
        page = address & -st.PAGE
        if page not in self._pages:
            self._pages[page] = self.guest.physical(page)
        return self._pages[page] + address - page

    def _word(self, address: int) -> int:
        return int.from_bytes(self.memory(address, 4), "little")
