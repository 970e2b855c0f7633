"""Names of tasks whose descriptors are used again and again, between two looks and in one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from emu.guest.guest import Guest
from emu.guest.tasks import Task
from emu.scene.task_names import UNKNOWN, TaskNames

DEAD = 4
A, B = 0x1000, -0x7000  # signed, as events have them


@dataclass
class Kernel:
    """A kernel whose descriptors are what a test puts there."""

    there: dict[int, Task] = field(default_factory=dict)
    asked: int = 0

    def put(self, address: int, pid: int, comm: str, state: str = "running") -> None:
        self.there[address] = Task(pid, comm, state, address=address)

    def task_at(self, address: int) -> Task | None:
        self.asked += 1
        return self.there.get(address if address < 1 << 63 else address - (1 << 64))

    def has_ended(self, state: int) -> bool:
        return state == DEAD


def look(
    names: TaskNames, seen: Sequence[tuple[int, int]], gone: Sequence[tuple[int, int]] = ()
) -> list[str]:
    """Look at (place, address) of tasks that get a core, and of those that ended."""
    seen_, gone_ = (np.array(each, np.int64).reshape(-1, 2) for each in (seen, gone))
    found = names.of(seen_[:, 1], seen_[:, 0], gone_[:, 1], gone_[:, 0])
    return [names.names[index] if index != UNKNOWN else "?" for index in found.tolist()]


def both() -> tuple[Kernel, TaskNames]:
    kernel = Kernel()
    return kernel, TaskNames(cast("Guest", kernel))


def test_a_task_keeps_its_name_in_the_look_in_which_it_ends() -> None:
    kernel, names = both()
    kernel.put(A, 1, "first")
    kernel.put(B, 0, "idle")
    assert look(names, [(0, A), (1, B)]) == ["first/1", "idle/0"]
    kernel.put(A, 2, "second")
    assert look(names, [(0, A), (2, B), (5, A)], [(2, A)]) == ["first/1", "idle/0", "second/2"]
    assert look(names, [(0, A)]) == ["second/2"]
    assert {names.names[index] for index in names.idle} == {"idle/0"}


def test_one_that_ended_unseen_is_not_taken_for_the_next() -> None:
    kernel, names = both()
    kernel.put(A, 1, "first")
    assert look(names, [(0, A)]) == ["first/1"]
    look(names, [(3, B)], [(3, A)])
    kernel.put(A, 2, "second")
    assert look(names, [(0, A)]) == ["second/2"]


def test_one_that_came_and_went_between_two_looks_has_no_name() -> None:
    """But the last has, as long as its descriptor is there and nobody else's."""
    kernel, names = both()
    kernel.put(A, 3, "third")
    assert look(names, [(0, A), (2, A), (4, A)], [(1, A), (3, A)]) == ["?", "?", "third/3"]
    kernel.put(B, 9, "done", "zombie")
    assert look(names, [(0, B), (2, B)], [(1, B), (3, B)]) == ["?", "done/9"]
    kernel.put(B, 10, "new")
    assert look(names, [(0, B)], [(1, B)]) == ["?"]


def test_a_name_that_changes_is_noticed_and_names_are_seldom_asked_for() -> None:
    kernel, names = both()
    kernel.put(A, 7, "shell")
    assert [look(names, [(0, A)]) for _ in range(5)] == [["shell/7"]] * 5
    kernel.put(A, 7, "ls")
    assert look(names, [(0, A)]) == ["shell/7"]
    assert [look(names, [(0, A)]) for _ in range(3)][-1] == ["ls/7"]
    for _ in range(500):
        look(names, [(0, A)])
    assert kernel.asked < 12


def test_of_what_is_no_task_nothing_is_known() -> None:
    kernel, names = both()
    kernel.put(B, 0, "")
    assert look(names, [(0, A), (1, B)]) == ["?", "?"]


def test_which_states_are_the_end_is_asked_once_of_the_guest() -> None:
    _, names = both()
    assert names.ended(np.array([DEAD, 2, DEAD])).tolist() == [True, False, True]
