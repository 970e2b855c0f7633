"""What the uncompiled functions have for `native` and `view`: the same names, in plain Python.

`reference` imports the machine's sources a second time and gives them these instead, so a
function decorated with `jit` stays as it is, a `hook` becomes a callback into Python, and an
exported function of the engine a ctypes one.
"""

import ctypes
import functools
import weakref
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from numba import types

from emu.machine import callbacks
from emu.machine.plain_numbers import shared
from emu.machine.state import State

_USER_SPACE = 1 << 47  # bytes: where a process has its memory


def jit(function: Callable[..., Any]) -> Any:
    """Leave a function as it is."""
    return function


unlocked = jit


def by_engine(function: Callable[..., Any]) -> Any:
    """Take the function of this name in `delivery` instead, which does what QEMU does."""

    def ours(*arguments: Any) -> Any:
        from emu.machine import reference  # noqa: PLC0415 -- it imports this module

        return getattr(reference.module("delivery"), function.__name__)(*arguments)

    return ours


class Hook:
    """A function that the engine calls back."""

    def __init__(
        self, function: Callable[..., Any], signature: Any, *, told_caller: bool = False
    ) -> None:
        self.function = function
        self._make = functools.partial(
            callbacks.callback, function, signature, told_caller=told_caller
        )
        self._address = 0

    @property
    def address(self) -> int:
        """The address of the native code that calls it."""
        if not self._address:
            self._address = self._make()
        return self._address


def hook(signature: Any) -> Callable[[Callable[..., Any]], Hook]:
    """Mark a function as one that the engine calls back."""
    return lambda function: Hook(function, signature)


def addresses(*hooks: Hook) -> Callable[[], tuple[int, ...]]:
    """Return what tells the addresses of hooks."""
    return lambda: tuple(each.address for each in hooks)


def entry(quick: Callable[..., bool], full: Callable[..., None], *parameters: Any) -> Any:
    """Return what tells the address at which the engine calls both; see `native.entry`."""

    def both(*arguments: Any) -> None:
        if not quick(*arguments):
            full(*arguments)

    made = Hook(both, types.void(*parameters), told_caller=True)
    return lambda: made.address


def external(library: ctypes.CDLL, name: str, signature: Any) -> Callable[..., Any]:
    """Make an exported function of the engine callable."""
    return callbacks.external(library, name, signature)


def _memory(ctype: Any) -> list[Any]:
    """Return all memory of this process as arrays, one for each way to be aligned."""
    size = ctypes.sizeof(ctype)
    return [(ctype * (_USER_SPACE // size - 1)).from_address(start) for start in range(size)]


_bytes, _halves = _memory(ctypes.c_uint8), _memory(ctypes.c_uint16)
_longs, _words = _memory(ctypes.c_uint32), _memory(ctypes.c_int64)


def load8(address: int) -> int:
    """Load a byte at a host address, zero-extended."""
    return _bytes[0][address]


def load16(address: int) -> int:
    """Load 2 bytes at a host address, zero-extended."""
    return _halves[address & 1][address >> 1]


def load32(address: int) -> int:
    """Load 4 bytes at a host address, zero-extended."""
    return _longs[address & 3][address >> 2]


def load64(address: int) -> int:
    """Load 8 bytes at a host address, signed."""
    return _words[address & 7][address >> 3]


def store8(address: int, value: int) -> None:
    """Store a byte at a host address."""
    _bytes[0][address] = value


def store16(address: int, value: int) -> None:
    """Store 2 bytes at a host address."""
    _halves[address & 1][address >> 1] = value


def store32(address: int, value: int) -> None:
    """Store 4 bytes at a host address."""
    _longs[address & 3][address >> 2] = value


def store64(address: int, value: int) -> None:
    """Store 8 bytes at a host address."""
    _words[address & 7][address >> 3] = value


copy = ctypes.memmove


def pointer(address: int) -> int:
    """Return the address: an uncompiled function has no other pointers."""
    return address


class View:
    """A State as the uncompiled functions see it: its arrays hold ints."""

    def __init__(self, state: State) -> None:
        self.address = state.address
        for field in fields(State):
            setattr(self, field.name, shared(getattr(state, field.name)))


_views: dict[int, View] = {}
state_at = _views.__getitem__


def view(state: State) -> View:
    """Return the View of a State, which hooks find by its address while the State lives."""
    found = _views.get(state.address)
    if found is None:
        found = _views[state.address] = View(state)
        weakref.finalize(state, _views.pop, state.address)
    return found
