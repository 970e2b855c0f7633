"""textpoke replay: make the moves of a schedule again and compare where they end."""

from typing import TYPE_CHECKING, Annotated

import typer

from emu import resources
from emu.cli import console, options, running

if TYPE_CHECKING:
    from emu.lab import Lab
    from emu.moves.schedule import Schedule

File = Annotated[str, typer.Argument(metavar="FILE", help="A schedule.")]
ImageOfRun = Annotated[
    str, typer.Argument(metavar="IMAGE", help='The kernel it was made with: a path, or "toy".')
]
Fetched = Annotated[
    str | None,
    typer.Option(
        "--fetches",
        metavar="A..B",
        help="Instead, print the instructions executed from number A to before B: number, core, "
        "address, function, bytes.",
    ),
]


def replay(
    file: File,
    image: ImageOfRun = "toy",
    engine: options.Engine = "compiled",
    show_hash: options.Hash = False,
    save: options.Save = None,
    fetched: Fetched = None,
    as_json: options.Json = False,
) -> None:
    """Make the moves of a schedule again; says whether they end in the same state.

    Exit status: 0 safe, 2 bad input or another end state, 4 the guest died, 6 it ends before the
    patcher does, 8 HAZARD, 10 torn, 12 lost or late, 14 unhandled int3, 16 harmful; the highest
    wins.
    """
    from emu.errors import BadSchedule  # noqa: PLC0415 -- with the rest
    from emu.lab import COMMAND_LINE, boot  # noqa: PLC0415 -- loads the machine
    from emu.moves import schedule_file  # noqa: PLC0415 -- loads numpy
    from emu.moves.schedule import Schedule  # noqa: PLC0415 -- loads numpy

    recorded = Schedule.read(file)
    if fetched is not None:
        _fetches(recorded, image, fetched, as_json)
        return
    if save is not None:
        schedule_file.check_target(save)
    setup = recorded.machine
    if setup.command_line.startswith(COMMAND_LINE) and image == "toy":
        raise BadSchedule(
            f"{file}: a run of Linux: textpoke linux --replay FILE, with the kernel, --script and "
            "--with it was saved with"
        )
    lab = boot(
        image,
        cores=setup.cores,
        ram_mib=setup.ram_mib,
        append=setup.command_line,
        model=setup.model,
        clock=setup.clock,
        sha256=recorded.check_image,
        engine=engine,
    )
    raise typer.Exit(make_again(lab, file, recorded, save, show_hash=show_hash, as_json=as_json))


def make_again(
    lab: "Lab", file: str, recorded: "Schedule", save: str | None, *, show_hash: bool, as_json: bool
) -> int:
    """Make the moves of a schedule on a machine that was just switched on, and say what came.

    Returns the exit status. Raises BadSchedule if they end in another state.
    """
    from emu.cli import verdicts  # noqa: PLC0415 -- loads the machine
    from emu.errors import GuestDied  # noqa: PLC0415 -- with the rest

    lab.replay(recorded)
    end_hash, verdict = lab.hash(), lab.verdict() if lab.detectors else None
    _check_end(file, recorded, end_hash, verdict.name if verdict else None)
    if save is not None:
        lab.schedule().write(save)
    end = lab.ended()
    died = lab.report(end) if end else None
    status = verdicts.status(lab, verdict) if verdict else GuestDied.status if died else 0
    cut = not lab.patcher.done
    status = max(status, (GuestDied.status if end else running.BOUND) if cut else 0)
    if cut and not as_json:
        console.note(f"the run ends before the patcher does, {lab.patcher.where}")
    if as_json:
        result = {"verdict": None, "status": status, "hash": end_hash}
        console.document(verdicts.document(lab, verdict, status) if verdict else result)
    elif verdict:
        verdicts.tell(verdict, alive=lab.machine.alive)
    if died and not as_json:
        console.note(died.sentence)
    if not as_json and recorded.end and recorded.end.hash:
        console.line("the run ended in the state that the schedule says")
    if show_hash and not as_json:
        console.line(end_hash)
    return status


def _check_end(file: str, recorded: "Schedule", end_hash: str, verdict: str | None) -> None:
    """Raise BadSchedule unless the run ended as the schedule says."""
    from emu.errors import BadSchedule  # noqa: PLC0415 -- with the rest

    said = recorded.end
    if said and said.hash and said.hash != end_hash:
        raise BadSchedule(
            f"{file}: the run ended in state {end_hash}, the schedule says {said.hash}"
        )
    if said and said.verdict and verdict and said.verdict != verdict:
        raise BadSchedule(f"{file}: the verdict is {verdict}, the schedule says {said.verdict}")


def _fetches(recorded: "Schedule", image: str, interval: str, as_json: bool) -> None:
    from emu.cli import fetches  # noqa: PLC0415 -- loads the machine
    from emu.image.elf import ElfImage  # noqa: PLC0415 -- with the rest

    begin, end = fetches.interval(interval)
    fetches.show(ElfImage.read(resources.image_path(image)), recorded, begin, end, as_json=as_json)
