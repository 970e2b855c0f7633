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
