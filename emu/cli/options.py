"""Options that several verbs have, so that they are called and mean the same everywhere."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import typer

from emu.errors import TextpokeError

MAX_STEPS: Final = 1 << 62

_COUNT = re.compile(r"\d+(?:_\d+)*(?:\.\d+)?(?:[eE]\+?\d{1,2})?")


def count(text: str | int) -> int:
    """Return a count of instructions as people write it: 2000, 10_000, 1e6, 2.5e9.

    An option's default comes here, too, as the number it is.
    """
    if isinstance(text, int):
        return text
    if len(text) > 40 or not text.isascii() or not _COUNT.fullmatch(text):
        raise typer.BadParameter(f"{text[:40]!r} is not a count: 2000000, 2_000_000 and 2e6 are")
    number = Decimal(text)
    if number != number.to_integral_value() or not 1 <= number <= MAX_STEPS:
        raise typer.BadParameter(f"{text} is not a whole number from 1 to 2**62")
    return int(number)


def awaited(until: str | None) -> bytes | None:
    """Return the text of --until as the bytes a guest sends, whatever bytes they are."""
    if until == "":
        raise typer.BadParameter("--until needs a text to wait for")
    return None if until is None else until.encode(errors="surrogateescape")


def needed(image: str | None) -> str:
    """Return the IMAGE of a verb that can do without it in some cases, in all the others."""
    if image is None:
        raise typer.BadParameter("IMAGE is missing: what shall be booted?")
    return image


def refuse(context: typer.Context, options: Mapping[str, str], why: str) -> None:
    """Raise TextpokeError if one of these options was given, by its parameter and its name."""
    for name, option in options.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise TextpokeError(f"{option} {why}")


Image: TypeAlias = Annotated[
    str, typer.Argument(metavar="IMAGE", help='A kernel that boots by PVH: a path, or "toy".')
]
ImageOrNone: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="IMAGE",
        help='A kernel that boots by PVH or Multiboot: a path, or "toy"; with --from, to name '
        "its functions by.",
        show_default=False,
    ),
]
From: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Go on with the machine of --snapshot; turns, or --seed, begin anew.",
    ),
]
Snapshot: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--snapshot",
        metavar="FILE",
        help="Write the whole machine when the run ends, or is left; at a terminal also by "
        "Ctrl-A S.",
    ),
]
Cores: TypeAlias = Annotated[
    int, typer.Option("--cores", min=1, max=8, metavar="N", help="Cores of the machine, 1 to 8.")
]


def _seed(text: str, *, show_default: bool = True) -> Any:
    return typer.Option(
        "--seed", min=0, max=(1 << 64) - 1, metavar="S", help=text, show_default=show_default
    )


Seed: TypeAlias = Annotated[
    int | None,
    _seed("Choose every move at random from this seed; without it the cores take turns."),
]
RandomSeed: TypeAlias = Annotated[
    int | None,
    _seed("Choose every move at random from this seed, by default 1.", show_default=False),
]
Model: TypeAlias = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="M",
        help="What a core may fetch of changed code: coherent, observed, intel2010 or sdm.",
    ),
]
Engine: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="E",
        help="compiled, or reference: the same run in plain Python, a hundred times slower.",
    ),
]
Clock: TypeAlias = Annotated[
    str,
    typer.Option(
        "--clock",
        metavar="C",
        help="counted: time follows from what is executed; chosen: timers are moves, too.",
    ),
]
Faults: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--faults",
        min=1,
        max=(1 << 32) - 1,
        metavar="N",
        help="Let about one move in N be a lost, late or deaf interrupt; needs --seed.",
    ),
]
Append: TypeAlias = Annotated[
    str, typer.Option("--append", metavar="TEXT", help="The kernel's command line.")
]
Ram: TypeAlias = Annotated[
    int, typer.Option("--ram", min=2, max=3072, metavar="MIB", help="Memory of the machine.")
]
Until: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TEXT",
        help="End when the guest has printed this; what it printed before --from does not count.",
    ),
]
Instant: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TEXT",
        help="Stop when the guest has printed this, rather than when all cores run tasks.",
    ),
]
After: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--steps",
        parser=count,
        metavar="N",
        help="Stop so many instructions of all cores later; by default 100,000 after a boot "
        "without --until, else none.",
    ),
]
Input: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="Let the guest's serial line receive this from the start; - is standard input.",
    ),
]
EndlessSteps: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--steps",
        parser=count,
        metavar="N",
        help="End after so many instructions of all cores, by default 2e9 (linux: 2e10); "
        "at a terminal, never.",
    ),
]
Hash: TypeAlias = Annotated[
    bool, typer.Option("--hash", help="Print the state hash as the last line.")
]
Save: TypeAlias = Annotated[
    str | None, typer.Option("--save", metavar="FILE", help="Save the run as a schedule.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one line of JSON instead.")]
