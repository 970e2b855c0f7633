"""The states of a pool, natively: taking the one the machine is in, going back to one.

A state is a row: its extra, the sums over its pages, the numbers of its parts, and the list of the
pages that are not as in the base.
"""

from typing import Final

import numpy as np

from emu.machine import dirty
from emu.machine.digest import (
    of_fields,
    of_record,
    of_registers,
    step,
    step_two,
)
from emu.machine.native import jit, load64, store64
from emu.machine.pool_head import (
    ARENA,
    ARENA_SIZE,
    ARENA_USED,
    EPOCH,
    EXTRA,
    FULL,
    HELD,
    HELD_COUNT,
    LINKS,
    LOWER,
    NEW,
    NOW,
    PAGE_RECORD,
    R_EXTRA,
    R_FILES,
    R_LIST,
    R_PAGES,
    R_SUM_ONE,
    R_SUM_TWO,
    R_TABLES,
    ROW,
    SPLIT,
    STATES,
    SUM_ONE,
    SUM_TWO,
    TABLES,
    UPPER,
    VAIN,
    add,
    copy,
    intern,
    part,
    slot_of,
)
from emu.machine.pool_pages import let_go, look_at_pages, restore_pages
from emu.machine.state import (
    C_STATE,
    CORE_WAITS,
    ENV_SIZE,
    H_ADDRESS,
    LINE_LIVE,
    M_CORES,
    M_CURRENT,
    M_DIRTY_EPOCH,
    M_ENV,
    M_ENV_ROWS,
    M_HISTORY,
    State,
    Words,
)
from emu.machine.text import mark_live
from emu.machine.unicorn_cpu import leave
from emu.machine.unicorn_layout import CR0, CR0_TRANSLATION, CR3, CR4, EFER

TOO_MUCH_HISTORY: Final = -2
"""What `capture` returns where more stores to text are unseen than a state can hold."""

MAX_STORES: Final = 64
"""Text stores that may be alive in a state that is captured."""

_ENOUGH = 512  # dirty pages looked at in vain: by then it is cheaper to fill the TLB again


@jit
def _in_use(s: State, segments: Words, row: int) -> int:
    """Return the words of a segment that count."""
    if segments[row, 3] < 0:
        return segments[row, 1]
    return min(segments[row, 1], s.m[segments[row, 3]] * segments[row, 4])


@jit
def _read_tables(s: State, record: int, segments: Words) -> None:
    for row in range(segments.shape[0]):
        at, used = record + 8 * segments[row, 2], _in_use(s, segments, row)
        copy(at, segments[row, 0], 8 * used)
        for word in range(used, segments[row, 1]):
            store64(at + 8 * word, 0)


@jit
def _write_tables(s: State, record: int, segments: Words) -> None:
    """The scalars come first: they say how many rows of the others are in use."""
    for row in range(s.m[M_HISTORY]):
        s.lines[s.history[row, H_ADDRESS] >> 6] &= 0xFF ^ LINE_LIVE
    for row in range(segments.shape[0]):
        at = record + 8 * segments[row, 2]
        copy(segments[row, 0], at, 8 * _in_use(s, segments, row))
    if s.m[M_HISTORY]:
        mark_live(s)


@jit
def capture(
    s: State,
    head: Words,
    segments: Words,
    counted: Words,
    lower: Words,
    upper: Words,
    waiting: Words,
    extra: int,
) -> int:
    """Return the number of the state the machine is in; head[NEW]: was it unknown?

    extra: a number that belongs to the state, the patcher's position for one. FULL or
    TOO_MUCH_HISTORY if the state cannot be kept. The arrays are those of `Pool.native`.
    """
    if s.m[M_HISTORY] > MAX_STORES:
        return TOO_MUCH_HISTORY
    if s.m[M_CURRENT] >= 0:
        leave(s)
    if not look_at_pages(s, head):
        return FULL
    cores, row = s.m[M_CORES], head[ROW]
    _read_tables(s, row + PAGE_RECORD, segments)
    one, two = of_record(s, row + PAGE_RECORD, counted)
    tables = intern(head, TABLES, row + PAGE_RECORD, one, two)
    if tables < 0:
        return FULL
    store64(row + 8 * R_TABLES, tables)
    for core in range(cores):
        env = s.m[M_ENV_ROWS] + core * ENV_SIZE
        waits = s.core[core, C_STATE] == CORE_WAITS
        if waits:
            low, high = np.int64(1), np.int64(1)
            more, most = of_fields(env, waiting, 11)
        else:
            low, high = of_registers(env, lower, 13)
            more, most = of_fields(env, upper, 17)
        half = intern(head, LOWER, env, low, high)
        other = intern(head, UPPER, env + SPLIT, more, most)
        if half < 0 or other < 0:
            return FULL
        store64(row + 8 * (R_FILES + 2 * core), half)
        store64(row + 8 * (R_FILES + 2 * core + 1), other)
        one, two = step(step(one, low), more), step_two(step_two(two, high), most)
    one, two = step(one, head[SUM_ONE]), step_two(two, head[SUM_TWO])
    one, two = step(one, extra), step_two(two, extra)
    slot = slot_of(head, STATES, one, two)
    number = load64(slot) - 1
    head[NEW], head[EXTRA] = number < 0, extra
    if number >= 0:
        return number
    return _keep(head, row, slot, one, two, extra)


@jit
def _keep(head: Words, row: int, slot: int, one: int, two: int, extra: int) -> int:
    """Write a new state's row into the arena; returns its number, or FULL."""
    let_go(head)
    held = head[HELD_COUNT]
    words = R_LIST + 2 * held
    if head[ARENA_USED] + words > head[ARENA_SIZE]:
        return FULL
    number = add(head, STATES, slot, one, two)
    if number < 0:
        return number
    at = head[ARENA] + 8 * head[ARENA_USED]
    store64(head[LINKS] + 8 * number, at)
    head[ARENA_USED] += words
    store64(row + 8 * R_EXTRA, extra)
    store64(row + 8 * R_SUM_ONE, head[SUM_ONE])
    store64(row + 8 * R_SUM_TWO, head[SUM_TWO])
    store64(row + 8 * R_PAGES, held)
    copy(at, row, 8 * R_LIST)
    at += 8 * R_LIST
    for index in range(held):
        page = load64(head[HELD] + 8 * index)
        store64(at + 16 * index, page)
        store64(at + 16 * index + 8, load64(head[NOW] + 8 * page))
    return number


@jit
def restore(s: State, head: Words, segments: Words, number: int) -> None:
    """Let the machine be in a captured state. head[EXTRA]: what was given with it."""
    row = load64(head[LINKS] + 8 * number)
    flush = restore_pages(s, head, load64(row + 8 * R_PAGES), row + 8 * R_LIST)
    if flush or head[VAIN] > _ENOUGH:
        dirty.clear(s)
        head[VAIN] = 0
        head[EPOCH] = s.m[M_DIRTY_EPOCH]
    _write_tables(s, part(head, TABLES, load64(row + 8 * R_TABLES)), segments)
    for core in range(s.m[M_CORES]):
        half = part(head, LOWER, load64(row + 8 * (R_FILES + 2 * core)))
        other = part(head, UPPER, load64(row + 8 * (R_FILES + 2 * core + 1)))
        env = s.m[M_ENV_ROWS] + core * ENV_SIZE
        if core == s.m[M_CURRENT]:
            if _translates_alike(s, half):
                env = s.m[M_ENV]
            else:
                s.m[M_CURRENT] = -1
        copy(env, half, SPLIT)
        copy(env + SPLIT, other, ENV_SIZE - SPLIT)
    head[EXTRA] = load64(row + 8 * R_EXTRA)


@jit
def _translates_alike(s: State, half: int) -> bool:
    """Return whether the TLB stays right when the running core gets these registers."""
    env = s.m[M_ENV]
    same = (load64(env + CR0) ^ load64(half + CR0)) & CR0_TRANSLATION == 0
    for offset in (CR3, CR4, EFER):
        same = same and load64(env + offset) == load64(half + offset)
    return same
