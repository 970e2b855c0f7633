"""textpoke run: boot a kernel and let it run, with its serial line on standard output."""

from typing import TYPE_CHECKING, Final

import typer

from emu.cli import console, options
from emu.cli.progress import Progress
from emu.errors import GuestDied

if TYPE_CHECKING:
    from emu.lab import End, Lab

BOUND: Final = 6
"""Exit status: the bound was reached before the end that was asked for."""


def run(
    image: options.Image,
    cores: options.Cores = 4,
    seed: options.Seed = None,
    model: options.Model = "sdm",
    engine: options.Engine = "compiled",
    append: options.Append = "",
    ram: options.Ram = 64,
    until: options.Until = None,
    steps: options.Steps = 2_000_000_000,
    show_hash: options.Hash = False,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel; its serial line is standard output.

    Exit status: 0 the text of --until was seen, 2 bad input, 4 the guest died, 6 the bound of
    --steps was reached, (V << 1) | 1 the guest wrote V to the debug-exit port.
    """
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    awaited = options.awaited(until)
    if save is not None:
        schedule_file.check_target(save)
    started = lab.boot(
        image, cores=cores, ram_mib=ram, append=append, model=model, seed=seed, engine=engine
    )
    if seed is not None:
        console.note(f"moves are chosen at random from seed {seed}")
    last = b"\n"
    with Progress(lambda: f"{started.machine.retired():,} instructions") as progress:

        def show(data: bytes) -> None:
            nonlocal last
            last = data[-1:]
            progress.output()
            console.serial(data)

        end = started.run(
            until=awaited,
            instructions=steps,
            on_output=None if as_json else show,
        )
    if save is not None:
        started.schedule().write(save)
    if as_json:
        console.document(_summary(started, end, seed, show_hash))
    elif show_hash:
        console.line(started.hash() if last == b"\n" else f"\n{started.hash()}")
    status = exit_status(started, end)
    if status == BOUND:
        console.note(f"the bound of {steps:,} instructions was reached: --steps raises it")
    raise typer.Exit(status)


def exit_status(started: "Lab", end: "End") -> int:
    """Return the exit status of a run; GuestDied if it ended badly."""
    if end.name == "EXIT":
        value = started.machine.exit_value or 0
        return (value << 1 | 1) & 0xFF  # as QEMU's isa-debug-exit (hw/misc/debugexit.c)
    if end.name in ("DIED", "STUCK"):
        raise GuestDied(started.why(end))
    return BOUND if end.name == "BOUND" else 0


def _summary(started: "Lab", end: "End", seed: int | None, with_hash: bool) -> dict[str, object]:
    machine = started.machine
    return {
        "end": end.name.lower(),
        "exit_value": machine.exit_value,
        "instructions": machine.retired(),
        "moves": machine.moves,
        "virtual_ns": machine.now,
        "seed": seed,
        "serial": machine.output.decode(errors="backslashreplace"),
        "hash": started.hash() if with_hash else None,
    }
