"""No task is forgotten: a detector for lockups and lost wake-ups (D7).

It looks from outside, at what the kernel says of its tasks, and believes none of the kernel's own
watchdogs. A task that has switched since it was last looked at is well. One that has not, for
longer than the patience it is given, is starved (it waits for a core), has lost its wake-up (it may
run, or what it waits for comes soon, yet it is in no queue), or is merely idle. A task that has a
core is not complained of: if it keeps it for ever, those that wait for that core are; nobody is
where nobody waits.

Source: Linux, kernel/hung_task.c and kernel/watchdog.c, which ask the same from inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emu.guest.guest import Guest
from emu.guest.tasks import Task

_GONE: Final = ("dead", "zombie")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A task that does not go on. since: instructions of all cores when it last did."""

    task: Task
    what: str
    since: int

    def __str__(self) -> str:
        return f"{self.task} on core {self.task.cpu} {self.what} since {self.since:,} instructions"


class Progress:
    """Look at the tasks of a kernel from time to time.

    Args:
        guest: the kernel; its tasks tell state, on_rq, nvcsw and nivcsw (see poke.h).
        patience: instructions of all cores for which a task may stand still.
        may_sleep: which tasks may sleep for ever, such as workers nobody has work for.
    """

    def __init__(self, guest: Guest, patience: int, may_sleep: Callable[[Task], bool]) -> None:
        self._guest, self._patience, self._may_sleep = guest, patience, may_sleep
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}  # switches, and since when

    def look(self) -> tuple[Forgotten, ...]:
        """Return the tasks that have stood still for too long."""
        now, before, self._seen = self._guest.machine.retired(), self._seen, {}
        found = []
        for task in self._guest.tasks():
            key, switches = (task.address, task.pid), (task.nvcsw or 0) + (task.nivcsw or 0)
            then, since = before.get(key, (-1, now))
            if then != switches:
                since = now
            self._seen[key] = switches, since
            what = self._complaint(task)
            if what and now - since > self._patience:
                found.append(Forgotten(task, what, since))
        return tuple(found)

    def _complaint(self, task: Task) -> str:
        """Return what would be wrong with a task if it stood still, "" if nothing."""
        if task.pid == 0 or task.core is not None or task.state in _GONE:
            return ""
        if task.on_rq:
            return "waits for its core"
        if task.state == "running":
            return "may run and is in no queue"
        return "" if self._may_sleep(task) else f"is not woken ({task.state})"
