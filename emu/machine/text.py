"""Text: executable memory with its history, and the versions of each byte that a core may fetch.

RAM always holds the truth, the newest bytes. The history holds, oldest first, every store that
some core may not have seen: when (on the text clock), where (physical address, at most eight
bytes within one aligned 8-byte word, so one store event is what the machine makes visible at
once), the old bytes and the new ones. A core needs only one number, its *floor*: it may fetch a
byte as it was at any time from its floor to now that the fetch model allows. A serialising
instruction, and INIT/SIPI, moves the floor to now; interrupt delivery does not. A store that
every core has passed is dropped.

A core does not fetch bytes older than its own last store to them: a processor notices when code is
modified that it has prefetched, and drops it. (Intel promises so for stores by the linear address
that is executed; stores by another one are taken for the same here.)

Versions are named by *age*: 0 is the newest version of a byte, 1 the one before it, and so on.

Fresh text, defined once: a 64-byte line is fresh until a core has fetched from it, and again when
all its bytes were stored to and every core has serialised since. A store to a fresh line makes no
version (no core can hold anything of it): everybody sees it at once. So trampolines and modules
written before their first use are never stale, and the same memory written again after it was used
can be; and memory that a kernel takes from code and gives to data is data again.

Source of the model: fetch-and-exploration notes in docs/fetch-models.md; Intel SDM volume 3A,
"Handling Self- and Cross-Modifying Code".
"""

import numpy as np

from emu.machine.dirty import mark
from emu.machine.emulated_lines import mark_store
from emu.machine.image_text import is_image_text
from emu.machine.native import jit
from emu.machine.state import (
    C_FLOOR,
    C_FREEZE,
    C_STATE,
    CORE_WAITS,
    FREEZE_FROZEN,
    H_ADDRESS,
    H_CORE,
    H_LENGTH,
    H_NEW,
    H_OLD,
    H_SIZE,
    H_TIME,
    LINE,
    LINE_FETCHED,
    LINE_GUARDED,
    LINE_LIVE,
    M_CORES,
    M_HISTORY,
    M_MODEL,
    M_TEXT_NOW,
    MAX_HISTORY,
    PAGE,
    Bytes,
    State,
    Words,
)
from emu.machine.unicorn_blocks import forget

COHERENT, OBSERVED, INTEL2010, SDM = range(4)
MODELS = ("coherent", "observed", "intel2010", "sdm")
"""The fetch models, in the order of their numbers; `fetch_model` says what they allow."""


@jit
def mark_live(s: State) -> None:
    """Recompute which lines have a store in the history."""
    for row in range(s.m[M_HISTORY]):
        s.lines[s.history[row, H_ADDRESS] >> 6] |= LINE_LIVE


@jit
def _replaced(s: State, line: int, first: int, end: int) -> bool:
    """Return whether the stores of these rows of the history have replaced a whole line."""
    stored = np.int64(0)
    for row in range(first, end):
        address, length = s.history[row, H_ADDRESS], s.history[row, H_LENGTH]
        if address >> 6 == line:
            stored |= (1 << length) - 1 << (address & 63)
    return stored == -1


@jit
def _be_fresh(s: State, line: int) -> None:
    """Let a line be no text any more, and its page no longer be guarded if no line of it is."""
    s.lines[line] &= 0xFF ^ LINE_FETCHED
    page = line * LINE // PAGE
    mark(s, page * PAGE, 1)
    if is_image_text(s, page * PAGE):
        return
    first = page * PAGE // LINE
    for each in range(first, first + PAGE // LINE):
        if s.lines[each] & LINE_FETCHED:
            return
    for each in range(first, first + PAGE // LINE):
        s.lines[each] &= 0xFF ^ LINE_GUARDED
    forget(s, page * PAGE, page * PAGE + PAGE)


@jit
def settle(s: State) -> None:
    """Drop the stores that every started core has passed; lines they have replaced are fresh."""
    oldest = s.m[M_TEXT_NOW]
    for core in range(s.m[M_CORES]):
        if s.core[core, C_STATE] != CORE_WAITS:
            oldest = min(oldest, s.core[core, C_FLOOR])
    dead = 0
    alive = s.m[M_HISTORY]
    while dead < alive and s.history[dead, H_TIME] <= oldest:
        dead += 1
    for row in range(dead):
        line = s.history[row, H_ADDRESS] >> 6
        if s.lines[line] & LINE_LIVE:
            s.lines[line] &= 0xFF ^ LINE_LIVE
            if _replaced(s, line, row, dead):
                _be_fresh(s, line)
    if dead:
        for row in range(dead, alive):
            for column in range(H_SIZE):
                s.history[row - dead, column] = s.history[row, column]
        s.m[M_HISTORY] = alive - dead
        mark_live(s)


@jit
def serialise(s: State, core: int) -> bool:
    """Move a core's floor to now: from here on it fetches the newest bytes.

    Not while its floor is frozen (`faults`). Returns whether it moved.
    """
    if s.core[core, C_FREEZE] == FREEZE_FROZEN:
        return False
    s.core[core, C_FLOOR] = s.m[M_TEXT_NOW]
    if s.m[M_HISTORY]:
        settle(s)
    return True


@jit
def is_behind(s: State, core: int) -> bool:
    """Return whether a core's serialising instructions matter: they move a floor, end a freeze."""
    return s.core[core, C_FLOOR] < s.m[M_TEXT_NOW] or s.core[core, C_FREEZE] == FREEZE_FROZEN


@jit
def remember(s: State, core: int, address: int, length: int, old: int, new: int) -> bool:
    """Note that a core, or nobody (-1), changes up to eight bytes of text within an aligned word.

    Returns whether the store is an event: it changes something that a core has fetched or that
    the image says is code. Of what is fresh no version is made.
    """
    if old == new:
        return False
    if not s.lines[address >> 6] & LINE_FETCHED:
        return is_image_text(s, address)
    mark_store(s, address, length, new)
    if s.m[M_HISTORY] == MAX_HISTORY:
        # Nobody serialised for 4096 stores: no window of a real machine is that deep. Forget
        # the older half, as the cores would.
        for each in range(s.m[M_CORES]):
            half = s.history[MAX_HISTORY // 2, H_TIME]
            s.core[each, C_FLOOR] = max(s.core[each, C_FLOOR], half)
        settle(s)
    s.m[M_TEXT_NOW] += 1
    row = s.m[M_HISTORY]
    s.history[row, H_TIME] = s.m[M_TEXT_NOW]
    s.history[row, H_ADDRESS] = address
    s.history[row, H_LENGTH] = length
    s.history[row, H_OLD] = old
    s.history[row, H_NEW] = new
    s.history[row, H_CORE] = core
    s.m[M_HISTORY] = row + 1
    s.lines[address >> 6] |= LINE_LIVE
    for each in range(s.m[M_CORES]):
        if s.core[each, C_STATE] == CORE_WAITS:
            s.core[each, C_FLOOR] = s.m[M_TEXT_NOW]
    return True


@jit
def floor_of(s: State, core: int, address: int, size: int) -> int:
    """Return the text time from which on a core may see any of these bytes.

    Its floor, or the time of its own last store to one of them.
    """
    floor = s.core[core, C_FLOOR]
    for row in range(s.m[M_HISTORY] - 1, -1, -1):
        if s.history[row, H_TIME] <= floor:
            break
        start = s.history[row, H_ADDRESS]
        if (
            s.history[row, H_CORE] == core
            and start < address + size
            and address < start + s.history[row, H_LENGTH]
        ):
            return s.history[row, H_TIME]
    return floor


@jit
def byte_floor(s: State, core: int, address: int) -> int:
    """Return the text time from which on a core may see a byte, by the fetch model.

    Under `observed` the aligned word is seen as a whole, so also its own store to a part of it.
    """
    if s.m[M_MODEL] == OBSERVED:
        return floor_of(s, core, address & ~7, 8)
    return floor_of(s, core, address, 1)


@jit
def byte_at(s: State, address: int, time: int) -> int:
    """Return the byte at a physical address as it was at a text time."""
    value = s.ram[address]
    for row in range(s.m[M_HISTORY] - 1, -1, -1):
        if s.history[row, H_TIME] <= time:
            break
        offset = address - s.history[row, H_ADDRESS]
        if 0 <= offset < s.history[row, H_LENGTH]:
            value = (s.history[row, H_OLD] >> (8 * offset)) & 0xFF
    return value


@jit
def version_times(s: State, address: int, floor: int, times: Words) -> int:
    """Fill `times` with the times at which the byte got each version a core may see.

    times[0] is that of the newest version; an age is an index into it. Returns their number.
    The oldest is reported as no later than the floor. A store that leaves the byte's value
    alone makes no version of it.
    """
    count = 0
    row = s.m[M_HISTORY] - 1
    while row >= 0 and s.history[row, H_TIME] > floor:
        offset = address - s.history[row, H_ADDRESS]
        if 0 <= offset < s.history[row, H_LENGTH] and count < times.size - 1:
            shift = 8 * offset
            if (s.history[row, H_OLD] ^ s.history[row, H_NEW]) >> shift & 0xFF:
                times[count] = s.history[row, H_TIME]
                count += 1
        row -= 1
    times[count] = floor
    return count + 1


@jit
def unstable(s: State, core: int, address: int, length: int) -> bool:
    """Return whether the core may see more than one version of any of these bytes.

    The bytes must lie in one page.
    """
    if s.m[M_MODEL] == COHERENT:
        return False
    floor = s.core[core, C_FLOOR]
    for row in range(s.m[M_HISTORY] - 1, -1, -1):
        time = s.history[row, H_TIME]
        if time <= floor:
            break
        start = s.history[row, H_ADDRESS]
        low = max(address, start)
        high = min(address + length, start + s.history[row, H_LENGTH])
        if low < high:
            changed = s.history[row, H_OLD] ^ s.history[row, H_NEW]
            for byte in range(low, high):
                if (changed >> (8 * (byte - start))) & 0xFF and time > byte_floor(s, core, byte):
                    return True
    return False


@jit
def code_at(s: State, addresses: Words, time: int, code: Bytes) -> None:
    """Fill `code` with the bytes at these physical addresses as they were at a text time."""
    for index in range(addresses.size):
        code[index] = byte_at(s, addresses[index], time) if addresses[index] >= 0 else 0
