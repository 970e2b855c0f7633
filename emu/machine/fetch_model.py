"""The fetch models: which versions of its bytes one fetch may see, all of them taken together.

coherent: the newest bytes, always. observed: one version for each aligned 8-byte word, words
independent (what has been observed on hardware). intel2010: byte by byte, but never older than
the byte before it (Intel's unofficial promise of 2010). sdm: every byte any version (what the
manual leaves open), with the RACE rule as verdict HAZARD.

`text` says which versions of one byte there are.
"""

import numpy as np

from emu.machine.decode import MAX_LENGTH, decode
from emu.machine.native import jit
from emu.machine.splitmix import below
from emu.machine.state import (
    C_FLOOR,
    H_ADDRESS,
    H_LENGTH,
    H_TIME,
    M_HISTORY,
    M_MODEL,
    M_TEXT_NOW,
    MAX_HISTORY,
    Bytes,
    Seeds,
    State,
    Words,
)
from emu.machine.text import (
    COHERENT,
    INTEL2010,
    OBSERVED,
    byte_at,
    byte_floor,
    code_at,
    version_times,
)

INT3 = 0xCC


@jit
def hazard(s: State, core: int, addresses: Words, mode: int) -> bool:
    """Return whether the RACE rule is broken for a fetch at these addresses.

    The instructions that stood there whole at any time from the core's floor to now, those
    that begin with int3 left out, must be one (Intel errata "Unsynchronized Cross-Modifying
    Code"; the int3 exception is R. Moore's, quoted in Linux's immediate values).
    """
    code = np.zeros(24, np.uint8)
    first = np.zeros(24, np.uint8)
    first_length = 0
    code_at(s, addresses, s.m[M_TEXT_NOW], code)
    newest, _ = decode(code, mode)
    time = s.core[core, C_FLOOR]
    for index in range(newest):
        time = max(time, byte_floor(s, core, addresses[index]))
    row = 0
    while row < s.m[M_HISTORY] and s.history[row, H_TIME] <= time:
        row += 1
    while True:
        code_at(s, addresses, time, code)
        if code[0] != INT3:
            length, _ = decode(code, mode)
            if first_length == 0:
                first_length = length
                first[:] = code
            elif length != first_length:
                return True
            else:
                for index in range(length):
                    if code[index] != first[index]:
                        return True
        if row == s.m[M_HISTORY]:
            return False
        time = s.history[row, H_TIME]
        row += 1


@jit
def choose(
    s: State, core: int, addresses: Words, mode: int, ages: Words, code: Bytes, random: Seeds
) -> int:
    """Let the fetch model choose versions for one fetch; returns the instruction's length.

    addresses: physical address of each of the 15 bytes at RIP, -1 where none can be fetched.
    ages, code: filled with the chosen age and value of every byte.
    random: one-element array with a SplitMix64 state, or an empty one to take the newest.
    """
    now = s.m[M_TEXT_NOW]
    model = s.m[M_MODEL]
    times = np.zeros(MAX_HISTORY + 1, np.int64)
    length = MAX_LENGTH
    at = 0
    granule = np.int64(-1)
    chosen = now
    while at < length:
        address = addresses[at]
        if address < 0:
            ages[at], code[at] = 0, 0
            at += 1
            continue
        floor = byte_floor(s, core, address)
        if random.size == 0 or model == COHERENT:
            chosen = now
        elif model == OBSERVED:
            if address >> 3 != granule:
                granule = address >> 3
                chosen = _random_time(s, granule << 3, 8, floor, random)
        elif model == INTEL2010:
            earliest = max(chosen, floor) if at else floor
            chosen = max(earliest, _random_time(s, address, 1, earliest, random))
        else:
            chosen = _random_time(s, address, 1, floor, random)
        count = version_times(s, address, floor, times)
        age = 0
        while age < count - 1 and times[age] > chosen:
            age += 1
        ages[at] = age
        code[at] = byte_at(s, address, times[age] if age < count - 1 else floor)
        at += 1
        length = max(at, _length_so_far(s, addresses, code, at, mode))
    for rest in range(length, MAX_LENGTH):
        ages[rest] = 0
        code[rest] = byte_at(s, addresses[rest], now) if addresses[rest] >= 0 else 0
    return length


@jit
def _length_so_far(s: State, addresses: Words, code: Bytes, known: int, mode: int) -> int:
    """Return the length of the instruction of which `known` bytes are chosen."""
    for index in range(known, MAX_LENGTH):
        code[index] = s.ram[addresses[index]] if addresses[index] >= 0 else 0
    length, _ = decode(code, mode)
    return length


@jit
def _random_time(s: State, address: int, size: int, floor: int, random: Seeds) -> int:
    """Pick evenly among the moments at which these bytes changed, the floor included."""
    moments = np.int64(1)
    for pick in range(2):
        count = np.int64(1)
        for row in range(s.m[M_HISTORY]):
            start = s.history[row, H_ADDRESS]
            if (
                s.history[row, H_TIME] > floor
                and start < address + size
                and address < start + s.history[row, H_LENGTH]
            ):
                count += 1
                if pick and count == moments:
                    return s.history[row, H_TIME]
        if pick == 0:
            moments = np.int64(1) + below(random, count)
            if moments == 1:
                return floor
    return floor


@jit
def allowed(s: State, core: int, addresses: Words, ages: Words, length: int, code: Bytes) -> bool:
    """Check chosen ages against the fetch model and fill `code`; returns whether it may be.

    For observed, one moment must fit all bytes of an 8-byte word; for intel2010, moments that
    never go back must fit; for sdm any version between floor and now will do.
    """
    now = s.m[M_TEXT_NOW]
    model = s.m[M_MODEL]
    times = np.zeros(MAX_HISTORY + 1, np.int64)
    granule, low, high = np.int64(-1), s.core[core, C_FLOOR], now
    for at in range(MAX_LENGTH):
        address = addresses[at]
        if address < 0:
            code[at] = 0
            continue
        age = ages[at] if at < length else 0
        floor = byte_floor(s, core, address)
        count = version_times(s, address, floor, times)
        if age >= count or (model == COHERENT and age > 0):
            return False
        first = times[age] if age < count - 1 else floor
        last = times[age - 1] - 1 if age else now
        code[at] = byte_at(s, address, first)
        if at >= length:
            continue
        if model == OBSERVED:
            if address >> 3 != granule:
                granule, low, high = address >> 3, floor, now
            low, high = max(low, first), min(high, last)
            if low > high:
                return False
        elif model == INTEL2010:
            low = max(low, first)
            if low > last:
                return False
    return True
