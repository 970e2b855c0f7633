"""The shared libraries that Qt loads and its wheel does not bring, each with its Debian package.

As a program, `python gui/libraries.py [screen]` prints the packages of those that the linker does
not find, for `run`; those that only a screen needs are left out unless it is asked for. It imports
nothing of Qt, or of this project.

Sources: the NEEDED entries of PySide6-Essentials 6.11.3 (readelf -d), packages of Debian 12.
"""

import ctypes
import sys
from collections.abc import Mapping
from typing import Final

LIBRARIES: Final = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
}
"""What QtWidgets needs, on a screen and without one."""

SCREEN: Final = {
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt's plugin for X needs in addition (libqxcb.so, libQt6XcbQpa.so.6)."""


def missing(libraries: Mapping[str, str]) -> dict[str, str]:
    """Return those of the libraries that cannot be loaded, each with its package."""
    return {name: package for name, package in libraries.items() if not _loads(name)}


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    lacking = missing(LIBRARIES | SCREEN if sys.argv[1:] == ["screen"] else LIBRARIES)
    print(" ".join(dict.fromkeys(lacking.values())))
