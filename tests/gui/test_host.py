"""What a computer can lack for a window: each lack is provoked, and is one line and status 2.

Every try is a process of its own, as it is Qt's way to end one. The window itself is a fake that
makes the application and says which platform it has.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emu.cli import checks
from gui.libraries import LIBRARIES, SCREEN, missing

ROOT = Path(__file__).parents[2]
RUN = """
import sys, types
from emu.cli import main
from gui import host
from gui.verb import gui

def show(start):
    print(host.application().platformName())
    return 0

main._VERBS["gui"] = gui
sys.modules["gui.app"] = types.ModuleType("gui.app")
sys.modules["gui.app"].main = show
{before}
sys.exit(main.main(["gui", *sys.argv[1:]]))
"""
LACKING = """
import ctypes
loaded = ctypes.CDLL

def load(name, *more, **words):
    if any(part in name for part in {lacking!r}):
        raise OSError({said!r})
    return loaded(name, *more, **words)

ctypes.CDLL = load
"""
ANSWERS = "host._x_refusal = lambda: None\n"
BROKEN_QT = """
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "PySide6.QtWidgets":
            raise ImportError("libGL.so.1: cannot open shared object file")

sys.meta_path.insert(0, Finder())
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at displays on Linux only")
with_xcb = pytest.mark.skipif(
    bool(missing({"libxcb.so.1": "libxcb1"})), reason="no libxcb to reach a display with"
)


def window(*words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `textpoke gui` in an environment with no display but the one given."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    return subprocess.run(
        [sys.executable, "-c", RUN.format(before=before), *words],
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refusal(*words: str, before: str = "", **environment: str) -> str:
    """Return the one line a window is refused with."""
    ended = window(*words, before=before, **environment)
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    (line,) = ended.stderr.splitlines()
    assert line.startswith("textpoke: ")
    return line.removeprefix("textpoke: ")


@contextmanager
def x_server(answer: bytes | None) -> Iterator[str]:
    """Be an X server that gives each client this answer, or none; yields its DISPLAY."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    clients.append(server.accept()[0])
                    if answer is not None:
                        clients[-1].recv(4096)
                        clients[-1].sendall(answer)
            except OSError:
                pass  # the test is over

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1] - 6000}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in clients:
                client.close()


# --- displays -------------------------------------------------------------------------------------


@on_linux
@pytest.mark.parametrize("environment", [{}, {"DISPLAY": "", "WAYLAND_DISPLAY": ""}])
def test_no_display(environment: dict[str, str]) -> None:
    said = refusal(**environment)
    assert said.startswith("no display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    assert said.endswith("textpoke gui --screenshot FILE needs no display")


@on_linux
@with_xcb
@pytest.mark.parametrize("display", [":54321", "nonsense"])
def test_a_display_with_nobody_there(display: str) -> None:
    assert f"the display {display!r} (DISPLAY) cannot be reached" in refusal(DISPLAY=display)


@on_linux
@with_xcb
def test_a_display_that_refuses() -> None:
    reason = b"No keys\n"
    setup_failed = struct.pack("<BBHHH", 0, len(reason), 11, 0, len(reason) // 4) + reason
    with x_server(setup_failed) as display:
        assert f"{display!r} (DISPLAY) refuses (No keys)" in refusal(DISPLAY=display)


@on_linux
@with_xcb
def test_a_display_that_does_not_answer() -> None:
    with x_server(None) as display:
        said = refusal(DISPLAY=display, before="host.PATIENCE = 1")
    assert f"{display!r} (DISPLAY) does not answer within 1 seconds" in said


@on_linux
def test_a_compositor_with_nobody_there(tmp_path: Path) -> None:
    said = refusal(WAYLAND_DISPLAY="wayland-7", XDG_RUNTIME_DIR=str(tmp_path))
    assert "the display 'wayland-7' (WAYLAND_DISPLAY) cannot be reached (No such file" in said


@on_linux
def test_of_two_displays_the_one_that_answers_is_taken(tmp_path: Path) -> None:
    before = (
        "sys.modules['gui.app'].main = lambda _: print(host.os.environ['QT_QPA_PLATFORM']) or 0"
    )
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-7"))
        compositor.listen()
        ended = window(
            before=before,
            DISPLAY=":54321",
            WAYLAND_DISPLAY="wayland-7",
            XDG_RUNTIME_DIR=str(tmp_path),
        )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "wayland\n", "")


def test_a_platform_that_qt_does_not_have() -> None:
    said = refusal(QT_QPA_PLATFORM="nonsense")
    assert said.startswith("Qt cannot go on: ")
    assert "no Qt platform plugin could be initialized" in said


@pytest.mark.parametrize("display", ["", ":54321"])
def test_a_picture_needs_no_display(tmp_path: Path, display: str) -> None:
    ended = window("--screenshot", str(tmp_path / "a.png"), DISPLAY=display)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "offscreen\n", "")


# --- libraries, packages and fonts ----------------------------------------------------------------


def test_pyside_is_not_installed() -> None:
    said = refusal(before="sys.modules['PySide6'] = None")
    assert said == "the window needs PySide6: pip install 'textpoke[gui]'"


@pytest.mark.parametrize(
    ("python", "version", "refused"),
    [("(3, 11, 7)", "6.12.0", True), ("(3, 11, 7)", "6.13", True), ("(3, 12, 0)", "6.12", False)],
)
def test_versions_that_crash_python(python: str, version: str, refused: bool) -> None:
    before = f"""
import PySide6
PySide6.__version__ = {version!r}
host.sys = types.SimpleNamespace(version_info={python})
"""
    ended = window("--screenshot", "a.png", before=before)
    assert ended.returncode == (2 if refused else 0), ended
    assert (f"PySide6 {version} crashes on Python 3.11" in ended.stderr) == refused


@on_linux
def test_libraries_that_qt_needs_everywhere() -> None:
    lacking = LACKING.format(lacking=["libGL.so", "libEGL.so"], said="libGL.so.1: cannot open")
    assert refusal("--screenshot", "a.png", before=BROKEN_QT + lacking) == (
        "Qt needs libGL.so.1, libEGL.so.1: install them "
        "(Debian: apt-get install --no-install-recommends libgl1 libegl1)"
    )


@on_linux
def test_a_library_that_a_screen_needs() -> None:
    lacking = [name for name in missing(SCREEN) if "keysyms" not in name]
    lacking += ["libxcb-keysyms", "libqxcb"]
    before = LACKING.format(lacking=lacking, said="libxcb-keysyms.so.1: cannot open")
    said = refusal(before=ANSWERS + before, DISPLAY=":54321")
    assert said.startswith("Qt needs ")
    assert "libxcb-keysyms.so.1" in said
    assert "libxcb-keysyms1" in said
    assert "cursor" not in said or missing(SCREEN)


@on_linux
def test_a_plugin_that_fails_for_another_reason() -> None:
    before = LACKING.format(lacking=["libqxcb"], said="libqxcb.so: file too short")
    before += "host.missing = lambda libraries: {}\n"
    said = refusal(before=ANSWERS + before, DISPLAY=":54321")
    assert said == "Qt cannot be loaded: libqxcb.so: file too short"


@on_linux
def test_no_fonts(tmp_path: Path) -> None:
    configuration = tmp_path / "fonts.conf"
    configuration.write_text(f"<fontconfig><cachedir>{tmp_path}</cachedir></fontconfig>")
    said = refusal("--screenshot", "a.png", FONTCONFIG_FILE=str(configuration))
    assert said.startswith("there are no fonts")
    assert "fonts-dejavu-core" in said


@on_linux
@pytest.mark.parametrize(
    ("words", "libraries"), [([], LIBRARIES), (["screen"], LIBRARIES | SCREEN)]
)
def test_the_packages_that_are_missing_can_be_asked_for(
    words: list[str], libraries: dict[str, str]
) -> None:
    asked = subprocess.run(
        [sys.executable, ROOT / "gui" / "libraries.py", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.split() == list(dict.fromkeys(missing(libraries).values()))
    assert missing({"libnothing.so.1": "a", "libc.so.6": "b"}) == {"libnothing.so.1": "a"}


# --- the doctor -----------------------------------------------------------------------------------


def row() -> checks.Check:
    (found,) = [check for check in checks.all_checks() if check.name == "window"]
    return found


def test_the_doctor_says_that_a_window_can_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    found = row()
    assert (found.state, found.detail[:3]) == (checks.OK, "Qt ")


@on_linux
def test_the_doctor_says_why_no_window_can_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    found = row()
    assert found.state == checks.NOTE
    assert found.detail.startswith("no display")
