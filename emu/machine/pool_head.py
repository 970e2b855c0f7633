"""What a pool is made of: one array of numbers and addresses, and stores of parts.

A *store* keeps parts of one kind, each once, found by their digest: open addressing with twice as
many slots as parts. Host addresses of all arrays stand in `head`, as in `state`.
"""

import ctypes
from typing import Final

from numba import types

from emu.machine.native import external, jit, load64, store64
from emu.machine.state import (
    MAX_CORES,
    PAGE,
    Words,
)

FULL: Final = -1
"""What `intern` and `capture` return instead of a number when there is no room."""

SPLIT: Final = 600  # bytes of CPUX86State in the first half of a register file
PAGE_RECORD: Final = PAGE + 16  # the page, which of its lines were fetched, and a zero

# one store: five words of `head`
RECORDS, SIZE, DIGESTS, SLOTS, COUNT, MOST = range(6)
PAGES, LOWER, UPPER, TABLES, STATES = 0, 8, 16, 24, 32
NEW: Final = 40  # head[NEW]: the last state captured was not there before
EXTRA: Final = 41  # head[EXTRA]: what the caller gave for the state that was captured or restored
SUM_ONE, SUM_TWO = 42, 43  # sums over the digests of all pages
BASE, BASE_DIGESTS = 44, 45  # RAM of the base, as records
NOW, HELD, HELD_COUNT = 46, 47, 48  # part number of each page now (0: base), those not base
WANTED, SERIAL = 49, 50  # of each page the serial number of the last restore that wants it
EPOCH = 51  # of the dirty map, when last looked at
ROW = 54  # scratch: the state being made
LINKS = 55  # where the states' rows are: [n] offset
ARENA, ARENA_USED, ARENA_SIZE = 56, 57, 58
LISTED = 59  # of each page: is it among those held?
VAIN = 60  # dirty pages that were looked at and had not changed, since they were forgotten
HEAD_SIZE = 64

# a state's row in the arena: two words of digest are in its store
R_EXTRA, R_SUM_ONE, R_SUM_TWO, R_TABLES, R_PAGES, R_FILES = range(6)
R_LIST = R_FILES + 2 * MAX_CORES

_libc = ctypes.CDLL(None)  # whose memcpy and memcmp are the fastest there are
_i64 = types.int64
copy = external(_libc, "memcpy", _i64(_i64, _i64, _i64))
compare = external(_libc, "memcmp", types.int32(_i64, _i64, _i64))


@jit
def slot_of(head: Words, store: int, one: int, two: int) -> int:
    """Return the host address of the slot a digest is found in, or would be."""
    slots, digests = head[store + SLOTS], head[store + DIGESTS]
    mask = 2 * head[store + MOST] - 1
    at = two & mask
    while True:
        number = load64(slots + 8 * at) - 1
        if number < 0:
            return slots + 8 * at
        if load64(digests + 16 * number) == one and load64(digests + 16 * number + 8) == two:
            return slots + 8 * at
        at = at + 1 & mask


@jit
def add(head: Words, store: int, slot: int, one: int, two: int) -> int:
    """Take the next number of a store for a new digest; FULL if there is none."""
    number = head[store + COUNT]
    if number == head[store + MOST]:
        return FULL
    head[store + COUNT] = number + 1
    store64(slot, number + 1)
    store64(head[store + DIGESTS] + 16 * number, one)
    store64(head[store + DIGESTS] + 16 * number + 8, two)
    return number


@jit
def part(head: Words, store: int, number: int) -> int:
    """Return the host address of a part."""
    return head[store + RECORDS] + number * head[store + SIZE]


@jit
def intern(head: Words, store: int, at: int, one: int, two: int) -> int:
    """Return the number of the part at a host address, which is kept if it is new."""
    slot = slot_of(head, store, one, two)
    number = load64(slot) - 1
    if number < 0:
        number = add(head, store, slot, one, two)
        if number >= 0:
            copy(part(head, store, number), at, head[store + SIZE])
    return number
