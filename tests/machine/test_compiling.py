"""What is said while numba compiles: a count at a terminal, one line elsewhere, once."""

import io
import re
import sys

import numba
import pytest
from numba.core import event

from emu.machine import compiling
from emu.machine.compiling import Compiling

CLEAR = "\r\x1b[K"
LINE = "textpoke: compiling the machine, once (about a minute)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def compile_two() -> None:
    """Compile a function and, for it, another."""

    @numba.njit  # type: ignore[untyped-decorator] # numba has no types
    def inner(number: int) -> int:
        return number + 1

    @numba.njit  # type: ignore[untyped-decorator] # numba has no types
    def outer(number: int) -> int:
        found: int = inner(number)
        return 2 * found

    assert outer(3) == 8


def test_a_terminal_sees_how_many_functions_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    compiling.announce()  # as the first machine of a process does
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    compile_two()
    *lines, last = terminal.getvalue().split(CLEAR)[1:]
    counts = [
        int(found[1]) for line in lines if (found := re.match(rf"{re.escape(LINE)}: (\d+)", line))
    ]
    assert (len(lines), last) == (3, "")
    assert counts == [counts[0], counts[0], counts[0] + 1]
    assert not compiling.busy()


@pytest.mark.parametrize("before", [False, True])
def test_elsewhere_it_is_one_line_the_first_time(
    capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    with event.install_listener("numba:compile", Compiling(before=before)):
        compile_two()
        compile_two()
    assert capsys.readouterr().err == ("" if before else f"{LINE}\n")
