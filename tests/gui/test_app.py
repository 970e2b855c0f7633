"""The application ends as it was asked to. In a process of its own, as an application ends once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INTERRUPTED = """
import signal, sys
from emu.cli import main as command
from gui import bridge, verb

class Interrupted(bridge.Bridge):
    def take(self):
        frame = super().take()
        if frame is not None:
            signal.raise_signal(signal.SIGINT)
        return frame

import gui.app
gui.app.Bridge = Interrupted
command._VERBS["gui"] = verb.gui
sys.exit(command.main(["gui", "--cores", "1"]))
"""

UNPAINTABLE = """
import sys
from emu.cli import main as command
from gui import verb
from gui.NAME import OWNER

def broken(*_args):
    raise ZeroDivisionError("on purpose")

OWNER.METHOD = broken
command._VERBS["gui"] = verb.gui
sys.exit(command.main(["--debug", "gui", "--cores", "1", "--screenshot", sys.argv[1]]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "owner", "method"),
    [
        ("timeline.view", "View", "_painted"),
        ("five_bytes.delegate", "BytesDelegate", "_paint_name"),
    ],
)
def test_what_cannot_be_painted_is_told_of_with_its_place(
    name: str, owner: str, method: str, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    script = UNPAINTABLE.replace("NAME", name).replace("OWNER", owner).replace("METHOD", method)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(picture)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stdout) == (70, "")
    assert "Traceback" in ended.stderr
    assert "in broken" in ended.stderr
    assert "a bug in textpoke: ZeroDivisionError" in ended.stderr
    assert not picture.exists()


@pytest.mark.slow
def test_an_interrupt_from_the_terminal_closes_the_window() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stdout) == (130, "")
    assert "textpoke: interrupted" in ended.stderr
    assert "bug" not in ended.stderr
