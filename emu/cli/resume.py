"""--from and --snapshot: a run that goes on from a machine on disk, or leaves it there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import typer

from emu.cli import console, options
from emu.errors import TextpokeError

if TYPE_CHECKING:
    from emu.lab import Lab

DECIDED: Final = {
    "cores": "--cores",
    "ram": "--ram",
    "append": "--append",
    "model": "--model",
    "clock": "--clock",
}
"""What was decided when the machine was switched on."""


def check(
    context: typer.Context, save: str | None, more: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Refuse options that make no sense with --from.

    more: what else a verb decides when the machine is switched on, by its parameter.
    """
    decided = {**DECIDED, **more}
    options.refuse(context, decided, "was decided when the machine was switched on: leave it")
    if save is not None:
        raise TextpokeError(
            "--save writes the moves since the machine was switched on, and --from does not know "
            "them: save the run that writes the snapshot"
        )


def write(lab: "Lab", path: str, verb: str) -> None:
    """Write the machine to a file, if it can go on from there; says what it does.

    verb: which goes on with it.
    """
    from emu.machine import snapshot_file  # noqa: PLC0415 -- loads numpy

    if not lab.machine.alive:
        console.note("the machine has ended: there is nothing to write a snapshot of")
        return
    snapshot_file.write(lab.machine.save(), path)
    console.note(f"the machine is in {path}: textpoke {verb} --from goes on with it")


def check_target(path: str) -> None:
    """Refuse a file that a snapshot cannot be written to, before a long run."""
    from emu import whole_file  # noqa: PLC0415 -- with the rest
    from emu.errors import BadSnapshot  # noqa: PLC0415 -- with the rest

    whole_file.check_target(path, "a snapshot", BadSnapshot)
