"""textpoke gui: the window on the patch. Everything is checked before Qt starts."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from emu.errors import TextpokeError
from gui import options
from gui.layouts import LayoutName

if TYPE_CHECKING:
    from emu.lab.linux import Linux
    from emu.lab.player import AnyScenario
    from emu.lab.scenario import Scenario
    from emu.moves.schedule import Schedule

SMALLEST, LARGEST = (640, 360), (7680, 4320)  # pixels of --size


def gui(
    file: options.File = None,
    screenshot: options.Screenshot = None,
    at: options.At = None,
    size: options.Size = None,
    theme: options.Theme = None,
    layout: options.Layout = "desktop",
    broken: options.Break = None,
    model: options.Model = None,
    seed: options.Seed = None,
    cores: options.Cores = None,
    image: options.Image = "toy",
    append: options.Append = None,
    functions: options.Function = None,
    sources: options.With = None,
    linux: options.Linux = None,
    script: options.Script = None,
    origin: options.From = None,
    faults: options.Fault = None,
    holds: options.Hold = None,
    initramfs: options.Initramfs = None,
    bzimage: options.BzImage = False,
) -> None:
    """Open a window on a kernel that is being patched while it runs.

    \b
      textpoke gui                                 the toy kernel, patched by us
      textpoke gui --linux FILE --script FILE      a stock kernel, which patches itself
      textpoke gui --linux FILE --from SNAPSHOT    the same, at once, as it was saved

    Exit status: 0 the window was closed, 2 bad input, or this computer lacks something for a
    window (textpoke doctor says what), 4 with --screenshot: the guest died before PHASE.
    """  # noqa: D301 -- click keeps the lines of a paragraph that begins with this character
    from emu.lab.linux import Linux, read_script  # noqa: PLC0415 -- loads the machine
    from emu.lab.player import AnyScenario  # noqa: PLC0415 -- as above
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
        started = sources, append is not None, initramfs, bzimage, model, cores
        if origin is not None and any(started):
            raise typer.BadParameter(
                f"{origin} has its machine and what its kernel was started with: leave out --with, "
                "--append, --initramfs, --bzimage, --model and --cores"
            )
        text = read_script(script) if script is not None else b""
        kernel = Linux(linux, text, tuple(sources or ()), initramfs, bzimage, append or "")
        schedule = None
        scenario = _linux(kernel, origin, faults or [], tuple(holds or ()), (model, seed, cores))
    elif script is not None or faults or holds or initramfs is not None or bzimage:
        raise typer.BadParameter(
            "--script, --fault, --hold, --initramfs and --bzimage are for a stock kernel: name it "
            "by --linux"
        )
    elif file is None:
        append = append if append is not None else "load" if image == "toy" else ""
        made = _made((image, append), broken, model, seed, cores, functions or [], sources or [])
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
    kernel: "Linux",
    saved: str | None,
    faults: list[str],
    holds: tuple[str, ...],
    machine: tuple[str | None, int | None, int | None],
) -> "AnyScenario":
    """Return a stock kernel to be seen. machine: fetch model, seed and cores.

    Raises TextpokeError if it cannot be had.
    """
    from emu.lab.linux_scenario import AND, LinuxScenario  # noqa: PLC0415 -- loads the machine

    model, seed, cores = machine
    scenario = LinuxScenario(
        kernel,
        saved,
        broken=AND.join(faults) or None,
        holds=holds,
        model=model or "sdm",
        seed=1 if seed is None else seed,
        cores=2 if cores is None else cores,
    )
    scenario.check()
    return scenario


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
