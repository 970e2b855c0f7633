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

_EVENTS: Final = 1 << 18
"""Events that are kept for the report, 64 bytes each."""


def run(
    image: options.Image,
    cores: options.Cores = 4,
    seed: options.Seed = None,
    faults: options.Faults = None,
    model: options.Model = "sdm",
    clock: options.Clock = "counted",
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

    A run that does not end by itself is reported on standard error: where each core stands, the
    last exceptions it took, and the last 32 moves.

    Exit status: 0 the text of --until was seen, 2 bad input, 4 the guest died, 6 the bound of
    --steps was reached, (V << 1) | 1 the guest wrote V to the debug-exit port.
    """
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    awaited = options.awaited(until)
    if save is not None:
        schedule_file.check_target(save)
    started = lab.boot(
        image,
        cores=cores,
        ram_mib=ram,
        append=append,
        model=model,
        clock=clock,
        seed=seed,
        faults=faults or 0,
        engine=engine,
    )
    started.machine.events.limit = _EVENTS
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
    _tell(started, end, as_json=as_json)
    raise typer.Exit(exit_status(started, end))


def _tell(started: "Lab", end: "End", *, as_json: bool) -> None:
    """Say on standard error how a run ended that has no end of its own."""
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    found = started.report(end)
    if found is None:
        return
    more = ": --steps raises it" if end.name == "BOUND" else ""
    console.note(f"{found.sentence}{more}")
    for line in () if as_json else report.lines(found):
        console.note_more(line)


def exit_status(started: "Lab", end: "End") -> int:
    """Return the exit status of a run."""
    if end.name == "EXIT":
        value = started.machine.exit_value or 0
        return (value << 1 | 1) & 0xFF  # as QEMU's isa-debug-exit (hw/misc/debugexit.c)
    if end.name in ("DIED", "STUCK"):
        return GuestDied.status
    return BOUND if end.name == "BOUND" else 0


def _summary(started: "Lab", end: "End", seed: int | None, with_hash: bool) -> dict[str, object]:
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine, found = started.machine, started.report(end)
    return {
        "end": end.name.lower(),
        "exit_value": machine.exit_value,
        "instructions": machine.retired(),
        "moves": machine.moves,
        "virtual_ns": machine.now,
        "seed": seed,
        "serial": machine.output.decode(errors="backslashreplace"),
        "hash": started.hash() if with_hash else None,
        "report": report.document(found) if found else None,
    }
