"""Numbers and arrays as native code has them, in plain Python.

The reference engine runs the machine's functions uncompiled. In native code a number is 64 bits
and wraps round; here it is an int. The two differ where a result leaves the 64 bits, so:

* elements of arrays are ints, read as native code reads them (zero-extended where unsigned) and
  cut to the element's width when stored: ctypes arrays over the same memory do just that, three
  times as fast as numpy;
* a shift to the left, which is how bit patterns are put together, is cut to 64 bits (`shifted`);
* `np.int64(x)` and the like cut to their width. `np.uint64`, which only generators of random
  numbers use, stays numpy's own: it wraps by itself.

Sums and products are left alone: addresses, times and counts stay far below 2**62, and one that
does not is an error that the comparison of the two engines is there to find.
"""

import ctypes
import functools
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TOP, _MASK = 1 << 63, (1 << 64) - 1


def shifted(value: Any, count: Any) -> Any:
    """Return value << count, cut to 64 bits."""
    if type(value) is not int:
        return value << count
    return ((value << count) + _TOP & _MASK) - _TOP


def fill(target: Any, where: slice, value: Any) -> None:
    """Store to a slice: an array element by element, or one number everywhere."""
    places = range(*where.indices(len(target)))
    values = [value] * len(places) if isinstance(value, int) else value
    for place, element in zip(places, values, strict=True):
        target[place] = element


class Kind:
    """An integer type: called, it cuts a number to its width; numpy takes it as a dtype."""

    def __init__(self, ctype: Any) -> None:
        self.ctype, self.dtype = ctype, np.dtype(ctype)

    def __call__(self, value: Any) -> int:
        """Return a number, cut."""
        return int(self.ctype(int(value)).value)


KINDS: Final = {
    kind.dtype.name: kind
    for kind in map(
        Kind,
        (
            ctypes.c_int8,
            ctypes.c_uint8,
            ctypes.c_int16,
            ctypes.c_uint16,
            ctypes.c_int32,
            ctypes.c_uint32,
            ctypes.c_int64,
        ),
    )
}
"""The integer types whose values are ints here, by numpy's names."""


@functools.lru_cache(256)
def _cells(kind: str, length: int) -> Any:
    members = {"size": length, "shape": (length,)}
    return type("Cells", (KINDS[kind].ctype * length,), members)


class Rows:
    """An array of two dimensions."""

    def __init__(self, cells: Any, shape: tuple[int, int]) -> None:
        self.cells, self.shape, self.columns = cells, shape, shape[1]
        self.size = shape[0] * shape[1]

    def __getitem__(self, at: tuple[int, int]) -> int:
        return self.cells[at[0] * self.columns + at[1]]

    def __setitem__(self, at: tuple[int, int], value: int) -> None:
        self.cells[at[0] * self.columns + at[1]] = value


def shared(array: NDArray[Any]) -> Any:
    """Return an array of ints over the same memory as numpy's; itself if it has another type."""
    if array.dtype.name not in KINDS:
        return array
    assert array.flags.c_contiguous, "native code wants its arrays whole"
    cells = _cells(array.dtype.name, array.size).from_address(array.ctypes.data)
    cells.memory = array  # which lives as long as this
    return cells if array.ndim == 1 else Rows(cells, array.shape)


class _Numpy(SimpleNamespace):
    """What the uncompiled functions have for numpy: its arrays hold ints."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):
            return found

        def make(*arguments: Any, **options: Any) -> Any:
            made = found(*arguments, **options)
            return shared(made) if isinstance(made, np.ndarray) else made

        setattr(self, name, make)
        return make


numpy: Final = _Numpy(**KINDS)
