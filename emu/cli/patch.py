"""textpoke patch: give a function of a running kernel a new body, and count what happened."""

from pathlib import Path
from typing import Annotated

import typer

from emu.cli import console, options, run
from emu.errors import BadAssembly, GuestDied

MAX_SOURCE = 1 << 20

Function = Annotated[str, typer.Argument(metavar="FUNCTION", help="The function to redirect.")]
With = Annotated[
    Path,
    typer.Option("--with", metavar="FILE.s", help="Its replacement, in assembly, Intel syntax."),
]


def patch(
    image: options.Image,
    function: Function,
    source: With,
    cores: options.Cores = 4,
    seed: options.RandomSeed = 1,
    model: options.Model = "sdm",
    engine: options.Engine = "compiled",
    append: options.Append = "",
    ram: options.Ram = 64,
    until: options.Until = None,
    steps: options.Steps = 10_000_000,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel, redirect a function once all cores run tasks, and count.

    The kernel meets kernels/include/poke.h. --steps counts from the moment the patch is in.

    Exit status: 0 safe, 2 bad input, 4 the guest died, 6 --until was not seen, 8 HAZARD, 10 torn,
    12 lost or late, 14 unhandled int3, 16 harmful; the highest wins.
    """
    from emu.cli import verdicts  # noqa: PLC0415 -- loads the machine
    from emu.lab import End, boot  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    text, awaited = _read(source), options.awaited(until)
    if save is not None:
        schedule_file.check_target(save)
    lab = boot(
        image, cores=cores, ram_mib=ram, append=append, model=model, seed=seed, engine=engine
    )
    redirect = lab.arena.redirect(function, text, source.name)
    if not as_json:
        console.note(f"moves are chosen at random from seed {seed}")
    lab.run_until_tasks()
    end = lab.patch_in([redirect], instructions=steps)
    unfinished = f"the patch was not in, in phase {lab.patcher.phase}"
    if lab.patcher.done and lab.machine.alive:
        unfinished = f"{until!r} was not seen" if until else ""
        end = lab.run(until=awaited, instructions=steps)
        lab.drain()
    verdict = lab.verdict()
    status = verdicts.status(lab, verdict)
    if unfinished and end is not End.TEXT:
        console.note(f"{lab.why(end)}; {unfinished}")
        status = max(status, run.BOUND if end is End.BOUND else GuestDied.status)
    if save is not None:
        lab.schedule().write(save)
    if as_json:
        console.document(verdicts.document(lab, verdict, status, function=function, seed=seed))
    else:
        verdicts.tell(verdict, alive=lab.machine.alive)
    if status == GuestDied.status or (end in (End.DIED, End.STUCK) and status == 0):
        raise GuestDied(lab.why(end))
    raise typer.Exit(status)


def _read(source: Path) -> str:
    try:
        data = source.read_bytes()
    except OSError as error:
        raise BadAssembly(f"{source}: {error.strerror or error}") from None
    if len(data) > MAX_SOURCE:
        raise BadAssembly(
            f"{source}: {len(data):,} bytes; a replacement has at most {MAX_SOURCE:,}"
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadAssembly(f"{source}: not a text file in UTF-8") from None
