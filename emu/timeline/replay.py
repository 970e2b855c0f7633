"""Replay: making the moves of a schedule again."""

from collections.abc import Callable

from emu.errors import BadSchedule
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import move, move_text
from emu.moves.plan import Plan
from emu.moves.schedule import Schedule
from emu.moves.segment import Chosen, Moves
from emu.patch.patcher import Patcher
from emu.timeline.recording import Recording

_PIECE = 4096  # moves between two chances to be interrupted
_IMPOSSIBLE = {
    loop.BOUND: "the bound of the schedule is passed",
    loop.STUCK: "nobody can move",
    loop.REFUSED: "it is not possible here",
}


class Replay:
    """Makes the moves of a schedule on a machine that was just switched on.

    request: gives the patcher a plan. on_step: called after each step of the patcher.
    state_hash: of machine and patcher. recording: is told what happens, as in any run.
    on_drained: called after a segment that drains, with the number of events at its begin.
    pace: asked before every few moves of at most so many instructions how many of them may be
    made until it is asked again; 0 ends the replay there.
    """

    def __init__(  # noqa: PLR0913 -- it stands between all of them
        self,
        machine: Machine,
        patcher: Patcher,
        recording: Recording,
        *,
        request: Callable[[Plan], None],
        state_hash: Callable[[], str],
        on_drained: Callable[[int], None],
        on_step: Callable[[], None] | None = None,
        pace: Callable[[int], int] | None = None,
    ) -> None:
        self._machine, self._patcher, self._recording = machine, patcher, recording
        self._request, self._hash = request, state_hash
        self._on_drained, self._on_step = on_drained, on_step
        self._pace = pace or (lambda _longest: _PIECE)

    def play(self, recorded: Schedule) -> None:
        """Make all moves, or as many as there are before the machine ends.

        Raises BadSchedule if a move is not possible, or a segment ends in another state than
        it says.
        """
        for number, segment in enumerate(recorded.segments):
            if isinstance(segment, Moves):
                if not self._moves(number, segment, recorded):
                    return
                continue
            begin = len(self._machine.events)
            if not self._chosen(number, segment, recorded.instructions):
                return
            if segment.drain and self._machine.alive:
                self._on_drained(begin)
            if segment.hash and segment.hash != self._hash():
                raise BadSchedule(f"segment {number} ends in another state than the schedule says")

    def _chosen(self, number: int, segment: Chosen, bound: int) -> bool:
        """Make the moves of a segment; returns whether the replay goes on."""
        chooser = segment.make()
        self._recording.choose(chooser, drain=segment.drain)
        while (left := segment.count - chooser.made) > 0:
            moves = min(left, _PIECE, self._pace(segment.quantum))
            if moves == 0:
                return False
            why = self._machine.drive(chooser, moves=moves, instructions=self._left(bound))
            if why == loop.PATCHER:
                self._step()
            elif why in _IMPOSSIBLE:
                raise BadSchedule(f"segment {number}, move {chooser.made}: {_IMPOSSIBLE[why]}")
            elif why in (loop.EXIT, loop.DEAD):
                break
            self._recording.grew()
        return True

    def _left(self, bound: int) -> int:
        """Return the instructions that may still be executed; the patcher's steps need none."""
        return bound - self._machine.retired() + 1

    def _moves(self, number: int, segment: Moves, recorded: Schedule) -> bool:
        """Make the moves of a segment; returns whether the replay goes on."""
        at, rows = 0, segment.rows
        while at < len(rows):
            moves = min(_PIECE, self._pace(int(rows["count"][at : at + _PIECE].max())))
            if moves == 0:
                return False
            piece = rows[: at + moves]
            why, reached = self._machine.play(
                piece, at, instructions=self._left(recorded.instructions)
            )
            if reached > at:
                self._recording.moves(Moves(rows[at:reached]))
            at = reached
            if why in (loop.EXIT, loop.DEAD):
                break
            if why == loop.DONE:
                continue
            row = rows[at : at + 1]
            kind = int(row[0]["kind"]) if why == loop.FOREIGN else None
            if kind == move.REQUEST:
                self._request(recorded.plans[int(row[0]["count"])])
            elif kind == move.PATCH and self._machine.patcher_can_move():
                self._recording.moves(Moves(row))
                self._step()
            else:
                reason = _IMPOSSIBLE.get(why, "it is not possible")
                raise BadSchedule(
                    f"segment {number}, move {at} ({move_text.texts(row)[0]}): {reason}"
                )
            at += 1
        return True

    def _step(self) -> None:
        self._patcher.step()
        if self._on_step:
            self._on_step()
