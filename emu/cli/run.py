"""textpoke run: boot a kernel and let it run, with its serial line on standard output."""

import sys
from functools import partial
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

INTERRUPTED: Final = 130
"""Exit status: Ctrl-C, as a shell has it (128 + SIGINT)."""

MAX_INPUT: Final = 16 << 20
"""Bytes of --input."""

_STEPS: Final = 2_000_000_000
_EVENTS: Final = 1 << 18
"""Events that are kept for the report, 64 bytes each."""


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
    from emu.cli import resume, session  # noqa: PLC0415 -- loads the machine

    awaited = options.awaited(until)
    _check_targets(save, snapshot)
    given = None if typed is None else _read(typed)
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
    started.machine.events.limit = _EVENTS
    if seed is not None:
        console.note(f"moves are chosen at random from seed {seed}")
    if given is not None:
        started.input(given)
    end: End | None
    if given is None and not as_json and session.possible():
        keep = None if snapshot is None else partial(resume.write, started, snapshot)
        end = session.Session(started, awaited, keep).run(steps or options.MAX_STEPS)
    else:
        if given is None and not as_json and (why_not := session.impossible()):
            console.note(why_not)
        end = _run(started, awaited, steps or _STEPS, quiet=as_json)
    if snapshot is not None:
        resume.write(started, snapshot)
    if save is not None:
        started.schedule().write(save)
    _print(started, end, seed, show_hash=show_hash, as_json=as_json)
    raise typer.Exit(exit_status(started, end))


def _check_targets(save: str | None, snapshot: str | None) -> None:
    """Refuse files that cannot be written, before a long run."""
    from emu.cli import resume  # noqa: PLC0415 -- with the rest
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy

    if save is not None:
        schedule_file.check_target(save)
    if snapshot is not None:
        resume.check_target(snapshot)


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
    from emu.cli.interrupt import Interruptible  # noqa: PLC0415 -- loads the machine
    from emu.machine import compiling  # noqa: PLC0415 -- loads the machine

    def state() -> str | None:
        return None if compiling.busy() else f"{started.machine.retired():,} instructions"

    with Progress(state) as progress, Interruptible(started):

        def show(data: bytes) -> None:
            progress.output(data)
            console.serial(data)

        return started.run(until=until, instructions=steps, on_output=None if quiet else show)


def _print(
    started: "Lab", end: "End | None", seed: int | None, *, show_hash: bool, as_json: bool
) -> None:
    """Print the result, and on standard error how the run ended."""
    if as_json:
        console.document(_summary(started, end, seed, show_hash))
    elif show_hash:
        shown = started.machine.output
        at_begin = not shown or shown.endswith(b"\n")
        console.line(started.hash() if at_begin else f"\n{started.hash()}")
    elif sys.stdout.isatty() and not started.machine.output.endswith((b"\n", b"\r")):
        console.line("")  # what is said now, or a shell's prompt, begins a line of its own
    _tell(started, end, as_json=as_json)


def _tell(started: "Lab", end: "End | None", *, as_json: bool) -> None:
    """Say on standard error how a run ended, where standard output does not."""
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine = started.machine
    if machine.end and machine.exit_value is None:
        console.note(machine.end)
    found = started.report(end) if end else None
    if found is None:
        return
    more = "; --steps raises the bound" if end and end.name == "BOUND" else ""
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
    return {"BOUND": BOUND, "INTERRUPTED": INTERRUPTED}.get(end.name, 0)


def _summary(
    started: "Lab", end: "End | None", seed: int | None, with_hash: bool
) -> dict[str, object]:
    from emu.cli import report  # noqa: PLC0415 -- loads the machine

    machine, found = started.machine, started.report(end) if end else None
    return {
        "status": exit_status(started, end),
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
