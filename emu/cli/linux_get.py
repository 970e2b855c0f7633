"""textpoke linux get: fetch a stock kernel's Debian package by apt, without installing it.

It lies below the user's caches afterwards, whole or not at all, and has been read as a kernel.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from emu.cli import console
from emu.errors import TextpokeError, Unsupported
from emu.image import linux_package
from emu.image.linux_image import LinuxImage

VERSION: Final = "6.1"
"""The kernels that this version of textpoke is tried with most."""

_VERSION = re.compile(r"\d[a-z0-9.+~-]*")
_PACKAGE = re.compile(r"linux-image-[a-z0-9][a-z0-9.+~-]*")
_LISTED = re.compile(r"^(linux-image-(\d[a-z0-9.+~-]*)-cloud-amd64) - ", re.MULTILINE)
_WHERE: Final = (
    "on packages.debian.org (and every older one on snapshot.debian.org) it is "
    "linux-image-VERSION-cloud-amd64: give textpoke linux the file"
)


def get(package: str | None) -> None:
    """Fetch a package, or the newest one of a version, and say where it is.

    Raises:
        TextpokeError: it is not to be had, or is no kernel.
    """
    if shutil.which("apt-get") is None:
        raise Unsupported(f"no apt here to fetch a kernel with; {_WHERE}")
    name = _name(package)
    folder = linux_package.folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".get-", dir=folder) as place:
            console.note(f"fetching {name}")
            fetched = _download(name, Path(place))
            LinuxImage.read(fetched)
            kept = folder / fetched.name
            fetched.replace(kept)
    except OSError as error:
        raise TextpokeError(f"{folder}: {error.strerror or error}") from None
    console.line(str(kept))


def _name(package: str | None) -> str:
    """Return the name of a package: as it is, or the newest of a version that apt offers."""
    if package is not None and _PACKAGE.fullmatch(package):
        return package
    version = package or VERSION
    if not _VERSION.fullmatch(version):
        raise TextpokeError(f"{version!r} is no version of Linux, and no package linux-image-*")
    found = _newest(version)
    if found is None and package is None and (found := _newest("")) is not None:
        console.note(f"apt offers no {VERSION}: taking the newest there is")
    if found is None:
        raise TextpokeError(
            f"apt knows no linux-image-{version}*-cloud-amd64: run apt-get update as root; else "
            f"{_WHERE}"
        )
    return found


def _newest(version: str) -> str | None:
    """Return the newest cloud kernel that apt offers of a version, None if none."""
    listed = _said(["apt-cache", "search", "--names-only", "^linux-image-.*-cloud-amd64$"])
    found = [
        (numbers(number), name)
        for name, number in _LISTED.findall(listed)
        if not version or re.match(rf"{re.escape(version)}(?![0-9])", number)
    ]
    return max(found)[1] if found else None


def numbers(version: str) -> tuple[int, ...]:
    """Return what versions are compared by: 6.1.0-56 is newer than 6.1.0-9."""
    return tuple(map(int, re.findall(r"\d+", version)))


def _said(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    return ended.stdout


def _download(name: str, place: Path) -> Path:
    """Return the file of a package, fetched into a folder; apt shows on a terminal how far it is.

    It is root's own folder if root runs this, so apt must not become the user _apt.
    """
    shown = sys.stderr.fileno() if sys.stderr.isatty() else subprocess.PIPE
    ended = subprocess.run(  # noqa: S603 -- `_PACKAGE` has looked at the name
        ["apt-get", "-o", "APT::Sandbox::User=root", "download", name],  # noqa: S607 -- as it is
        cwd=place, stdin=subprocess.DEVNULL, stdout=shown, stderr=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    found = list(place.glob("linux-image-*.deb"))
    if ended.returncode or len(found) != 1:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        raise TextpokeError(f"apt cannot fetch {name}: {lines[-1] if lines else 'it says nothing'}")
    return found[0]
