"""textpoke gui: the window on the patch. Everything is checked before Qt starts."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from emu.errors import TextpokeError
from emu.moves.plan import PHASES
from gui.layouts import LAYOUTS, LayoutName
from gui.theme import THEMES

if TYPE_CHECKING:
    from emu.lab.player import AnyScenario
    from emu.lab.scenario import Scenario
    from emu.moves.schedule import Schedule

FAILURE: Final = "failure"
_MAX_SCRIPT: Final = 128 << 10

SMALLEST, LARGEST = (640, 360), (7680, 4320)  # pixels of --size


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def word(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text[:40]!r} is none of {', '.join(names)}")
        return text

    return word


File = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="A run to play, as demo, run and patch --save it; without, a new one is made.",
        show_default=False,
    ),
]
Screenshot = Annotated[
    Path | None,
    typer.Option(
        "--screenshot", metavar="FILE", help="Write a picture (PNG) instead; needs no display."
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        parser=_one_of((*PHASES, FAILURE)),
        metavar="PHASE",
        help=f"Stand at the end of a phase: {', '.join(PHASES)}; or at the first {FAILURE}.",
    ),
]
Size = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Size of the window, in pixels.")
]
Theme = Annotated[
    str | None,
    typer.Option(
        "--theme",
        parser=_one_of(tuple(THEMES)),
        metavar="T",
        help="light or dark; without, as the desktop has it.",
    ),
]
Layout = Annotated[
    str,
    typer.Option(
        "--layout",
        parser=_one_of(LAYOUTS),
        metavar="L",
        help="desktop, or projector: large and few panels.",
    ),
]
Break = Annotated[
    str | None,
    typer.Option(
        "--break",
        metavar="NAME",
        help="Break the protocol, see textpoke demo --help. Where neither a seed, cores nor a "
        "function is named, a recorded run in which it fails is played.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="M",
        help="What a core may fetch of changed code: coherent, observed, intel2010 or sdm, the "
        "default.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=(1 << 64) - 1,
        metavar="S",
        help="Choose every move at random from this seed, by default 1.",
    ),
]
Cores = Annotated[
    int | None,
    typer.Option(
        "--cores", min=1, max=8, metavar="N", help="Cores of the machine, 1 to 8, by default 4."
    ),
]
Image = Annotated[
    str,
    typer.Option("--image", metavar="IMAGE", help='The kernel: a path, or "toy".'),
]
Append = Annotated[
    str | None,
    typer.Option(
        "--append",
        metavar="TEXT",
        help='The kernel\'s command line, by default "load" for the toy and nothing for others.',
    ),
]
Function = Annotated[
    list[str] | None,
    typer.Option("--function", metavar="NAME", help="Patch this function. Repeatable."),
]
With = Annotated[
    list[Path] | None,
    typer.Option(
        "--with",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Where the replacements are, as for textpoke patch. Repeatable.",
    ),
]

Linux = Annotated[
    str | None,
    typer.Option(
        "--linux",
        metavar="FILE",
        help="A stock kernel, which patches itself: a Debian package, a bzImage or a vmlinux. "
        "With --from: to name its functions by.",
    ),
]
Script = Annotated[
    Path | None,
    typer.Option(
        "--script",
        metavar="FILE",
        help="What the init of a stock kernel carries out; with --from it is typed at its prompt.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="SNAPSHOT", help="Go on from what textpoke linux --snapshot kept."
    ),
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="TEXT",
        help="Break what a stock kernel does: lose every sync 1 on core 1 (docs/linux.md). "
        "Repeatable.",
    ),
]

Hold = Annotated[
    list[str] | None,
    typer.Option(
        "--hold",
        metavar="TEXT",
        help="Let a core wait for another: core C while *ADDR == BYTE until core D executes ADDR. "
        "Repeatable.",
    ),
]


def gui(
    file: File = None,
    screenshot: Screenshot = None,
    at: At = None,
    size: Size = None,
    theme: Theme = None,
    layout: Layout = "desktop",
    broken: Break = None,
    model: Model = None,
    seed: Seed = None,
    cores: Cores = None,
    image: Image = "toy",
    append: Append = None,
    functions: Function = None,
    sources: With = None,
    linux: Linux = None,
    script: Script = None,
    origin: From = None,
    faults: Fault = None,
    holds: Hold = None,
) -> None:
    """Open a window on a kernel that is being patched while it runs.

    \b
      textpoke gui                                 the toy kernel, patched by us
      textpoke gui --linux FILE --script FILE      a stock kernel, which patches itself
      textpoke gui --linux FILE --from SNAPSHOT    the same, at once, as it was saved

    Exit status: 0 the window was closed, 2 bad input, or this computer lacks something for a
    window (textpoke doctor says what), 4 with --screenshot: the guest died before PHASE.
    """  # noqa: D301 -- click keeps the lines of a paragraph that begins with this character
    from emu.lab.player import AnyScenario  # noqa: PLC0415 -- loads the machine
    from emu.moves.schedule import Schedule  # noqa: PLC0415 -- loads numpy
    from gui import host  # noqa: PLC0415 -- with the rest
    from gui.start import Start  # noqa: PLC0415 -- loads the machine

    if screenshot is not None:
        _check_picture(screenshot)
    pixels = None if size is None else _pixels(size)
    schedule: Schedule | None
    scenario: AnyScenario
    if linux is not None or origin is not None:
        toys = {"FILE": file, "--break": broken, "--function": functions}
        ours = [name for name, value in toys.items() if value]
        if ours or image != "toy":
            raise typer.BadParameter(
                f"{', '.join(ours) or '--image'} is for a kernel that we patch: leave it out"
            )
        schedule = None
        scenario = _linux(
            linux,
            origin,
            script,
            tuple(sources or ()),
            append,
            (faults or [], tuple(holds or ()), model, seed, cores),
        )
    elif script is not None or faults or holds:
        raise typer.BadParameter(
            "--script, --fault and --hold are for a stock kernel: name it by --linux"
        )
    elif file is None:
        append = append if append is not None else "load" if image == "toy" else ""
        kernel = image, append
        made = _made(kernel, broken, model, seed, cores, functions or [], sources or [])
        scenario, schedule = made
    else:
        given = (broken, model, seed, cores, append, functions, sources)
        if any(each is not None for each in given):
            raise typer.BadParameter(
                f"{file} says how its run goes: leave out --break, --model, --seed, --cores, "
                "--append, --function and --with"
            )
        scenario, schedule = _recorded(file, image)
    start = Start(scenario, schedule, screenshot, at, pixels, theme, cast("LayoutName", layout))
    host.prepare(offscreen=screenshot is not None)
    from gui.app import main  # noqa: PLC0415 -- loads Qt, which prepare has looked at

    raise typer.Exit(main(start))


def _linux(
    file: str | None,
    saved: str | None,
    script: Path | None,
    files: tuple[Path, ...],
    append: str | None,
    machine: tuple[list[str], tuple[str, ...], str | None, int | None, int | None],
) -> "AnyScenario":
    """Return a stock kernel to be seen. machine: faults, holds, fetch model, seed and cores.

    Raises TextpokeError if it cannot be had.
    """
    from emu.lab.linux import Linux  # noqa: PLC0415 -- loads the machine
    from emu.lab.linux_scenario import AND, LinuxScenario  # noqa: PLC0415 -- as above

    faults, holds, model, seed, cores = machine
    if saved is not None and (files or append is not None or model or cores):
        raise typer.BadParameter(
            f"{saved} has its machine and what its kernel was started with: leave out --with, "
            "--append, --model and --cores"
        )
    scenario = LinuxScenario(
        Linux(file, _script(script), files, append=append or ""),
        saved,
        broken=AND.join(faults) or None,
        holds=holds,
        model=model or "sdm",
        seed=1 if seed is None else seed,
        cores=2 if cores is None else cores,
    )
    scenario.check()
    return scenario


def _script(path: Path | None) -> bytes:
    """Return the script that our init carries out."""
    if path is None:
        return b""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TextpokeError(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(data) > _MAX_SCRIPT:
        raise TextpokeError(f"{path}: over {_MAX_SCRIPT >> 10} KiB, too large for a script")
    return data


def _check_picture(path: Path) -> None:
    """Raise unless a PNG can be written there."""
    from emu import whole_file  # noqa: PLC0415 -- with the rest

    if path.suffix.lower() != ".png":
        raise typer.BadParameter(f"{path}: the picture is a PNG, so its name ends in .png")
    whole_file.check_target(path, "a picture", TextpokeError)


def _pixels(text: str) -> tuple[int, int]:
    """Return width and height of WxH."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    if not found:
        raise typer.BadParameter(f"--size {text[:40]!r} is not a size: 1280x720 is")
    width, height = int(found[1]), int(found[2])
    if not (SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]):
        least, most = ("x".join(map(str, bound)) for bound in (SMALLEST, LARGEST))
        raise typer.BadParameter(f"--size {text} is not between {least} and {most}")
    return width, height


def _made(
    kernel: tuple[str, str],
    broken: str | None,
    model: str | None,
    seed: int | None,
    cores: int | None,
    functions: list[str],
    sources: list[Path],
) -> "tuple[Scenario, Schedule | None]":
    """Return a run to make, and the recorded one that shows its break, if that was all we know.

    kernel: image and command line.

    Raises TextpokeError where there is no such run.
    """
    from emu.lab.scenario import Scenario, recorded_break  # noqa: PLC0415 -- loads the machine

    image, append = kernel
    scenario = Scenario(
        image=image,
        append=append,
        functions=tuple(functions),
        sources=tuple(map(str, sources)),
        broken=broken,
        model="sdm" if model is None else model,
        seed=1 if seed is None else seed,
        cores=4 if cores is None else cores,
    )
    scenario.check()
    by_default = kernel == ("toy", "load") and scenario.cores == 4
    by_default = by_default and seed is None and not functions and not sources
    return scenario, recorded_break(broken, scenario.model) if by_default else None


def _recorded(file: str, image: str) -> "tuple[Scenario, Schedule]":
    """Return the run in a file; raises BadSchedule."""
    from emu.lab.scenario import Scenario, recorded_run  # noqa: PLC0415 -- loads the machine

    schedule = recorded_run(file, image)
    return Scenario.of_schedule(schedule, image), schedule
