"""Replay: making the moves of a schedule again."""

from collections.abc import Callable, Sequence

from emu.errors import BadSchedule
from emu.machine import loop
from emu.machine.machine import Machine
from emu.moves import move, move_text
from emu.moves.plan import Plan
from emu.moves.schedule import Schedule
from emu.moves.segment import Chosen, Moves
from emu.patch.patcher import Patcher
from emu.timeline.recording import Recording


class Replay:
    """Makes the moves of a schedule on a machine that was just switched on.

    request: gives the patcher a plan. on_step: called after each step of the patcher.
    state_hash: of machine and patcher. recording: is told what happens, as in any run.
    last_segment: number of events when the last segment began, after `play`.
    """

    def __init__(  # noqa: PLR0913 -- it stands between all of them
        self,
        machine: Machine,
        patcher: Patcher,
        recording: Recording,
        *,
        request: Callable[[Plan], None],
        state_hash: Callable[[], str],
        on_step: Callable[[], None] | None = None,
    ) -> None:
        self._machine, self._patcher, self._recording = machine, patcher, recording
        self._request, self._hash, self._on_step = request, state_hash, on_step
        self.last_segment = 0

    def play(self, recorded: Schedule) -> None:
        """Make all moves, or as many as there are before the machine ends.

        Raises BadSchedule if a move is not possible, or a segment ends in another state than
        it says.
        """
        for number, segment in enumerate(recorded.segments):
            self.last_segment = len(self._machine.events)
            if isinstance(segment, Moves):
                self._moves(segment, recorded.plans)
                continue
            self._chosen(number, segment, recorded.instructions)
            if segment.hash and segment.hash != self._hash():
                raise BadSchedule(f"segment {number} ends in another state than the schedule says")

    def _chosen(self, number: int, segment: Chosen, bound: int) -> None:
        chooser = segment.make()
        self._recording.choose(chooser)
        while (left := segment.count - chooser.made) > 0:
            instructions = bound - self._machine.retired() + 1  # steps of the patcher may follow
            why = self._machine.drive(chooser, moves=left, instructions=instructions)
            if why == loop.PATCHER:
                self._step()
            elif why in (loop.BOUND, loop.STUCK):
                what = "nobody can move" if why == loop.STUCK else "its bound is passed"
                raise BadSchedule(f"segment {number}, move {chooser.made}: {what}")
            else:
                return

    def _moves(self, segment: Moves, plans: Sequence[Plan]) -> None:
        at, rows = 0, segment.rows
        while at < len(rows):
            begin = at
            why, at = self._machine.play(rows, at)
            if at > begin:
                self._recording.moves(Moves(rows[begin:at]))
            if why in (loop.DONE, loop.EXIT, loop.DEAD):
                break
            at = min(at, len(rows) - 1)  # a fetch that is refused has been passed already
            kind = int(rows[at]["kind"])
            if why == loop.FOREIGN and kind == move.REQUEST:
                self._request(plans[int(rows[at]["count"])])
            elif why == loop.FOREIGN and self._machine.patcher_can_move():
                self._recording.moves(Moves(rows[at : at + 1]))
                self._step()
            else:
                raise BadSchedule(
                    f"move {at} is not possible: {move_text.texts(rows[at : at + 1])[0]}"
                )
            at += 1

    def _step(self) -> None:
        self._patcher.step()
        if self._on_step:
            self._on_step()
