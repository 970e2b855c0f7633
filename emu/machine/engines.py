"""The two engines: the machine's functions compiled by numba, or run by Python as they stand.

Both work on the same arrays of `state.State` and go through the same states, so hashes and events
are equal whichever is chosen; CI compares them.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any, Final

from emu.errors import TextpokeError


class Engine:
    """The modules of emu.machine as one engine has them: `engine.loop.drive(...)`."""

    def __init__(self, name: str, module: Callable[[str], Any]) -> None:
        self.name, self._module = name, module

    def __getattr__(self, module: str) -> Any:
        found = self._module(module)
        setattr(self, module, found)
        return found


def _compiled(module: str) -> Any:
    return importlib.import_module(f"emu.machine.{module}")


def _uncompiled(module: str) -> Any:
    from emu.machine import reference  # noqa: PLC0415 -- only who asks for it pays for it

    return reference.Entrances(module)


COMPILED: Final = "compiled"
_MODULES: Final = {COMPILED: _compiled, "reference": _uncompiled}
ENGINES: Final = tuple(_MODULES)


@functools.cache
def engine_called(name: str) -> Engine:
    """Return the engine of this name; TextpokeError if there is none."""
    if name not in _MODULES:
        raise TextpokeError(f"no engine {name!r}: there are {' and '.join(ENGINES)}")
    return Engine(name, _MODULES[name])
