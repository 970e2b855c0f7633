"""textpoke demo: watch a function of a running kernel being rewritten, phase by phase."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from emu.cli import console, options

if TYPE_CHECKING:
    from emu.lab import Lab

Auto = Annotated[bool, typer.Option("--auto", help="Do not wait for Enter after each phase.")]
Break = Annotated[
    str | None,
    typer.Option(
        "--break",
        metavar="NAME",
        help="Break the protocol: arm, int3, sync1, tail-first, head-first, sync2, sync3, "
        "unsorted, emulate, missed-core or drain.",
    ),
]


def demo(
    auto: Auto = False,
    broken: Break = None,
    model: options.Model = "sdm",
    engine: options.Engine = "compiled",
    seed: options.RandomSeed = None,
    cores: options.Cores = 4,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Show how a function of a running kernel is rewritten while all cores execute it.

    Enter goes on to the next phase, q and Enter leaves. Without --seed, a broken protocol is
    shown by a recorded run in which it fails, where there is one.

    Exit status: 0 safe, 8 HAZARD, 10 torn, 12 lost or late, 14 unhandled int3, 16 harmful; the
    highest wins.
    """
    from emu.cli import show  # noqa: PLC0415 -- loads the machine
    from emu.lab import scenario  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    if save is not None:
        schedule_file.check_target(save)
    wait = not (auto or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    stage = show.Stage(quiet=as_json, wait=wait)
    recorded = scenario.recorded_break(broken, model) if seed is None and cores == 4 else None
    if recorded is not None:
        lab = show.play(stage, recorded, broken, engine)
    else:
        lab = show.perform(
            stage,
            model=model,
            seed=1 if seed is None else seed,
            cores=cores,
            broken=broken,
            engine=engine,
        )
    _finish(lab, save, as_json)


def _finish(lab: "Lab", save: str | None, as_json: bool) -> None:
    from emu.cli import verdicts  # noqa: PLC0415 -- loads the machine

    verdict = lab.verdict()
    status = verdicts.status(lab, verdict)
    if save is not None:
        lab.schedule().write(save)
    if as_json:
        console.document(verdicts.document(lab, verdict, status))
    else:
        verdicts.tell(verdict, alive=lab.machine.alive)
    raise typer.Exit(status)
