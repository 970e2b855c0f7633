import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from emu.cli import main as command
from emu.cli import running
from emu.errors import GuestDied
from tests.cli.conftest import Command

TEXTPOKE = [sys.executable, "-m", "emu.cli.main"]


def verb(monkeypatch: pytest.MonkeyPatch, body: Callable[[], object]) -> None:
    """Let the verb `run` do something else."""

    def replaced() -> None:
        body()

    monkeypatch.setitem(command._VERBS, "run", replaced)


def fail(error: BaseException) -> Callable[[], object]:
    def body() -> object:
        raise error

    return body


def test_help_names_the_verbs(textpoke: Command) -> None:
    for words in ((), ("--help",)):
        said = textpoke(*words)
        assert said.status == 0
        assert b"run " in said.out
        assert b"doctor " in said.out
    assert b"--until" in textpoke("run", "--help").out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, emu.cli.main as m; m.main(['run', '--help']);"
        "sys.exit(any(n in sys.modules for n in ('numpy', 'numba', 'unicorn', 'capstone')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_process_of_its_own_leaves_its_garbage_alone() -> None:
    code = (
        "import atexit, gc, os, sys; sys.argv[1:] = ['--version'];"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0));"
        "from emu.cli.main import main; main();"
        "print(gc.get_threshold()[0] > 10_000, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = {name: value for name, value in os.environ.items() if "OPENBLAS" not in name}
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    assert said.split()[-3:] == [b"True", b"1", b"True"]


def test_who_calls_the_command_keeps_his_collector(textpoke: Command) -> None:
    before = gc.get_threshold()
    textpoke("--version")
    assert gc.get_threshold() == before


def test_the_version(textpoke: Command) -> None:
    assert textpoke("--version").out.startswith(b"textpoke ")


@pytest.mark.parametrize("words", [["rnu"], ["--verbose"], ["--debug"]])
def test_a_command_that_does_not_exist(textpoke: Command, words: list[str]) -> None:
    assert "see textpoke --help" in textpoke(*words).refusal()


def test_an_error_has_its_status(textpoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    verb(monkeypatch, fail(GuestDied("core 1 at \x1b[2Jpanic")))
    said = textpoke("run")
    assert (said.status, said.err) == (4, "textpoke: core 1 at \\x1b[2Jpanic\n")


def test_a_bug_asks_to_be_reported(textpoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    verb(monkeypatch, fail(KeyError("two\nlines")))
    said = textpoke("run")
    assert said.status == 70
    (line,) = said.err.splitlines()
    assert "please report what this prints: textpoke --debug run" in line
    said = textpoke("--debug", "run")
    assert said.status == 70
    assert "Traceback" in said.err


def test_a_library_that_is_missing_sends_to_the_doctor(
    textpoke: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(monkeypatch, fail(ModuleNotFoundError("No module named 'numba'")))
    said = textpoke("run").refusal()
    assert "No module named 'numba'" in said
    assert "textpoke doctor" in said


def test_an_interrupt_is_130(textpoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    verb(monkeypatch, fail(KeyboardInterrupt()))
    assert textpoke("run").status == 130


def test_ctrl_c_ends_a_run_cleanly() -> None:
    code = (
        "import signal, sys; from emu.cli.main import main;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a shell may ignore it
        "sys.exit(main(['run', 'toy', '--append', 'load', '--steps', '1e12']))"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr.read().startswith(b"textpoke: interrupted after ")


def test_an_interrupted_run_is_kept(textpoke: Command, tmp_path: Path) -> None:
    saved, snapshot = tmp_path / "run.json", tmp_path / "run.snapshot"
    words = ["run", "toy", "--append", "load", "--steps", "1e12", "--seed", "1", "--json"]
    code = (
        "import os, signal, sys; from emu.cli.main import main; from emu.lab import Lab;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from emu.machine.machine import Machine; drive = Machine.drive;"
        "Machine.drive = lambda m, *a, **k: (m.moves > 20_000"  # in the middle of a run
        " and os.kill(os.getpid(), signal.SIGINT), drive(m, *a, **k))[1];"
        f"sys.exit(main({[*words, '--save', str(saved), '--snapshot', str(snapshot)]!r}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    document = json.loads(run.stdout)
    assert (run.returncode, document["status"], document["end"]) == (130, 130, "interrupted")
    assert run.stderr.decode().splitlines()[-1] == f"textpoke: {document['report']['sentence']}"
    assert document["report"]["sentence"].startswith("interrupted after ")
    replayed = json.loads(textpoke("replay", saved, "--json").out)
    went_on = textpoke("run", "--from", snapshot, "--steps", 1000, "--json", "--hash")
    again = textpoke(
        "run", *words[1:4], "--seed", 1, "--steps", document["instructions"], "--json", "--hash"
    )
    assert replayed["hash"] == json.loads(again.out)["hash"]
    assert json.loads(went_on.out)["instructions"] > document["instructions"]


def test_who_ignores_interrupts_is_not_interrupted() -> None:
    code = (
        "import os, signal, sys; from emu.cli.main import main;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "from emu.machine.machine import Machine; drive = Machine.drive;"
        "Machine.drive = lambda *a, **k: (os.kill(os.getpid(), signal.SIGINT), drive(*a, **k))[1];"
        "sys.exit(main(['run', 'toy', '--steps', '10_000']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert run.returncode == 6


def test_nobody_reads_the_output() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*TEXTPOKE, "doctor"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full device")  # noqa: PTH110
def test_the_disk_is_full() -> None:
    for words in (["doctor"], ["--help"]):
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            ended = subprocess.run(
                [*TEXTPOKE, *words], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert ended.returncode == 74
        (line,) = ended.stderr.splitlines()
        assert line == b"textpoke: the output cannot be written: No space left on device"


# --- verbs of other packages -------------------------------------------------------------------


class Entry:
    """An entry point as importlib.metadata gives it."""

    def __init__(self, name: str, verb: Callable[[], None] | Exception) -> None:
        self.name, self._verb = name, verb

    def load(self) -> Callable[[], None]:
        if isinstance(self._verb, Exception):
            raise self._verb
        return self._verb


def test_other_packages_add_verbs(textpoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def window() -> None:
        """Open a window."""
        print("window")

    entries = [
        Entry("gui", window),
        Entry("broken", ImportError("libGL is\nmissing")),
        Entry("run", fail(RuntimeError("a built-in verb cannot be replaced"))),  # type: ignore[arg-type]
    ]

    def entry_points(**_selection: Any) -> list[Entry]:
        return entries

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert textpoke("gui").out == b"window\n"
    assert b"Open a window." in textpoke("--help").out
    assert textpoke("run", "--help").out.startswith(b"Usage: textpoke run")
    assert "broken cannot be loaded: ImportError: libGL is missing" in textpoke("broken").refusal()


def test_the_status_of_the_exit_port_is_that_of_qemu() -> None:
    class Machine:
        exit_value = 0x81

    class Lab:
        machine = Machine()

    class End:
        name = "EXIT"

    assert running.exit_status(Lab(), End()) == 3  # type: ignore[arg-type]
