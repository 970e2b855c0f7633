"""The demo as a performance: a lab, its tour, and a stage on which scenes are shown.

Live, the moves are chosen at random from a seed; a recorded break is a schedule that comes with
textpoke, played move by move. Both show the same pictures.
"""

import contextlib

from rich.console import Console
from rich.text import Text

from emu.cli import pictures
from emu.cli.console import shown
from emu.cli.terminal import forget_typed
from emu.lab import Lab, boot, scenario
from emu.machine.engines import COMPILED
from emu.moves.plan import Plan
from emu.moves.schedule import Schedule
from emu.patch import breaks
from emu.scene.scene import Scene
from emu.scene.tour import Tour

IN_PLACE, BETWEEN = 100_000, 5_000  # instructions of all cores
ROUNDS = 50  # of a broken protocol, before we say that this seed does not show it


class Left(Exception):  # noqa: N818 -- no error: somebody pressed q
    """The audience has seen enough."""


class _Console(Console):
    """Rich's console, but a reader who has gone is everybody's BrokenPipeError."""

    def on_broken_pipe(self) -> None:
        """Let `main` end the command as it does everywhere."""
        raise BrokenPipeError


class Stage:
    """Where scenes are shown. quiet: nowhere. wait: for Enter after each."""

    def __init__(self, *, quiet: bool, wait: bool) -> None:
        self._console = _Console(quiet=quiet, soft_wrap=False)
        self._wait = wait
        self._asked = False

    def say(self, text: str, style: str = "") -> None:
        """Print a sentence."""
        self._console.print(Text(text, style), highlight=False)

    def legend(self) -> None:
        """Print what the brackets mean, and which bytes a core's row shows."""
        self._console.print(pictures.legend(), highlight=False)

    def show(self, scene: Scene) -> None:
        """Print a scene, and wait if there is somebody to wait for. Raises Left."""
        pictures.show(self._console, pictures.picture(scene))
        if self._wait and self._answer() == "q":
            raise Left

    def _answer(self) -> str:
        if not self._asked:
            forget_typed()  # while the kernel booted: it answers no question
        self._asked = True
        try:
            return self._console.input("[dim]Enter: go on, q: leave[/dim] ").strip()
        except EOFError:
            return "q"


def perform(
    stage: Stage, *, model: str, seed: int, cores: int, broken: str | None, engine: str = COMPILED
) -> Lab:
    """Boot, patch in, run, patch out; returns the lab with what the detectors saw."""
    if broken:
        breaks.check(broken)
    lab = boot("toy", cores=cores, append="load", model=model, seed=seed, engine=engine)
    names = scenario.shown(broken, model)
    _announce(stage, lab, names, f"seed {seed}", broken)
    lab.run_until_tasks()
    lab.run(instructions=scenario.WARM_UP)
    redirects = [lab.arena.redirect(name, scenario.REPLACEMENT[name]) for name in names]
    detectors = lab.watch(redirects)
    tour = Tour(lab.guest, lab.patcher, detectors.watched)
    try:
        stage.show(tour.picture("before", "All cores run tasks, and these tasks call it."))
        _walk(stage, lab, tour, lab.plan(redirects, inward=True, broken=broken)[0])
        rounds = ROUNDS if broken else 1
        for number in range(rounds):
            lab.run(instructions=IN_PLACE if number == 0 else BETWEEN)
            if not (lab.machine.alive and lab.patcher.done) or (number and lab.verdict().status):
                break
            lab.carry_out(lab.plan(redirects, inward=False)[0])
            if number == 0 and lab.machine.alive:
                stage.show(
                    tour.picture("given back", "The function was given back in the same way.")
                )
            if not broken or lab.verdict().status or not lab.machine.alive:
                break
            if number == 0:
                stage.say(f"Nothing went wrong yet: the same again, up to {ROUNDS} times.")
            again = lab.plan(redirects, inward=True, broken=broken)[0]
            lab.carry_out(again)
    except Left:
        pass
    _epilogue(stage, lab)
    return lab


def play(
    stage: Stage, recorded: Schedule, broken: str | None = None, engine: str = COMPILED
) -> Lab:
    """Play a schedule for the toy kernel with pictures of its first plan."""
    setup = recorded.machine
    lab = boot(
        "toy",
        cores=setup.cores,
        ram_mib=setup.ram_mib,
        append=setup.command_line,
        model=setup.model,
        clock=setup.clock,
        engine=engine,
    )
    recorded.check_image(lab.image.boot_image.sha256, lab.image.name)
    names = tuple(lab.image.symbols.describe(c.address) for c in recorded.plans[0].changes)
    _announce(stage, lab, names, "a recorded run", broken)
    tours: list[Tour] = []

    def after_step() -> None:
        if not tours and lab.detectors:
            tours.append(Tour(lab.guest, lab.patcher, lab.detectors.watched))
        if lab.patcher.requests == 1 and (scene := tours[0].after_step()):
            stage.show(scene)

    with contextlib.suppress(Left):
        lab.replay(recorded, after_step)
    _epilogue(stage, lab)
    return lab


def _walk(stage: Stage, lab: Lab, tour: Tour, plan: Plan) -> None:
    """Let the patcher carry out a plan and show every phase."""

    def stop() -> bool:
        if scene := tour.after_step():
            stage.show(scene)
        return lab.patcher.done

    lab.request(plan)
    lab.run(stop=stop)


def _announce(
    stage: Stage, lab: Lab, names: tuple[str, ...], chosen: str, broken: str | None
) -> None:
    stage.say(
        f"{' and '.join(names)} of {lab.image.name} is rewritten while {_cores(lab)} it. "
        f"Fetch model {lab.machine.model}, {chosen}.",
        "bold",
    )
    if broken:
        stage.say(f"Broken on purpose ({broken}): {breaks.EXPLANATIONS[broken]}.", "bold yellow")
    stage.legend()


def _cores(lab: Lab) -> str:
    return "one core executes" if lab.machine.cores == 1 else f"{lab.machine.cores} cores execute"


def _epilogue(stage: Stage, lab: Lab) -> None:
    lab.drain()
    lab.verdict()
    for tear in lab.detectors.fetches.tears if lab.detectors else ():
        does = "does what neither of the two does" if tear.harmful else "does no harm by chance"
        stage.say(
            f"Core {tear.core} executed {tear.code.hex(' ')} at {tear.function}, which nobody "
            f"wrote: it {does}.",
            "bold red",
        )
    if not lab.machine.alive:
        last = shown(bytes(lab.machine.output)).strip().splitlines()[-1:]
        text = f' Its last words: "{last[0]}".' if last else ""
        stage.say(f"The kernel has died.{text}", "bold red")
