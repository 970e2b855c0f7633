"""Running the command in this process: importing the machine once is enough."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from emu.cli.main import main


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: bytes
    err: str

    def refusal(self) -> str:
        """Return its one line on standard error; the status is 2 and nothing else was said."""
        assert self.status == 2, self
        assert self.out == b""
        (line,) = self.err.splitlines()
        assert line.startswith("textpoke: ")
        return line.removeprefix("textpoke: ")


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Compile the machine before anybody counts the lines of standard error."""
    main(["run", "toy", "--steps", "100_000", "--json"])


Command = Callable[..., Said]


@pytest.fixture
def textpoke(capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    def command(*words: object) -> Said:
        capfdbinary.readouterr()
        status = main([str(word) for word in words])
        captured = capfdbinary.readouterr()
        return Said(status, captured.out, captured.err.decode())

    return command
