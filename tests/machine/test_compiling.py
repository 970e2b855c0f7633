"""What is said while numba compiles: a count at a terminal, one line elsewhere, once."""

import io
import sys

import numba
import pytest
from numba.core import event

from emu.machine.compiling import Compiling

CLEAR = "\r\x1b[K"
LINE = "textpoke: compiling the machine, once (about a minute)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def compile_two(told: Compiling) -> None:
    """Compile a function and, for it, another."""

    @numba.njit  # type: ignore[untyped-decorator] # numba has no types
    def inner(number: int) -> int:
        return number + 1

    @numba.njit  # type: ignore[untyped-decorator] # numba has no types
    def outer(number: int) -> int:
        found: int = inner(number)
        return 2 * found

    with event.install_listener("numba:compile", told):
        assert outer(3) == 8


def test_a_terminal_sees_how_many_functions_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    told = Compiling(before=True)
    compile_two(told)
    counts = ("0 functions", "0 functions", "1 function")
    assert terminal.getvalue() == "".join(f"{CLEAR}{LINE}: {n}" for n in counts) + CLEAR
    assert not told.busy


@pytest.mark.parametrize("before", [False, True])
def test_elsewhere_it_is_one_line_the_first_time(
    capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    told = Compiling(before=before)
    compile_two(told)
    compile_two(told)
    assert capsys.readouterr().err == ("" if before else f"{LINE}\n")
