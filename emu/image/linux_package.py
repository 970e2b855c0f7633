"""Where a stock kernel is kept on this computer: below the user's caches, as its Debian package."""

import os
from pathlib import Path


def folder() -> Path:
    """Return the folder of the packages; it need not exist."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(caches) / "textpoke" / "linux"


def kept() -> Path | None:
    """Return the package in it, the one that came last if there are several, or None."""
    packages = folder().glob("linux-image-*.deb")
    return max(packages, key=lambda at: (at.stat().st_mtime_ns, at.name), default=None)
