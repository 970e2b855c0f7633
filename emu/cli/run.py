"""textpoke run: boot a kernel and let it run, with its serial line on standard output."""

import typer

from emu.cli import options, running


def run(
    context: typer.Context,
    image: options.ImageOrNone = None,
    origin: options.From = None,
    cores: options.Cores = 4,
    seed: options.Seed = None,
    faults: options.Faults = None,
    model: options.Model = "sdm",
    clock: options.Clock = "counted",
    engine: options.Engine = "compiled",
    append: options.Append = "",
    ram: options.Ram = 64,
    typed: options.Input = None,
    until: options.Until = None,
    steps: options.EndlessSteps = None,
    show_hash: options.Hash = False,
    snapshot: options.Snapshot = None,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel, or go on from a snapshot; its serial line is standard output.

    At a terminal, what you type is what its serial line receives: Ctrl-A X leaves, Ctrl-A H
    helps, and Ctrl-C goes to the guest. Elsewhere Ctrl-C ends the run as its bound would, with what
    --save and --snapshot ask for. A run that does not end by itself is reported on standard error:
    where each core stands, the last exceptions it took, and the last 32 moves.

    Exit status: 0 the text of --until was seen, the guest reset the machine or switched it off,
    or you left; 2 bad input, 4 the guest died, 6 the bound of --steps was reached, 130
    interrupted, (V << 1) | 1 the guest wrote V to the debug-exit port.
    """
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.cli import resume  # noqa: PLC0415 -- loads the machine

    wanted = running.Running(
        "run",
        until=options.awaited(until),
        steps=steps,
        typed=running.typed(typed),
        seed=seed,
        snapshot=snapshot,
        save=save,
        show_hash=show_hash,
        as_json=as_json,
    )
    wanted.check_targets()
    if origin is not None:
        resume.check(context, save)
        started = lab.go_on(origin, image, seed=seed, faults=faults or 0, engine=engine)
    else:
        started = lab.boot(
            options.needed(image),
            cores=cores,
            ram_mib=ram,
            append=append,
            model=model,
            clock=clock,
            seed=seed,
            faults=faults or 0,
            engine=engine,
        )
    raise typer.Exit(wanted(started))
