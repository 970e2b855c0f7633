"""The host: what a computer must have before Qt may start, found out before Qt does.

Qt ends the process (abort) if it reaches no display, draws boxes where there are no fonts, and
says that "xcb-cursor0 is needed" whichever library is missing. So each need is looked at first,
and what is wrong is an Unsupported with one sentence. Qt itself prints nothing any more.

As a program, `python -m gui.host` says in one line whether a window can open here (status 0), or
why it cannot (status 2), for `textpoke doctor`.
"""

import contextlib
import ctypes
import importlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emu.errors import TextpokeError, Unsupported, printable
from gui.libraries import LIBRARIES, SCREEN, missing

if TYPE_CHECKING:
    from PySide6.QtCore import QMessageLogContext, QtMsgType
    from PySide6.QtWidgets import QApplication

PATIENCE: Final = 10
"""Seconds in which a display has to answer."""

_LINUX: Final = sys.platform.startswith("linux")
_WITHOUT: Final = "textpoke gui --screenshot FILE needs no display"
_QPA: Final = "QT_QPA_PLATFORM"

_CONNECT: Final = """
import ctypes, sys
xcb = ctypes.CDLL("libxcb.so.1")
xcb.xcb_connect.restype = ctypes.c_void_p
connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
sys.exit(xcb.xcb_connection_has_error(connection))
"""
"""Connects as Qt's plugin does; run apart, as libxcb waits for ever and prints refusals."""


def prepare(*, offscreen: bool) -> None:
    """Make sure that Qt can be imported and find its display; call it before anything of Qt.

    offscreen: no display is wanted. Raises Unsupported.
    """
    require_qt()
    _silence_qt()
    if offscreen:
        os.environ[_QPA] = "offscreen"
    elif _LINUX:
        _require_display()


def application() -> "QApplication":
    """Return the application, once `prepare` was called. Raises Unsupported without fonts."""
    from PySide6.QtGui import QFontMetrics  # noqa: PLC0415 -- prepare looks whether it can be
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 -- as above

    found = QApplication.instance()
    made = found if isinstance(found, QApplication) else QApplication(["textpoke"])
    if not QFontMetrics(QApplication.font()).inFont("a"):  # fontconfig has families, even so
        raise Unsupported(
            "there are no fonts, every letter would be a box: install some "
            "(Debian: apt-get install fonts-dejavu-core)"
        )
    return made


# --- Qt -----------------------------------------------------------------------------------------


def require_qt() -> None:
    """Import Qt's widgets; raises Unsupported with what is missing."""
    try:
        version = importlib.import_module("PySide6").__version__
        if sys.version_info < (3, 12) and _numbers(version) >= (6, 12):
            raise Unsupported(
                f"PySide6 {version} crashes on Python 3.11: pip install 'PySide6-Essentials<6.12', "
                "or take Python 3.12"
            )
        importlib.import_module("PySide6.QtWidgets")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("PySide6", "shiboken6"):
            raise
        raise Unsupported("the window needs PySide6: pip install 'textpoke[gui]'") from None
    except ImportError as error:
        raise _cannot_load(str(error), LIBRARIES) from None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _cannot_load(said: str, libraries: Mapping[str, str]) -> Unsupported:
    """Return the error for a library that the linker did not find, as it said.

    It names the first; the others are looked for, so that one command brings them all.
    """
    lacking = missing(libraries) if _LINUX else {}
    if not lacking:
        return Unsupported(f"Qt cannot be loaded: {said}")
    names, packages = ", ".join(lacking), " ".join(dict.fromkeys(lacking.values()))
    return Unsupported(
        f"Qt needs {names}: install {'it' if len(lacking) == 1 else 'them'} (Debian: apt-get "
        f"install --no-install-recommends {packages})"
    )


def _silence_qt() -> None:
    """Let Qt print nothing; if it cannot go on, let the process end with one line, status 2."""
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler  # noqa: PLC0415 -- as above

    def handle(kind: "QtMsgType", _context: "QMessageLogContext", message: str) -> None:
        if kind == QtMsgType.QtFatalMsg:  # Qt calls abort() next
            with contextlib.suppress(OSError):
                line = f"textpoke: Qt cannot go on: {printable(' '.join(message.split()))}\n"
                os.write(2, line.encode(errors="backslashreplace"))
            os._exit(Unsupported.status)

    qInstallMessageHandler(handle)


# --- displays -----------------------------------------------------------------------------------


def _require_display() -> None:
    """Let Qt take a display that answers, or raise Unsupported with why none does.

    What QT_QPA_PLATFORM names (`wayland;xcb`, `vnc:size=800x600`) is tried in its order.
    """
    chosen = os.environ.get(_QPA)
    if chosen:
        names = [name.partition(":")[0] for name in chosen.split(";")]
    else:
        displays = {"xcb": "DISPLAY", "wayland": "WAYLAND_DISPLAY"}
        names = [name for name, variable in displays.items() if os.environ.get(variable)]
    if not names:
        raise Unsupported(f"no display (neither DISPLAY nor WAYLAND_DISPLAY is set): {_WITHOUT}")
    troubles = {name: _trouble(name) for name in names}
    good = [name for name, trouble in troubles.items() if trouble is None]
    if not good:
        raise next(trouble for trouble in troubles.values() if trouble)
    if not chosen and len(good) < len(names):  # else Qt would pick, and perhaps the other one
        os.environ[_QPA] = ";".join(good)


def _trouble(platform: str) -> Unsupported | None:
    """Return what is wrong with a platform plugin of Qt and its display, or None."""
    if platform == "wayland":
        return _wayland_trouble()
    if platform != "xcb":
        return None
    if _loads_xcb() and (reason := _x_refusal()) is not None:
        display = os.environ.get("DISPLAY", "")
        return Unsupported(f"the display {display!r} (DISPLAY) {reason}: {_WITHOUT}")
    return _plugin_trouble(platform)


def _loads_xcb() -> bool:
    return not missing({"libxcb.so.1": "libxcb1"})


def _x_refusal() -> str | None:
    """Return how the X server of DISPLAY turned us down, or None if it did not."""
    try:
        asked = subprocess.run(  # noqa: S603 -- this Python
            [sys.executable, "-I", "-S", "-c", _CONNECT],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"does not answer within {PATIENCE} seconds"
    if asked.returncode == 0:
        return None
    said = " ".join(asked.stderr.split())  # libxcb prints what a server says, and nothing else
    return f"refuses ({said})" if said else "cannot be reached"


def _plugin_trouble(platform: str) -> Unsupported | None:
    """Return which library a platform plugin of Qt lacks, or None."""
    from PySide6.QtCore import QLibraryInfo  # noqa: PLC0415 -- prepare looks whether it can be

    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    plugin = plugins / "platforms" / f"libq{platform}.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return _cannot_load(str(error), SCREEN)
    return None


def _wayland_trouble() -> Unsupported | None:
    """Return why the compositor of WAYLAND_DISPLAY cannot be reached, or None."""
    name = os.environ.get("WAYLAND_DISPLAY") or "wayland-0"
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), name)  # noqa: PTH118 -- a name may be one
    try:
        with socket.socket(socket.AF_UNIX) as compositor:
            compositor.settimeout(PATIENCE)
            compositor.connect(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return Unsupported(
            f"the display {name!r} (WAYLAND_DISPLAY) cannot be reached ({reason}): {_WITHOUT}"
        )
    return None


def _main() -> int:
    """Say whether a window can open here."""
    try:
        require_qt()
        chosen = os.environ.get(_QPA)
        prepare(offscreen=True)
        application()
        os.environ.pop(_QPA)
        if chosen:
            os.environ[_QPA] = chosen
        prepare(offscreen=False)
    except TextpokeError as error:
        print(error)
        return error.status
    print(f"Qt {importlib.import_module('PySide6.QtCore').qVersion()}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
