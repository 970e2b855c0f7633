"""Every fetch of an interval of a run, by replay.

Fetches are too many to be kept while people watch. But a run is its moves: made again from
power-on, without a trace up to the interval and with one inside it, they give every fetch that
there was. The machine notes only, so the fetches are the same whoever asks, and however often.

Points of a run are instructions retired by all cores since power-on, and so are the numbers of
fetches: [begin, end) are the fetches with these numbers, wherever the moves begin and end.
"""

from emu.errors import TextpokeError
from emu.guest.of import guest_of
from emu.image.elf import ElfImage
from emu.machine.fetches import Fetches
from emu.machine.hashing import state_hash
from emu.machine.machine import Machine
from emu.moves.chooser import round_robin
from emu.moves.schedule import Schedule
from emu.patch.patcher import Patcher
from emu.timeline.recording import Recording
from emu.timeline.replay import Replay


class Interval:
    """Traces a machine from one point of its run to another; the `pace` of a Replay."""

    def __init__(self, machine: Machine, begin: int, end: int) -> None:
        if not 0 <= begin <= end:
            raise TextpokeError(f"fetches {begin} to {end}: an interval begins at 0 or later")
        self._machine, self._begin, self._end = machine, begin, end
        self._traced = False

    def pace(self, longest: int) -> int:
        """Return how many moves of at most so many instructions may be made until asked again."""
        done = self._machine.retired()
        if done >= self._end:
            return 0
        before = (self._begin - done) // max(longest, 1)
        if before <= 0 and not self._traced:
            self._machine.trace(begin=self._begin, end=self._end)
            self._traced = True
        if self._traced:
            before = (self._end - done) // max(longest, 1)
        return max(before, 1)


def fetches(image: ElfImage, recorded: Schedule, begin: int, end: int) -> Fetches:
    """Return the fetches numbered [begin, end) of a run; fewer if it ends before.

    image: what the schedule was made with. Raises TextpokeError if there is no such interval, and
    BadSchedule if the schedule is for another image or a move of it is not possible.
    """
    recorded.check_image(image.boot_image.sha256, image.name)
    setup = recorded.machine
    machine = Machine(
        image.boot_image,
        cores=setup.cores,
        ram_mib=setup.ram_mib,
        command_line=setup.command_line,
        model=setup.model,
        clock=setup.clock,
    )
    interval = Interval(machine, begin, end)
    patcher = Patcher(guest_of(machine, image))
    Replay(
        machine,
        patcher,
        Recording(round_robin()),
        request=patcher.request,
        state_hash=lambda: state_hash(machine, patcher.state()),
        on_drained=lambda _begin: None,
        pace=interval.pace,
    ).play(recorded)
    return machine.fetches
