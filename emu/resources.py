"""Data that comes with textpoke: the toy kernel, an init for Linux, scripts, schedules, pictures.

It lies at its own place in a checkout (`kernels/`, `resources/`) and below `emu/data` in an
installed wheel (see pyproject.toml). The wheel's place is looked at first: beside an installed
package there may be anybody's folder called `resources`.
"""

import re
from pathlib import Path

from emu.errors import BadImage

_PACKAGE = Path(__file__).resolve().parent
_NAME = re.compile(r"(?=.{1,64}\Z)[a-z0-9]+(?:[-_][a-z0-9]+)*")  # no file system refuses it


def toy() -> Path:
    """Return the toy kernel; BadImage if this copy of textpoke lacks it."""
    found = _first(_PACKAGE / "data" / "toy.elf", _PACKAGE.parent / "kernels" / "toy" / "toy.elf")
    if found is None:
        raise BadImage("toy.elf is missing from this textpoke: install it again, or ./run kernels")
    return found


def include() -> Path:
    """Return the folder of headers for patches in C; BadImage if this copy lacks it."""
    found = _first(_PACKAGE / "data" / "include", _PACKAGE.parent / "kernels" / "include")
    if found is None:
        raise BadImage("poke.h is missing from this textpoke: install it again")
    return found


def init() -> Path:
    """Return the first process for a stock Linux kernel; BadImage if this copy lacks it."""
    found = _first(_PACKAGE / "data" / "init", _PACKAGE.parent / "kernels" / "init" / "init")
    if found is None:
        raise BadImage("init is missing from this textpoke: install it again, or ./run kernels")
    return found


def image_path(image: str | Path) -> Path:
    """Return where an image is: "toy" is the one that comes with textpoke."""
    return toy() if str(image) == "toy" else Path(image)


def resource(*parts: str) -> Path | None:
    """Return a file or folder below `resources`, or None if there is none."""
    return _first(
        _PACKAGE.joinpath("data", "resources", *parts),
        _PACKAGE.parent.joinpath("resources", *parts),
    )


def schedule(name: str) -> Path | None:
    """Return the schedule called `name` (`tail-first`), or None if there is none."""
    return resource("schedules", f"{name}.json") if _NAME.fullmatch(name) else None


def schedules() -> tuple[str, ...]:
    """Return the names of all schedules that come with textpoke, sorted."""
    folder = resource("schedules")
    return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder else ()


def linux_script(name: str) -> Path | None:
    """Return the script for our init called `name` (`oracle`), or None if there is none."""
    return resource("linux", f"{name}.script") if _NAME.fullmatch(name) else None


def _first(*places: Path) -> Path | None:
    return next((place for place in places if place.exists()), None)
