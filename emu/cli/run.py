"""textpoke run: boot a kernel and let it run, with its serial line on standard output."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from emu.cli import console, options
from emu.cli.progress import Progress
from emu.errors import GuestDied, TextpokeError

if TYPE_CHECKING:
    from emu.lab import End, Lab

BOUND: Final = 6
"""Exit status: the bound was reached before the end that was asked for."""

MAX_INPUT: Final = 16 << 20
"""Bytes of --input."""

_STEPS: Final = 2_000_000_000
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
    typed: options.Input = None,
    until: options.Until = None,
    steps: options.EndlessSteps = None,
    show_hash: options.Hash = False,
    save: options.Save = None,
    as_json: options.Json = False,
) -> None:
    """Boot a kernel; its serial line is standard output.

    At a terminal, what you type is what its serial line receives: Ctrl-A X leaves, Ctrl-A H
    helps, and Ctrl-C goes to the guest. A run that does not end by itself is reported on standard
    error: where each core stands, the last exceptions it took, and the last 32 moves.

    Exit status: 0 the text of --until was seen, the guest reset the machine or switched it off,
    or you left; 2 bad input, 4 the guest died, 6 the bound of --steps was reached, (V << 1) | 1
    the guest wrote V to the debug-exit port.
    """
    from emu import lab  # noqa: PLC0415 -- loads the machine
    from emu.cli import session  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    awaited = options.awaited(until)
    if save is not None:
        schedule_file.check_target(save)
    given = None if typed is None else _read(typed)
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
    if given is not None:
        started.input(given)
    end: End | None
    if given is None and not as_json and session.possible():
        end = session.Session(started, awaited).run(steps or options.MAX_STEPS)
    else:
        end = _run(started, awaited, steps or _STEPS, quiet=as_json)
    if save is not None:
        started.schedule().write(save)
    if as_json:
        console.document(_summary(started, end, seed, show_hash))
    elif show_hash:
        at_begin = not started.machine.output or started.machine.output.endswith(b"\n")
        console.line(started.hash() if at_begin else f"\n{started.hash()}")
    _tell(started, end, as_json=as_json)
    raise typer.Exit(exit_status(started, end))


def _read(name: str) -> bytes:
    """Return the bytes of --input, a file or - for standard input."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_INPUT + 1) if sys.stdin else b""
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise TextpokeError(f"{name}: {reason or 'cannot be read'}") from None
    if len(data) > MAX_INPUT:
        raise TextpokeError(f"{name}: over {MAX_INPUT >> 20} MiB, too large for --input")
    return data


def _run(started: "Lab", until: bytes | None, steps: int, *, quiet: bool) -> "End":
    """Run with the serial line on standard output, and say on a terminal how far it is."""
    with Progress(lambda: f"{started.machine.retired():,} instructions") as progress:

        def show(data: bytes) -> None:
            progress.output()
            console.serial(data)

        return started.run(until=until, instructions=steps, on_output=None if quiet else show)


def _tell(started: "Lab", end: "End | None", *, as_json: bool) -> None:
    """Say on standard error how a run ended, where standard output does not."""
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine = started.machine
    if machine.end and machine.exit_value is None:
        console.note(machine.end)
    found = started.report(end) if end else None
    if found is None:
        return
    more = ": --steps raises it" if end and end.name == "BOUND" else ""
    console.note(f"{found.sentence}{more}")
    for line in () if as_json else report.lines(found):
        console.note_more(line)


def exit_status(started: "Lab", end: "End | None") -> int:
    """Return the exit status of a run; end is None where somebody left it."""
    if end is None:
        return 0
    if end.name == "EXIT":
        value = started.machine.exit_value
        # debug-exit as in QEMU (hw/misc/debugexit.c); a reset is the end, as with its -no-reboot
        return 0 if value is None else (value << 1 | 1) & 0xFF
    if end.name in ("DIED", "STUCK"):
        return GuestDied.status
    return BOUND if end.name == "BOUND" else 0


def _summary(
    started: "Lab", end: "End | None", seed: int | None, with_hash: bool
) -> dict[str, object]:
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine, found = started.machine, started.report(end) if end else None
    return {
        "end": end.name.lower() if end else "left",
        "ended_by": machine.end,
        "exit_value": machine.exit_value,
        "instructions": machine.retired(),
        "moves": machine.moves,
        "virtual_ns": machine.now,
        "seed": seed,
        "serial": machine.output.decode(errors="backslashreplace"),
        "hash": started.hash() if with_hash else None,
        "report": report.document(found) if found else None,
    }
