"""What textpoke needs of a computer, each need one check.

Nothing is believed from version numbers alone: what can be imported is imported. A check never
raises; what goes wrong in it is its answer.
"""

import hashlib
import importlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

from emu import resources
from emu.errors import TextpokeError
from emu.image import linux_package

OK, NOTE, BAD = "ok", "note", "BAD"


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question.

    name: what was looked at. state: OK, NOTE (works without) or BAD (does not). detail: what was
    found. advice: what to do about it, or "".
    """

    name: str
    state: str
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A package: its name, the versions that do (as in pyproject.toml), and what to import.

    module: "" if a check of its own does that. without: what cannot be done without it; "" if
    nothing can be.
    """

    package: str
    versions: str
    module: str
    without: str = ""


_INTEL_MAC = sys.platform == "darwin" and platform.machine() == "x86_64"

NEEDS: Final = (
    Need("unicorn", "==2.1.4", "unicorn"),
    Need("numpy", ">=2.0,<3", "numpy"),
    Need("numba", ">=0.62.1,<0.63" if _INTEL_MAC else ">=0.68,<0.69", "numba"),
    Need("capstone", ">=5.0.6,<6", "capstone"),
    Need("lz4", ">=4.4,<5", "lz4"),
    Need("zstandard", ">=0.25,<0.26", "zstandard"),
    Need("rich", ">=14,<16", "rich"),
    Need("typer", ">=0.16,<1", "typer"),
    Need("keystone-engine", ">=0.9.2,<0.10", "keystone", "assembling replacements"),
    Need(
        "PySide6-Essentials",
        ">=6.9" if sys.version_info >= (3, 12) else ">=6.9,<6.12",
        "",
        "the window",
    ),
)
"""pyproject.toml says the same; a test compares them."""


def all_checks() -> list[Check]:
    """Return every check, in the order in which one builds on another."""
    found = [_guarded("Python", _python)]
    found += [_guarded(need.package, partial(package, need)) for need in NEEDS]
    found += [
        _guarded("engine", _engine),
        _guarded("compiled code", _cache),
        _guarded("toy kernel", _toy),
        _guarded("Linux kernel", _linux),
        _guarded("C compiler", _compiler),
        _guarded("QEMU", _qemu),
        _guarded("window", _window),
    ]
    return found


def package(need: Need) -> Check:
    """Return whether a package is there, in a version that does, and can be imported."""
    missing, advice = BAD, f"pip install '{need.package}{need.versions}'"
    if need.without:
        missing, advice = NOTE, f"{need.without} is unavailable, everything else works"
    try:
        version = metadata.version(need.package)
    except metadata.PackageNotFoundError:
        return Check(need.package, missing, "not installed", advice)
    if not accepts(need.versions, version):
        return Check(need.package, missing, f"{version}, but {need.versions} is needed", advice)
    try:
        if need.module:
            importlib.import_module(need.module)
    except Exception as error:  # noqa: BLE001 -- a broken library can raise anything
        return Check(need.package, missing, f"{version} cannot be imported ({error})", advice)
    return Check(need.package, OK, version)


def accepts(versions: str, version: str) -> bool:
    """Return whether a version meets `>=1.2,<2` or `==1.2.3`; only its numbers are compared."""
    have = _numbers(version)
    for clause in versions.split(","):
        operator, wanted = re.findall(r"(>=|==|<)([\d.]+)", clause)[0]
        other = _numbers(wanted)
        if operator == ">=" and have < other:
            return False
        if operator == "<" and have >= other:
            return False
        if operator == "==" and have != other:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except TextpokeError as error:
        return Check(name, BAD, str(error))
    except Exception as error:  # noqa: BLE001 -- the doctor survives every illness
        return Check(name, BAD, str(TextpokeError(f"{type(error).__name__}: {error}")))


def _python() -> Check:
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Check("Python", OK, version)
    return Check("Python", BAD, version, "Python 3.11 to 3.14 is needed")


def _engine() -> Check:
    """Load Unicorn's library and look for every symbol that textpoke calls."""
    importlib.import_module("emu.machine.unicorn_cpu")
    return Check("engine", OK, "Unicorn exports what is needed")


def _cache() -> Check:
    from emu.machine import native  # noqa: PLC0415 -- needs numba

    again = "every start compiles the machine again, about a minute: set XDG_CACHE_HOME"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if not native.CACHE.is_relative_to(caches):
        return Check("compiled code", NOTE, f"{caches} cannot be written", again)
    if not native.compiled_before():
        detail = f"none yet in {native.CACHE}"
        return Check("compiled code", NOTE, detail, "the first run compiles, about a minute")
    return Check("compiled code", OK, f"in {native.CACHE}")


def _toy() -> Check:
    data = resources.toy().read_bytes()
    return Check("toy kernel", OK, f"sha256 {hashlib.sha256(data).hexdigest()}")


def _linux() -> Check:
    kept = linux_package.kept()
    if kept is None:
        return Check("Linux kernel", NOTE, "none is kept", "textpoke linux get fetches one")
    return Check("Linux kernel", OK, kept.name)


def _compiler() -> Check:
    name = os.environ.get("CC") or "gcc"
    try:
        words = shlex.split(name)
    except ValueError:
        words = []
    found = shutil.which(words[0]) if words else None
    if found is None:
        return Check("C compiler", NOTE, f"{name} is not here", "only patches in C need it")
    return _version("C compiler", [found, *words[1:]])


def _qemu() -> Check:
    name = "qemu-system-x86_64"
    found = shutil.which(name)
    if found is None:
        return Check("QEMU", NOTE, "not installed", "only tests that compare with it need it")
    return _version("QEMU", [found])


def _window() -> Check:
    """Ask the window itself, in a process of its own: emu imports no Qt, and Qt may abort."""
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "gui.host"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = asked.stdout.partition("\n")[0] or f"cannot be asked, status {asked.returncode}"
    if asked.returncode:
        return Check("window", NOTE, said, "everything but textpoke gui works without")
    return Check("window", OK, said)


def _version(what: str, command: list[str]) -> Check:
    said = subprocess.run(  # noqa: S603 -- the program that PATH names
        [*command, "--version"], capture_output=True, text=True, timeout=20, check=False
    )
    version = said.stdout.partition("\n")[0] or "does not say its version"
    return Check(what, OK, version)
