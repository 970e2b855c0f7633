"""What is tested offscreen holds on a real X server, too: keys, clicks, opening and closing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.libraries import SCREEN, missing

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
    pytest.mark.skipif(bool(missing(SCREEN)), reason="libraries for Qt on X are missing"),
]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server of our own, on a display that it has found to be free."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],  # noqa: S607 -- of PATH
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with open(reader) as number:  # noqa: PTH123 -- a pipe
            found = number.readline().strip()
        assert found, "Xvfb does not start"
        yield f":{found}"
    finally:
        server.terminate()
        server.wait()


def on_x(display: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a display, under pytest-xdist or not."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**environment, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_host_finds_the_display(display: str) -> None:
    code = "from gui import host; host.prepare(offscreen=False);"
    code += "print(host.application().platformName())"
    asked = on_x(display, "-c", code)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "xcb\n", "")


def test_the_tests_of_the_window_pass(display: str) -> None:
    options = ["-p", "no:cacheprovider", "-q", "-m", "screen and not slow", "tests/gui"]
    ran = on_x(display, "-m", "pytest", *options)
    assert ran.returncode == 0, ran.stdout[-8_000:]
