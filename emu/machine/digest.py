"""Digests of states: two 64-bit numbers by multiplying and shifting, fast enough for every step.

Canonical like `hashing`, part by part: two states of equal `state_hash` have equal digests. They
are for finding a state again among millions, not against somebody who looks for collisions, and
never leave the process.
"""

import numpy as np

from emu.machine.clock import COUNTED
from emu.machine.native import jit, load32, load64
from emu.machine.state import (
    C_FLOOR,
    C_STATE,
    CORE_WAITS,
    D_CORE,
    D_DUE,
    D_VECTOR,
    H_ADDRESS,
    H_CORE,
    H_LENGTH,
    H_NEW,
    H_OLD,
    H_TIME,
    M_CLOCK,
    M_CLOCK_MODE,
    M_CORES,
    M_DELAYED,
    M_HISTORY,
    M_INPUT_HEAD,
    M_INPUT_TAIL,
    M_MODEL,
    MAX_INPUT,
    State,
    Words,
)
from emu.machine.text import COHERENT
from emu.machine.unicorn_layout import (
    CC_SRC,
    DIRECTION,
    HFLAGS,
    HFLAGS2,
    NMI_MASKED,
    RFLAGS,
    SHADOW,
)

_ARITHMETIC_FLAGS, _DIRECTION_FLAG = 0x8D5, 1 << 10
# odd numbers of no pattern: the golden ratio's and SplitMix64's
_ONE, _TWO = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)

UNHASHED, HASHED, CLOCK = range(3)
"""What a word of a record counts for: nothing, itself, itself if the clock is `counted`.

Times count for themselves: with the clock they say how long it is until then, and where the clock
is `chosen` there are none.
"""


@jit
def step(one: int, word: int) -> int:
    """Let one word change the first half of a digest."""
    h = (np.uint64(one) ^ np.uint64(word)) * _ONE
    return int(np.int64(h ^ (h >> _SHIFT)))


@jit
def step_two(two: int, word: int) -> int:
    """Let one word change the second half of a digest."""
    h = (np.uint64(two) ^ np.uint64(word)) * _TWO
    return int(np.int64(h ^ (h >> _SHIFT)))


@jit
def of_memory(at: int, words: int, seed: int) -> tuple[int, int]:
    """Return the digest of an even number of words at a host address."""
    one, two, more, most = seed, ~seed, seed + 1, ~seed - 1
    for offset in range(at, at + 8 * words, 16):
        even, odd = load64(offset), load64(offset + 8)
        one, two = step(one, even), step_two(two, even)
        more, most = step(more, odd), step_two(most, odd)
    return step(one, more), step_two(two, most)


@jit
def of_fields(at: int, fields: Words, seed: int) -> tuple[int, int]:
    """Return the digest of some words of a record; fields: [n, 2] offset and mask of each."""
    one, two = seed, ~seed
    for row in range(fields.shape[0]):
        word = load64(at + fields[row, 0]) & fields[row, 1]
        one, two = step(one, word), step_two(two, word)
    return one, two


@jit
def of_registers(at: int, fields: Words, seed: int) -> tuple[int, int]:
    """Return the digest of the first part of a CPUX86State whose flags are canonical."""
    one, two = of_fields(at, fields, seed)
    flags = load64(at + RFLAGS) & ~(_ARITHMETIC_FLAGS | _DIRECTION_FLAG)
    flags |= load64(at + CC_SRC) & _ARITHMETIC_FLAGS | load32(at + DIRECTION) & _DIRECTION_FLAG
    hidden = load32(at + HFLAGS) & (3 | SHADOW) | (load32(at + HFLAGS2) & NMI_MASKED) << 8
    one, two = step(one, flags), step_two(two, flags)
    return step(one, hidden), step_two(two, hidden)


@jit
def of_record(s: State, at: int, counted: Words) -> tuple[int, int]:
    """Return the digest of a record of tables and scalars.

    counted: [n, 2] index of each word that counts, and what for. Tables whose rows are not all in
    use count here by themselves: history, held back interrupts, serial input.
    """
    one, two = np.int64(3), np.int64(5)
    clock = s.m[M_CLOCK]
    for row in range(counted.shape[0]):
        word, kind = load64(at + 8 * counted[row, 0]), counted[row, 1]
        if kind == CLOCK and s.m[M_CLOCK_MODE] != COUNTED:
            continue
        one, two = step(one, word), step_two(two, word)
    for place in range(s.m[M_INPUT_HEAD], s.m[M_INPUT_TAIL]):
        byte = s.input[place & MAX_INPUT - 1] | 0x100
        one, two = step(one, byte), step_two(two, byte)
    for row in range(s.m[M_DELAYED]):
        what = s.delayed[row, D_CORE] << 8 | s.delayed[row, D_VECTOR]
        one, two = step(one, what), step_two(two, what)
        due = s.delayed[row, D_DUE] - clock
        one, two = step(one, due), step_two(two, due)
    return of_text(s, one, two)


@jit
def of_text(s: State, one: int, two: int) -> tuple[int, int]:
    """Add the stores that some core may not have seen, and of each core the first of them."""
    if s.m[M_MODEL] == COHERENT or s.m[M_HISTORY] == 0:
        return one, two
    dropped = s.m[M_HISTORY]
    for core in range(s.m[M_CORES]):
        if s.core[core, C_STATE] != CORE_WAITS:
            dropped = min(dropped, _first_unseen(s, s.core[core, C_FLOOR]))
    if dropped == s.m[M_HISTORY]:
        return one, two
    for row in range(dropped, s.m[M_HISTORY]):
        place = s.history[row, H_ADDRESS] << 4 | s.history[row, H_LENGTH]
        one, two = step(one, place), step_two(two, place)
        one, two = step(one, s.history[row, H_OLD]), step_two(two, s.history[row, H_OLD])
        one, two = step(one, s.history[row, H_NEW]), step_two(two, s.history[row, H_NEW])
        one, two = step(one, s.history[row, H_CORE]), step_two(two, s.history[row, H_CORE])
    for core in range(s.m[M_CORES]):
        if s.core[core, C_STATE] != CORE_WAITS:
            unseen = _first_unseen(s, s.core[core, C_FLOOR]) - dropped
            one, two = step(one, unseen), step_two(two, unseen)
    return one, two


@jit
def _first_unseen(s: State, floor: int) -> int:
    row = 0
    while row < s.m[M_HISTORY] and s.history[row, H_TIME] <= floor:
        row += 1
    return row
