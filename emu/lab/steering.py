"""Steering: holds and faults of syncs, carried out while a run goes on.

After each move that makes an event it is looked at what has come about: a byte that has become what
a hold waits for, a phase of a patch that has begun, an interrupt that has come. What follows is the
next choice of who may move, or a fault, which is a move itself; so a schedule of the run says it
all, and a replay needs neither holds nor faults.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np

from emu.guest.guest import Guest
from emu.guest.probes import REACHED
from emu.lab.hold import Hold, Place
from emu.lab.lost_syncs import times
from emu.lab.sync_fault import SyncFault
from emu.machine.events import DELIVERED, PHASE, TEXT_STORE, Event
from emu.machine.machine import Machine
from emu.machine.probes import Probe
from emu.moves.chooser import EVERYBODY
from emu.moves.fault import DelayIpi, FreezeFloor
from emu.moves.plan import PHASES

_KINDS: Final = np.array([TEXT_STORE, DELIVERED, PHASE, REACHED])
_ARM: Final = PHASES.index("arm")
_DONE: Final = PHASES.index("done")
_FINE: Final = 64
"""Instructions of a turn while a patch is under way that a hold may be about.

A hold begins with the end of the turn that stored the byte: a few hundred instructions later the
kernel has sent the next interrupts, and what was to be held is over.
"""
_PATIENCE: Final = 16  # times that it is asked between two looks for what was not mapped


class _Held:
    """A hold, and how it stands."""

    def __init__(self, number: int, hold: Hold) -> None:
        self.hold, self.number = hold, number
        self.byte: int | None = None  # physical, as soon as the kernel has mapped it
        self.reached: int | None = None
        self.begun = self.ended = 0
        self._same = self.holds = False

    def find(self, guest: Guest) -> bool:
        """Find out where its bytes are; returns whether that is now known."""
        self.byte = self.hold.byte.physical(guest)
        self.reached = self.hold.reached.physical(guest)
        return self.byte is not None and self.reached is not None

    @property
    def probes(self) -> Iterator[Probe]:
        """What it has to be told."""
        if self.reached is not None:
            yield Probe(self.reached, REACHED, self.number)

    def heard(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == REACHED and event.a == self.number and event.core == self.hold.until:
            self.ended += self.holds
            self.holds = False

    def look(self, machine: Machine) -> None:
        """Look at the byte."""
        same = self.byte is not None and machine.read(self.byte, 1)[0] == self.hold.value
        if same and not self._same and machine.standing(self.hold.until).activity != "waits":
            self.begun += 1
            self.holds = True
        elif not same:
            self.holds = False
        self._same = same

    def __str__(self) -> str:
        came = f"core {self.hold.until} came there {times(self.ended)}"
        now = ", and it still holds" if self.holds else ""
        begun = f"it began {times(self.begun)}, {came}{now}" if self.begun else "it never began"
        return f"hold {self.hold}: {begun}"


class _Faulty:
    """A fault of a sync, and how it stands.

    Attributes:
        due: the sync has begun, and its interrupt has not been dealt with yet.
    """

    def __init__(self, fault: SyncFault) -> None:
        self.fault, self._function = fault, range(0)
        self.made, self.due = 0, False
        self._touched = False
        self._frozen: int | None = None  # the vector that the frozen interrupt is to have
        self._scanned = 0

    def find(self, guest: Guest) -> bool:
        """Find out where its function is; returns whether that is now known."""
        name = self.fault.function
        if name is None:
            return True
        place = Place(name).physical(guest)
        if place is not None:
            self._function = range(place, place + max(1, guest.image.symbols[name].size))
        return place is not None

    @property
    def spent(self) -> bool:
        """Whether nothing more will come of it."""
        return bool(self.made) and not self.fault.every and self._frozen is None

    def heard(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == TEXT_STORE:
            self._touched |= event.address in self._function
        elif event.kind == PHASE:
            if event.a == _ARM:
                self._touched = False
            wanted = self.fault.every or not self.made
            touched = self._touched or self.fault.function is None
            another = event.core != self.fault.core
            begins = PHASES[event.a] == f"sync{self.fault.sync}"
            self.due = wanted and touched and another and begins
        elif event.kind == DELIVERED and event.core == self.fault.core and self._frozen is not None:
            # An interrupt that came in between was frozen in place of the sync: that does not count
            self.made -= event.a != self._frozen
            self._frozen = None

    def after(self, output: bytearray) -> bool:
        """Return whether the text it waits for has been seen."""
        text = self.fault.after
        if text is None or self._scanned < 0:
            return True
        found = output.find(text, max(0, self._scanned - len(text)))
        self._scanned = -1 if found >= 0 else len(output)
        return found >= 0

    def move(self, vector: int) -> DelayIpi | FreezeFloor:
        """Return the move, which is made now."""
        core, delay = self.fault.core, self.fault.delay
        self.made, self.due = self.made + 1, False
        if delay is not None:
            return DelayIpi(core, vector, delay)
        self._frozen = vector
        return FreezeFloor(core)

    def __str__(self) -> str:
        return f"fault {self.fault}: {f'made {times(self.made)}' if self.made else 'never made'}"


class Steering:
    """Holds and faults of a run.

    Args:
        guest: whose symbols name the places, and which tells its phases.
        choose: lets only these actors (a bit mask) move from now on, cores up to so many
            instructions at once; None: as many as ever.
        make: makes a fault.

    Raises:
        BadSymbol: the kernel has no such symbol.
    """

    def __init__(
        self,
        guest: Guest,
        holds: Iterable[Hold],
        faults: Iterable[SyncFault],
        *,
        choose: Callable[[int, int | None], None],
        make: Callable[[DelayIpi | FreezeFloor], None],
    ) -> None:
        self._guest, self._choose, self._make = guest, choose, make
        self._held = [_Held(number, hold) for number, hold in enumerate(holds)]
        self._faulty = [_Faulty(fault) for fault in faults]
        for place in self._places():
            place.check(guest)
        self._in_code = all(held.hold.byte.is_code(guest) for held in self._held)
        self._unknown: list[_Held | _Faulty] = [*self._held, *self._faulty]
        self._events = len(guest.machine.events)
        self._chosen: tuple[int, int | None] = (EVERYBODY, None)
        self._looks = 0
        self._under_way = False

    def _places(self) -> Iterator[Place]:
        for held in self._held:
            yield from (held.hold.byte, held.hold.reached)
        for faulty in self._faulty:
            if faulty.fault.function is not None:
                yield Place(faulty.fault.function)

    @property
    def active(self) -> bool:
        """Whether it has to be asked after moves that make events."""
        return bool(self._held) or not all(faulty.spent for faulty in self._faulty)

    @property
    def attentive(self) -> bool:
        """Whether it has to be asked after every move: stores to data are no events."""
        return any(faulty.due for faulty in self._faulty) or not self._in_code

    def probes(self) -> tuple[Probe, ...]:
        """Return what the machine has to tell, as far as it is known where that is."""
        return tuple(probe for held in self._held for probe in held.probes)

    def find(self) -> bool:
        """Look, now and then, for places that the kernel had not mapped; True: there are more."""
        self._looks += 1
        if not self._unknown or self._looks % _PATIENCE != 1:
            return False
        before = len(self._unknown)
        self._unknown = [each for each in self._unknown if not each.find(self._guest)]
        return len(self._unknown) < before

    def after_move(self) -> None:
        """Take note of what a move has brought about, and act on it."""
        machine = self._guest.machine
        for event in self._heard(machine):
            if event.kind == PHASE:
                self._under_way = event.a != _DONE
            for held in self._held:
                held.heard(event)
            for faulty in self._faulty:
                faulty.heard(event)
        for held in self._held:
            held.look(machine)
        actors = EVERYBODY
        for held in self._held:
            actors &= ~(held.holds << held.hold.core)
        urgent = self._urgent(machine)
        longest = _FINE if self._held and self._under_way else None
        self._let_move(*((actors, longest) if urgent is None else (1 << urgent, 1)))

    def _heard(self, machine: Machine) -> Iterator[Event]:
        begin, self._events = self._events, len(machine.events)
        rows = machine.events.since(begin)
        for index in np.flatnonzero(np.isin(rows[:, 2], _KINDS)):
            yield machine.events[begin + int(index)]

    def _urgent(self, machine: Machine) -> int | None:
        """Make the faults that can be made; returns a core that has to take an interrupt first."""
        for faulty in self._faulty:
            if not faulty.due or not faulty.after(machine.output):
                continue
            core, vector = faulty.fault.core, self._guest.sync_vector
            if vector is None:
                continue
            pending = machine.pending_ipis(core)
            if pending[:1] == (vector,) and machine.floor_is_free(core):
                self._make(faulty.move(vector))
            elif vector in pending:
                return core
        return None

    def _let_move(self, actors: int, longest: int | None) -> None:
        if (actors, longest) != self._chosen:
            self._chosen = actors, longest
            self._choose(actors, longest)

    def told(self) -> tuple[str, ...]:
        """Return what came of each hold and fault, in a sentence."""
        return tuple(map(str, (*self._held, *self._faulty)))
