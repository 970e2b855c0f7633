"""What is said while the machine is compiled, on standard error.

The first run of a version compiles for about a minute; numba tells when it begins and ends with a
function (numba.core.event, "numba:compile"), but nothing of what it finds in its cache. At a
terminal a line counts the functions, and goes when there is nothing to compile for the moment;
elsewhere the first run says it in one line.
"""

import sys
from typing import Any, Final

from numba.core import event

from emu.machine import native

_CLEAR: Final = "\r\x1b[K"


class Compiling(event.Listener):  # type: ignore[misc] # numba has no types
    """Says how far numba is. before: an earlier process has compiled these sources."""

    def __init__(self, *, before: bool) -> None:
        self._said = before
        self._functions = 0
        self._depth = 0  # a function is compiled while its caller is

    @property
    def busy(self) -> bool:
        """Whether something is compiled now."""
        return self._depth > 0

    def on_start(self, _event: Any) -> None:
        """numba begins with a function."""
        self._depth += 1
        if not _terminal() and not self._said:
            print("textpoke: compiling the machine, once (about a minute)", file=sys.stderr)
        self._said = True
        self._show()

    def on_end(self, _event: Any) -> None:
        """numba has compiled a function."""
        self._depth -= 1
        self._functions += 1
        self._show()

    def _show(self) -> None:
        if not _terminal():
            return
        line = f"textpoke: compiling the machine, once (about a minute): {self._functions} "
        line += "function" if self._functions == 1 else "functions"
        sys.stderr.write(f"{_CLEAR}{line if self.busy else ''}")
        sys.stderr.flush()


_told: list[Compiling] = []


def announce() -> None:
    """Say it from now on, whenever this process compiles something."""
    if not _told:
        _told.append(Compiling(before=native.compiled_before()))
        event.register("numba:compile", _told[0])


def busy() -> bool:
    """Return whether something is compiled now."""
    return any(each.busy for each in _told)


def _terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
