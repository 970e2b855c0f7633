"""What there is to read is new so often, and exact when the machine stands still."""

from collections.abc import Callable
from itertools import count, pairwise

import pytest

from emu.errors import TextpokeError
from emu.lab.player import Player
from emu.lab.scenario import Scenario
from gui.bridge import Bridge
from gui.command_queue import CommandQueue
from gui.commands import Begin, Command, Look, NextFailure, NextPhase, Pause, Play, Quit
from gui.frame import Frame
from gui.worker import READ, Worker

pytestmark = [pytest.mark.screen, pytest.mark.usefixtures("qapp")]

FRAMES = 8


class Recorder(Bridge):
    """A bridge whose window takes every frame at once, changes what it looks at, and pauses."""

    def __init__(self, queue: CommandQueue) -> None:
        super().__init__()
        self.queue = queue
        self.frames: list[Frame] = []

    def publish(self, frame: Frame) -> None:
        self.frames.append(frame)
        if len(self.frames) == FRAMES // 2:
            self.queue.put(Look(frozenset({"tasks"})))
        elif len(self.frames) == FRAMES:
            self.queue.put(Pause())
            self.queue.put(Quit())


def played(clock: Callable[[], float]) -> list[Frame]:
    """Return the frames of a run, to its pause."""
    queue = CommandQueue()
    bridge = Recorder(queue)
    queue.put(Begin(Scenario(seed=3)))
    queue.put(Play(1_000_000))
    Worker(queue, bridge, clock).run()
    return bridge.frames


def test_while_it_runs_a_scene_is_for_some_frames_and_for_what_is_looked_at() -> None:
    frames = played(lambda: 0.0)
    running, paused = frames[2:-1], frames[-1]
    assert [frame.state for frame in frames[1:]] == ["running"] * (FRAMES - 1) + ["paused"]
    assert all(one.edge <= other.edge for one, other in pairwise(frames))
    assert running[0].edge < running[-1].edge
    scenes = [frame.scene for frame in running if frame.scene]
    assert len({id(scene) for scene in scenes}) == 2  # before it was looked at tasks, and after
    assert scenes[0].tasks is None
    assert scenes[-1].tasks
    assert paused.scene
    assert paused.scene.time == paused.position == paused.edge > scenes[-1].time


def test_a_scene_that_people_had_time_to_read_is_followed_by_another() -> None:
    reads = count()
    frames = played(lambda: next(reads) * 2 * READ)
    scenes = [frame.scene for frame in frames]
    assert len({id(scene) for scene in scenes}) == len(frames)
    assert all(frame.scene and frame.scene.time == frame.position for frame in frames)


@pytest.mark.parametrize("first", [NextPhase(), NextFailure()])
def test_a_frame_that_cannot_be_made_is_told_of_and_the_thread_lives_on(
    first: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_player: Player) -> None:
        raise TextpokeError("refused")

    def broken(*_args: object) -> None:
        raise ZeroDivisionError("on purpose")

    queue = CommandQueue()
    bridge = Recorder(queue)
    failed: list[BaseException] = []
    crashed: list[BaseException] = []
    bridge.failed.connect(failed.append)

    def crash(error: BaseException) -> None:
        crashed.append(error)
        queue.put(first if len(crashed) == 1 else Quit())

    bridge.crashed.connect(crash)
    player = Player.live(Scenario(seed=3))
    monkeypatch.setattr(Player, "live", lambda _scenario, _on_piece: player)
    monkeypatch.setattr(Player, "next_failure", refused)
    monkeypatch.setattr(Player, "next_phase", lambda _player: None)
    with monkeypatch.context() as patched:
        patched.setattr(player, "scene", broken)
        queue.put(Begin(player.scenario))
        worker = Worker(queue, bridge)
        worker.run()
    assert [type(error) for error in crashed] == [ZeroDivisionError] * 2
    assert [str(error) for error in failed] == ["refused"] * isinstance(first, NextFailure)
    assert not bridge.frames
    bridge.shown.connect(lambda: queue.put(Quit()))
    queue.put(Look())
    worker.run()
    assert [frame.state for frame in bridge.frames] == ["paused"]
