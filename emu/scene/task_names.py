"""The names of the tasks that cores switch to, each asked for soon after it was first seen.

An event tells a task by the address of its descriptor, which another task gets when the first has
ended. So what is named is a life: the time from one end of a task at an address to the next, told
by the switch with which a core leaves a task for good (`Guest.has_ended`). The kernel's memory
says the name of the life that is there now; a life that began and ended between two looks may be
over before anybody could ask, and has no name. A task may change its name (exec): a life is asked
again when it was seen in 2, 4, 8, ... looks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.guest.guest import Guest
from emu.guest.tasks import Task
from emu.machine.word import signed
from emu.scene.lanes import Column

UNKNOWN = -1


@dataclass(slots=True)
class _Life:
    """A task at an address. name: its index. looks: in how many it was seen."""

    name: int = UNKNOWN
    looks: int = 0


class TaskNames:
    """Names by index."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._lives: dict[int, _Life] = {}
        self._names: list[str] = []
        self._shown: tuple[str, ...] = ()
        self._idle: frozenset[int] = frozenset()
        self._ends: dict[int, bool] = {}  # by state

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        if len(self._shown) != len(self._names):
            self._shown = tuple(self._names)
        return self._shown

    @property
    def idle(self) -> frozenset[int]:
        """The indices of the tasks that only wait for others: pid 0 is theirs everywhere."""
        return self._idle

    def of_current(self, core: int) -> int:
        """Return the index of the task that a core runs now."""
        task = self._guest.current(core)
        if task is None or not task.comm:
            return UNKNOWN
        life = self._lives.setdefault(signed(task.address), _Life())
        self._ask(life, task)
        return life.name

    def ended(self, states: Column) -> NDArray[np.bool_]:
        """Return whether a task that was left in a state has ended, for each state."""
        different, which = np.unique(states, return_inverse=True)
        for state in different.tolist():
            if state not in self._ends:
                self._ends[state] = self._guest.has_ended(state)
        return np.array([self._ends[state] for state in different.tolist()], bool)[which]

    def of(self, addresses: Column, at: Column, gone: Column, gone_at: Column) -> Column:
        """Return the indices of the tasks seen in a look.

        addresses, at: of each, where its descriptor is, and the place of the event that tells of
        it. gone, gone_at: the same of the tasks that ended, by ascending places.
        """
        places, rank = np.unique(addresses, return_inverse=True)
        if not len(gone):
            names = [self._name(each, self._lives.get(each), 0, 0) for each in places.tolist()]
            return np.array(names, np.int64)[rank]
        seen = np.isin(gone, places)
        ends = np.searchsorted(places, gone[seen])
        deaths = np.bincount(ends, minlength=len(places)).tolist()
        span = int(max(at.max(), gone_at.max())) + 1
        ends = np.sort(ends * span + gone_at[seen])
        number = np.searchsorted(ends, rank * span + at) - np.searchsorted(ends, rank * span)
        most = len(ends) + 1
        lives, which = np.unique(rank * most + number, return_inverse=True)
        before = {address: self._lives.pop(address, None) for address in set(gone.tolist())}
        names = []
        for place, life in (divmod(life, most) for life in lives.tolist()):
            address = int(places[place])
            there = before.get(address) or self._lives.get(address)
            names.append(self._name(address, there, life, deaths[place]))
        return np.array(names, np.int64)[which]

    def _name(self, address: int, before: _Life | None, number: int, deaths: int) -> int:
        """Return the name of a life at an address, the `number`th of this look.

        before: the life that was there. deaths: how many ended; this one too if it is not the last.
        """
        life = (before if number == 0 else None) or _Life()
        lives = number == deaths
        if lives:
            self._lives[address] = life
        life.looks += 1
        again = lives and not life.looks & (life.looks - 1)
        if again or (life.name == UNKNOWN and number >= deaths - 1):
            task = self._guest.task_at(address & (1 << 64) - 1)
            if task is not None and task.comm and (lives or task.ended):
                self._ask(life, task)
        return life.name

    def _ask(self, life: _Life, task: Task) -> None:
        name = str(task)
        if life.name != UNKNOWN and self._names[life.name] == name:
            return
        life.name = len(self._names)
        self._names.append(name)
        if task.pid == 0:
            self._idle |= {life.name}
