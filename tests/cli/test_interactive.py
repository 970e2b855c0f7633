"""Input for the guest: typed at a terminal, or given by --input; and saved like everything."""

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Self

import pytest

from emu.cli import console, session
from emu.cli.keys import HELP
from emu.lab import Lab, boot
from emu.machine import ioapic
from emu.moves.schedule import Schedule
from emu.moves.segment import Moves
from tests.cli import linux_kernel
from tests.cli.conftest import Command
from tests.cli.kernel_file import long_mode
from tests.cli.person import Person
from tests.machine.guest_tables import LARGE, NX, PRESENT, WRITABLE

PAGES = {ioapic.BASE: ioapic.BASE | PRESENT | WRITABLE | NX | LARGE}

# Sleeps until bytes come in, and sends each of them back; q resets the machine.
ECHO = f"""
    mov al, 0xff; out 0x21, al; out 0xa1, al
    mov r8d, {ioapic.BASE:#x}
    mov dword ptr [r8], 0x18; mov dword ptr [r8 + 0x10], 0x51
    mov dx, 0x3f9; mov al, 1; out dx, al
    mov dx, 0x3f8; mov al, 0x3e; out dx, al
again:
    sti; hlt; cli
more:
    mov dx, 0x3fd; in al, dx; test al, 1; jz again
    mov dx, 0x3f8; in al, dx; out dx, al
    cmp al, 0x71; jne more
    mov al, 0xfe; out 0x64, al
    jmp more
"""
DEAF = "mov dx, 0x3f8; mov al, 0x3e; out dx, al; cli; hlt"


def echo(folder: Path) -> Path:
    """Write the kernel that says what it hears."""
    return long_mode(folder, ECHO, pages=PAGES)


# --- given input -------------------------------------------------------------------------------


def test_input_comes_from_a_file(textpoke: Command, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"hello \x00\xff\n" * 1000 + b"q")
    said = textpoke("run", echo(tmp_path), "--cores", 1, "--input", words)
    assert (said.status, said.out) == (0, b">" + words.read_bytes())
    assert said.err == "textpoke: the guest reset the machine (keyboard controller, port 0x64)\n"


def test_input_comes_from_standard_input(
    textpoke: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"pipedq")))
    said = textpoke("run", echo(tmp_path), "--cores", 1, "--input", "-", "--json")
    document = json.loads(said.out)
    assert (said.status, document["serial"], document["end"]) == (0, ">pipedq", "exit")
    assert document["ended_by"].startswith("the guest reset the machine")


def test_without_it_standard_input_is_not_read(
    textpoke: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"q")))
    said = textpoke("run", echo(tmp_path), "--cores", 1)
    assert (said.status, said.out) == (4, b">")
    assert "core 0 is halted, and no interrupt can come in core0" in said.err
    assert sys.stdin.buffer.read() == b"q"


@pytest.mark.parametrize("seed", [[], ["--seed", 3]])
def test_a_run_with_input_replays(textpoke: Command, tmp_path: Path, seed: list[object]) -> None:
    words, file, image = tmp_path / "words", tmp_path / "run.json", echo(tmp_path)
    words.write_bytes(b"abc" * 2000 + b"q")
    said = textpoke("run", image, "--cores", 2, "--input", words, "--save", file, "--hash", *seed)
    assert said.status == 0
    again = textpoke("replay", file, image, "--hash")
    assert again.status == 0
    assert again.out.split()[-1] == said.out.split()[-1]
    listed = [part for part in Schedule.read(file).segments if isinstance(part, Moves)]
    assert sum(len(part.rows) for part in listed) >= 6001 // 15


def test_input_that_cannot_be_had(textpoke: Command, tmp_path: Path) -> None:
    assert "No such file" in textpoke("run", "toy", "--input", tmp_path / "none").refusal()
    assert "Is a directory" in textpoke("run", "toy", "--input", tmp_path).refusal()
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, (16 << 20) + 1)
    assert "over 16 MiB" in textpoke("run", "toy", "--input", large).refusal()


# --- a session, with a terminal of the test's own ------------------------------------------------


class Typist:
    """Types what a test says, and notes when it was waited for."""

    def __init__(self, *typed: bytes | None) -> None:
        self._typed = list(typed)
        self.waited: list[bool] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def typed(self, *, wait: bool) -> bytes | None:
        self.waited.append(wait)
        return self._typed.pop(0)


def sit(
    monkeypatch: pytest.MonkeyPatch, lab: Lab, typist: Typist, until: bytes | None = None
) -> object:
    """Return how a session ends in which somebody types this."""
    monkeypatch.setattr(session, "Terminal", lambda: typist)
    monkeypatch.setattr(console, "raw", lambda _data: None)
    return session.Session(lab, until).run(10_000_000)


def test_a_guest_that_waits_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lab, typist = boot(echo(tmp_path), cores=1), Typist(b"", b"a", b"bc", b"\x01x")
    assert sit(monkeypatch, lab, typist) is None
    assert bytes(lab.machine.output) == b">abc"
    assert typist.waited == [False, True, True, True]


def test_a_guest_that_hears_nothing_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lab, typist = boot(long_mode(tmp_path, DEAF), cores=1), Typist(b"", b"a")
    assert sit(monkeypatch, lab, typist) is not None
    assert typist.waited == [False]


def test_a_session_ends_with_a_text_or_when_its_terminal_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lab = boot(echo(tmp_path), cores=1)
    assert str(sit(monkeypatch, lab, Typist(b"", b"yes"), b"es")) == "End.TEXT"
    assert sit(monkeypatch, lab, Typist(None)) is None


# --- a person ------------------------------------------------------------------------------------


def test_a_person_types(tmp_path: Path) -> None:
    image, file = echo(tmp_path), tmp_path / "run.json"
    person = Person("run", image, "--cores", 1, "--save", file)
    assert "Ctrl-A X leaves" in person.read_until(">")
    assert person.raw()
    person.type("hi\x03")  # Ctrl-C is the guest's
    person.read_until("hi\x03")
    person.type("\x01\x01")
    person.read_until("\x01")
    person.type("\x01h")
    for line in HELP:
        person.read_until(line)
    person.type("\x01s")
    person.read_until("start with --snapshot FILE")
    person.type("\x1b[31m")
    person.read_until("\x1b[31m")  # obeyed, not shown: it is an interactive console
    person.type("\x01x")
    assert person.end() == 0
    again = Schedule.read(file)
    assert [type(part).__name__ for part in again.segments][:3] == ["Chosen", "Moves", "Chosen"]


def test_a_person_s_session_replays(textpoke: Command, tmp_path: Path) -> None:
    image, file = echo(tmp_path), tmp_path / "run.json"
    person = Person("run", image, "--cores", 1, "--save", file, "--hash", "--seed", 2)
    person.read_until(">")
    for word in ("one ", "two ", "q"):
        person.type(word)
        person.read_until(word)
    assert person.end() == 0
    hashed = person.shown.split()
    assert "reset" in hashed
    said = textpoke("replay", file, image, "--hash")
    assert said.status == 0
    assert said.out.split()[-1].decode() in hashed


def test_a_guest_that_dies_gives_the_terminal_back(tmp_path: Path) -> None:
    person = Person("run", long_mode(tmp_path, DEAF), "--cores", 1)
    person.read_until("nobody can move")
    assert person.end() == 4


@pytest.mark.parametrize(("piped", "said"), [
    ("stdout", "standard output is no terminal: not interactive, what you type is not read"),
    ("stdin", "standard input is no terminal: not interactive; --input - lets the guest receive"),
])  # fmt: skip
def test_who_cannot_type_is_told_so(tmp_path: Path, piped: str, said: str) -> None:
    image = long_mode(tmp_path, DEAF)
    person = Person("run", image, "--cores", 1, piped=piped)
    person.read_until(f"textpoke: {said}")
    assert person.end() == 4
    given = Person("run", image, "--cores", 1, "--input", "/dev/null", piped=piped)
    assert given.end() == 4
    assert "not interactive" not in given.shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    person = Person("run", echo(tmp_path), "--cores", 1)
    person.read_until(">")
    assert person.raw()
    person.process.send_signal(number)
    assert person.end() == -number


def test_an_error_gives_the_terminal_back(tmp_path: Path) -> None:
    person = Person("run", echo(tmp_path), "--cores", 1)
    person.read_until(">")
    person.process.send_signal(signal.SIGINT)  # from elsewhere: the key itself is the guest's
    assert person.end() == 130


def test_at_a_terminal_the_prompt_of_linux_ends_nothing(tmp_path: Path) -> None:
    person = Person("linux", linux_kernel.kernel(tmp_path, b"init# ", linux_kernel.SPIN))
    person.read_until("init# ")
    person.type("\x01h")
    person.read_until(HELP[-1])
    person.type("\x01x")
    assert person.end() == 0
