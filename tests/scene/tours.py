"""Scenes of recorded breaks, each with what the machine was like when it was taken."""

from collections.abc import Callable

from emu import resources
from emu.lab import Lab, boot
from emu.moves.plan import Plan
from emu.moves.schedule import Schedule
from emu.scene.scene import Scene
from emu.scene.tour import Tour

Look = Callable[[Lab, Plan, Scene], None]


def of_recorded(name: str, model: str, look: Look) -> list[Scene]:
    """Replay a break; `look` is called at every scene. Returns the scenes."""
    path = resources.schedule(f"{name}-{model}")
    assert path is not None
    recorded = Schedule.read(path)
    setup = recorded.machine
    lab = boot("toy", cores=setup.cores, append=setup.command_line, model=setup.model)
    tours: list[Tour] = []
    scenes: list[Scene] = []

    def after_step() -> None:
        if not tours and lab.detectors:
            tours.append(Tour(lab.guest, lab.patcher, lab.detectors.watched))
        if lab.patcher.requests == 1 and (scene := tours[0].after_step()):
            scenes.append(scene)
            look(lab, recorded.plans[0], scene)

    lab.replay(recorded, after_step)
    return scenes
