"""Commands come out in order; of what a slider asks in a row only the last."""

import threading

from gui.command_queue import CommandQueue
from gui.commands import Back, Command, GoTo, Look, NextPhase, Pause, Step


def test_commands_come_in_order_with_their_tickets() -> None:
    queue = CommandQueue()
    given: list[Command] = [Step(1), NextPhase(), Back(None), Step(2)]
    tickets = [queue.put(command) for command in given]
    assert tickets == sorted(set(tickets))
    assert [queue.get(0) for _ in given] == list(zip(tickets, given, strict=True))
    assert queue.get(0) is None


def test_of_several_times_in_a_row_the_last_counts() -> None:
    queue = CommandQueue()
    for time in (10, 20, 30):
        last = queue.put(GoTo(time))
    queue.put(Step())
    queue.put(GoTo(40))
    queue.put(Look())
    queue.put(Look(address=1))
    taken = [queue.get(0) for _ in range(4)]
    assert taken[0] == (last, GoTo(30))
    assert [command for _, command in filter(None, taken)] == [
        GoTo(30),
        Step(),
        GoTo(40),
        Look(address=1),
    ]
    assert queue.get(0) is None


def test_what_is_urgent_drops_what_waits() -> None:
    queue = CommandQueue()
    for command in (NextPhase(), Look(address=1), GoTo(3)):
        queue.put(command)
    last = queue.put(Pause())
    taken = [queue.get(0), queue.get(0)]
    assert [command for _, command in filter(None, taken)] == [Look(address=1), Pause()]
    assert taken[1] is not None
    assert taken[1][0] == last
    assert queue.get(0) is None


def test_a_command_wakes_who_waits() -> None:
    queue = CommandQueue()
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.get()))
    waiting.start()
    queue.put(Step(3))
    waiting.join(10)
    assert taken == [(1, Step(3))]
