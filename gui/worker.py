"""The machine's thread: it obeys commands, plays, and publishes frames. It knows no widget."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, assert_never

from emu.errors import TextpokeError
from emu.lab.lab import Lab
from emu.lab.player import Player
from emu.scene.scene import Scene
from gui import commands
from gui.command_queue import CommandQueue
from gui.commands import Command
from gui.frame import Frame, State
from gui.pace import Pace

if TYPE_CHECKING:
    from gui.bridge import Bridge

READ: Final = 0.2
"""Seconds from one scene to the next while the machine runs.

A scene is for reading: sentences, tasks, bytes, code. To make one and to paint it costs both
threads together some 30 ms of Python, of which only one runs at a time, and a frame has 16. Nobody
reads faster; what one can follow with the eyes, the timeline, is new in each frame.
"""


class _Dropped(Exception):  # noqa: N818 -- no error
    """What goes on is not wanted any more."""


class Worker:
    """What runs in the thread. clock: seconds, of real time."""

    def __init__(
        self,
        queue: CommandQueue,
        bridge: "Bridge",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._queue, self._bridge, self._clock = queue, bridge, clock
        self._scene: Scene | None = None  # None: what was made is out of date
        self._made = 0.0  # when it was
        self._player: Player | None = None
        self._look = commands.Look()
        self._pace: Pace | None = None  # while it plays
        self._message = ""
        self._number = self._obeyed = 0

    def run(self) -> None:
        """Obey commands until Quit."""
        while True:
            if self._player is not None:
                self._player.lab.run(instructions=0)  # an interrupt of what is over is forgotten
            nap = None if self._pace is None else self._pace.nap
            taken = self._queue.get(nap)
            command = None
            if taken is not None:
                self._obeyed, command = taken
            if isinstance(command, commands.Quit):
                return
            try:
                if command is None:
                    self._play()
                else:
                    self._obey(command)
                    self._publish()
            except _Dropped:
                continue
            except TextpokeError as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 -- the window says it, whatever it is
                self._crash(error)

    def _fail(self, error: TextpokeError) -> None:
        """Tell of what cannot be done, and show where one stands then, if that can be shown."""
        self._stand_still()
        self._message = str(error)
        self._bridge.failed.emit(error)
        try:
            self._publish()
        except Exception as crash:  # noqa: BLE001 -- as in `run`: this thread must live on
            self._crash(crash)

    def _crash(self, error: Exception) -> None:
        self._stand_still()
        self._bridge.crashed.emit(error)

    def interrupt(self) -> None:
        """Let what goes on end between two moves. Called by the other thread."""
        player = self._player
        if player is not None:
            player.lab.interrupt()

    def _obey(self, command: Command) -> None:  # noqa: C901, PLR0912 -- one for each command
        self._message, self._scene = "", None
        match command:
            case commands.Look():
                self._look = command
            case commands.Begin(scenario):
                self._stand_still()
                self._begin(Player.live(scenario, self._booting))
            case commands.Open(schedule, scenario):
                self._stand_still()
                self._begin(Player.recorded(schedule, scenario))
            case commands.Pause():
                self._stand_still()
            case commands.Play(speed):
                self._pace = Pace(speed)
            case commands.Quit():
                raise AssertionError
            case _ if self._player is None:
                return
            case commands.Step(actor):
                self._player.step(actor)
            case commands.Back(core):
                self._player.back(core)
            case commands.NextPhase():
                self._player.next_phase()
                self._announce()
            case commands.NextFailure():
                self._player.next_failure()
            case commands.PreviousPhase():
                self._player.previous_phase()
                self._announce()
            case commands.GoTo(at):
                self._go(self._player, at)
            case commands.GoToPhase(phase):
                self._player.go_to_phase(phase)
                self._announce()
            case commands.Type(data):
                self._player.type(data)
            case commands.Save(path):
                self._player.save(path)
                self._message = f"written: {path}"
            case _:
                assert_never(command)

    def _booting(self, lab: Lab) -> None:
        """Tell how far a kernel is that boots; raises _Dropped if something else is asked for."""
        if self._queue.urgent:
            raise _Dropped
        made, ms = lab.machine.retired(), lab.machine.now // 1_000_000
        self._bridge.booting.emit(
            f"The kernel boots: {made // 1_000_000:,} million instructions, {ms:,} ms of its time."
        )

    def _go(self, player: Player, time: int | None) -> None:
        if time is None:
            player.go_to_edge()
        else:
            player.go(time)

    def _begin(self, player: Player) -> None:
        self._player = player
        self._bridge.begun.emit(player.scenario)

    def _play(self) -> None:
        """Go on for as long as is due, and publish if the window is ready for more."""
        if self._pace is None or self._player is None:
            self._stand_still()
            return
        due = self._pace.due()
        if due:
            before = time.perf_counter()
            goes_on = self._player.play(due)
            self._pace.took(time.perf_counter() - before)
            if not goes_on:
                self._stand_still()
                self._publish()
                return
        if self._bridge.wants_frame:
            self._publish()

    def _stand_still(self) -> None:
        if self._pace is not None:
            self._pace = None
            self._bridge.paused.emit()

    def _announce(self) -> None:
        phase = self._player.phase if self._player else None
        if phase:
            self._bridge.phase.emit(phase)

    def _publish(self) -> None:
        player = self._player
        if player is None:
            return
        self._number += 1
        self._bridge.publish(
            Frame(
                number=self._number,
                obeyed=self._obeyed,
                state=self._state(player),
                scene=self._scene_of(player),
                position=player.moment.time,
                edge=player.lab.machine.now,
                lanes=player.lanes(),
                log=player.log(),
                message=self._message,
            )
        )
        if self._pace is None:
            self._bridge.shown.emit()

    def _scene_of(self, player: Player) -> Scene:
        """Return where the player stands: while it runs the scene made before, up to `READ`."""
        scene, now = self._scene, self._clock()
        if scene is None or self._pace is None or now - self._made >= READ:
            scene = player.scene(self._look.needs, self._look.address)
            self._scene, self._made = scene, now
        return scene

    def _state(self, player: Player) -> State:
        if self._pace is not None:
            return "running"
        return "ended" if player.end is not None and player.at_edge else "paused"
