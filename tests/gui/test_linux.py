"""The window on a stock kernel: the same panels and keys, and how it is asked for."""

import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from emu.lab.linux import Linux
from emu.lab.linux_scenario import LinuxScenario
from emu.lab.sync_fault import SyncFault
from gui import commands
from gui.breaking.choice import Choice, sentence
from gui.breaking.dialog import BreakDialog
from gui.bridge import Bridge
from tests.gui.windows import opened

SCRIPT = """\
cd /sys/kernel/tracing
echo cmdline_proc_show > set_ftrace_filter
echo function > current_tracer
"""


@pytest.mark.slow
@pytest.mark.usefixtures("qapp")
def test_all_panels_show_a_stock_kernel(linux_file: Path, linux_prompt: Path) -> None:
    scenario = LinuxScenario(Linux(linux_file, SCRIPT.encode()), str(linux_prompt))
    with opened(scenario, size=(1600, 1000)) as found:
        assert str(scenario) in found.window.windowTitle()
        frame = found.ask(commands.GoToPhase("sync1"))
        assert frame.scene is not None
        assert frame.scene.phase == "sync1"
        assert frame.scene.tasks
        assert frame.scene.listing is not None
        assert frame.scene.path is not None
        assert frame.log is not None
        assert frame.log.rows
        earlier = frame.position
        frame = found.ask(commands.NextPhase())
        assert frame.position > earlier
        frame = found.ask(commands.PreviousPhase())
        assert frame.position == earlier
        found.ask(commands.Step(1))
        frame = found.ask(commands.GoTo(None))
        assert frame.position == frame.edge
        found.ask(commands.Type(b"echo typed\n"))
        frame = found.ask(commands.NextPhase())
        assert found.failures == []


@pytest.mark.slow
def test_a_boot_is_told_of_and_is_given_up_for_another(
    linux_file: Path, linux_prompt: Path, qtbot: QtBot
) -> None:
    bridge, told = Bridge(), list[str]()
    begun = threading.Event()
    bridge.booting.connect(told.append)
    bridge.begun.connect(lambda _scenario: begun.set())
    bridge.start()
    try:
        bridge.send(commands.Begin(LinuxScenario(Linux(linux_file))))
        qtbot.waitUntil(lambda: bool(told), timeout=120_000)
        assert not begun.is_set()
        saved = LinuxScenario(Linux(linux_file), str(linux_prompt))
        with qtbot.waitSignal(bridge.begun, timeout=120_000) as signal:
            bridge.send(commands.Begin(saved))
        assert signal.args == [saved]
    finally:
        assert bridge.stop()
    assert told[0].startswith("The kernel boots: ")


@pytest.mark.slow
def test_a_picture_of_a_phase(linux_file: Path, linux_prompt: Path, tmp_path: Path) -> None:
    script, picture = tmp_path / "script", tmp_path / "window.png"
    script.write_text(SCRIPT)
    asked = ("gui", "--linux", linux_file, "--from", linux_prompt, "--script", script)
    shown = ("--screenshot", picture, "--at", "tail", "--size", "1000x700")
    words = [sys.executable, "-m", "emu.cli.main", *map(str, (*asked, *shown))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (1000, 700)


@pytest.mark.usefixtures("qapp")
def test_a_line_is_typed_where_the_run_has_got_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("echo typed", True), ("not this", False)]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: answers.pop(0))
    sent: list[commands.Command] = []
    with opened() as found:
        found.ask(commands.GoToPhase("int3"))
        found.ask(commands.GoTo(0))
        send = found.bridge.send

        def noted(each: commands.Command) -> int:
            sent.append(each)
            return send(each)

        monkeypatch.setattr(found.bridge, "send", noted)
        found.window.on_type()
        found.window.on_type()
        frame = found.settle()
        assert [each for each in sent if isinstance(each, commands.Type)] == [
            commands.Type(b"echo typed\n")
        ]
        assert frame.position == frame.edge > 0
        assert found.failures == []


def test_what_can_be_broken_is_a_fault_of_a_sync(qtbot: QtBot) -> None:
    scenario = LinuxScenario(Linux(), cores=3)
    for name in scenario.breaks:
        assert str(SyncFault.parse(name, scenario.cores)) == name
    now = Choice(None, "sdm", 1, (), 3)
    dialog = BreakDialog(now, tuple(scenario.breaks.items()), scenario.patchable)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.functions.isVisible()
    assert dialog.choice() == now
    dialog.breaks.setCurrentRow(2)
    chosen = dialog.choice()
    assert chosen is not None
    assert chosen.broken == "lose every sync 2 on core 0"
    assert "while the kernel patches itself" in dialog.sentence.text()
    assert "while the kernel patches itself" in sentence(now, "")


def test_a_snapshot_has_its_cores_and_its_model(qtbot: QtBot) -> None:
    scenario = LinuxScenario(Linux(), saved="booted")
    assert scenario.fixed
    now = Choice(None, "sdm", 1, (), 2)
    dialog = BreakDialog(now, tuple(scenario.breaks.items()), (), fixed=scenario.fixed)
    qtbot.addWidget(dialog)
    assert not dialog.cores.isEnabled()
    assert not dialog.model.isEnabled()
    assert dialog.seed.isEnabled()
