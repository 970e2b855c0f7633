"""The pages of a pool: what of RAM is as in the base, and what is which part.

For each page of the machine the pool knows which content it has now, and sums up the digests of
all pages; so a state's digest costs the pages that changed. Which may have is told by `dirty`.
"""

import numpy as np

from emu.machine.digest import (
    of_memory,
    step,
    step_two,
)
from emu.machine.dirty import TABLE, WRITTEN, mark
from emu.machine.emulated_lines import forget_inspected
from emu.machine.guards import guard
from emu.machine.native import jit, load64, store64
from emu.machine.pool_head import (
    BASE,
    BASE_DIGESTS,
    DIGESTS,
    EPOCH,
    HELD,
    HELD_COUNT,
    LISTED,
    NOW,
    PAGE_RECORD,
    PAGES,
    ROW,
    SERIAL,
    SUM_ONE,
    SUM_TWO,
    VAIN,
    WANTED,
    compare,
    copy,
    intern,
    part,
)
from emu.machine.state import (
    LINE_FETCHED,
    LINE_GUARDED,
    M_DIRTY,
    M_DIRTY_EPOCH,
    M_RAM,
    M_RAM_SIZE,
    PAGE,
    State,
    Words,
)
from emu.machine.unicorn_blocks import forget


@jit
def _fetched(s: State, page: int) -> int:
    """Return one bit for each line of a page: was it fetched?

    None was where the page is not guarded: that comes first (`candidate.inspect`).
    """
    bits = 0
    if s.lines[page * 64] & LINE_GUARDED:
        for line in range(64):
            bits |= (s.lines[page * 64 + line] & LINE_FETCHED) << line
    return bits


@jit
def _page_record(head: Words, page: int, number: int) -> int:
    """Return the host address of a page's content by its number, 0 being the base's."""
    if number == 0:
        return head[BASE] + page * PAGE_RECORD
    return part(head, PAGES, number)


@jit
def _is(s: State, head: Words, page: int, number: int) -> bool:
    """Return whether a page of the machine has this content."""
    record = _page_record(head, page, number)
    if load64(record + PAGE) != _fetched(s, page):
        return False
    return compare(s.m[M_RAM] + page * PAGE, record, PAGE) == 0


@jit
def _page_digest(head: Words, page: int, number: int) -> tuple[int, int]:
    """Return what a page adds to the sums."""
    at = head[BASE_DIGESTS] + 16 * page
    if number:
        at = head[PAGES + DIGESTS] + 16 * number
    one, two = load64(at), load64(at + 8)
    return step(step(one, page), two), step_two(step_two(two, page), one)


@jit
def now_is(head: Words, page: int, number: int) -> None:
    """Note what a page is now."""
    place = head[NOW] + 8 * page
    old = load64(place)
    one, two = _page_digest(head, page, old)
    more, most = _page_digest(head, page, number)
    head[SUM_ONE] += more - one
    head[SUM_TWO] += most - two
    store64(place, number)
    listed = head[LISTED] + 8 * page
    if number and not load64(listed):
        store64(listed, 1)
        store64(head[HELD] + 8 * head[HELD_COUNT], page)
        head[HELD_COUNT] += 1


@jit
def _look(s: State, head: Words, page: int) -> bool:
    """Take over a page that may have changed; returns whether there was room for it."""
    if _is(s, head, page, load64(head[NOW] + 8 * page)):
        head[VAIN] += 1
        return True
    record = head[ROW]  # scratch is large enough
    copy(record, s.m[M_RAM] + page * PAGE, PAGE)
    store64(record + PAGE, _fetched(s, page))
    store64(record + PAGE + 8, 0)
    one, two = of_memory(record, PAGE_RECORD // 8, 7)
    base = head[BASE_DIGESTS] + 16 * page
    number = np.int64(0)
    if load64(base) != one or load64(base + 8) != two:
        number = intern(head, PAGES, record, one, two)
    if number < 0:
        return False
    now_is(head, page, number)
    return True


@jit
def begin(s: State, head: Words) -> None:
    """Take the machine as it is for the base: its lines and the digests of all its pages."""
    for page in range(s.m[M_RAM_SIZE] // PAGE):
        record = head[BASE] + page * PAGE_RECORD
        copy(record, s.m[M_RAM] + page * PAGE, PAGE)
        store64(record + PAGE, _fetched(s, page))
        one, two = of_memory(record, PAGE_RECORD // 8, 7)
        store64(head[BASE_DIGESTS] + 16 * page, one)
        store64(head[BASE_DIGESTS] + 16 * page + 8, two)
        more, most = _page_digest(head, page, 0)
        head[SUM_ONE] += more
        head[SUM_TWO] += most
    head[EPOCH] = s.m[M_DIRTY_EPOCH]


@jit
def look_at_pages(s: State, head: Words) -> bool:
    """Take over all pages that may have changed."""
    if head[EPOCH] != s.m[M_DIRTY_EPOCH]:  # somebody else has cleared the map
        for page in range(s.m[M_RAM_SIZE] // PAGE):
            if not _look(s, head, page):
                return False
        head[EPOCH] = s.m[M_DIRTY_EPOCH]
        return True
    for row in range(s.m[M_DIRTY]):
        page = s.dirty_pages[row]
        if s.dirty[page] & WRITTEN and not _look(s, head, page):
            return False
    return True


@jit
def _put(s: State, head: Words, page: int, number: int) -> bool:
    """Let a page of the machine have a content; returns whether the TLB has to be flushed."""
    record, ram = _page_record(head, page, number), s.m[M_RAM] + page * PAGE
    flush = False
    if _is(s, head, page, number):
        head[VAIN] += 1
    else:
        flush = s.dirty[page] & TABLE != 0
        mark(s, page * PAGE, 1)
        if s.lines[page * 64] & LINE_GUARDED:
            _forget_differing(s, page, record)
        copy(ram, record, PAGE)
        bits = load64(record + PAGE)
        if bits != _fetched(s, page):
            if not s.lines[page * 64] & LINE_GUARDED:
                guard(s, page * PAGE, page * PAGE + PAGE)
            for line in range(64):
                flags = s.lines[page * 64 + line] & (0xFF ^ LINE_FETCHED)
                s.lines[page * 64 + line] = flags | (bits >> line & 1) * LINE_FETCHED
    now_is(head, page, number)
    return flush


@jit
def _forget_differing(s: State, page: int, record: int) -> None:
    """Drop the translations of the bytes of a page that are about to change."""
    ram = s.m[M_RAM] + page * PAGE
    first = last = -1
    for offset in range(0, PAGE, 8):
        if load64(ram + offset) != load64(record + offset):
            first = offset if first < 0 else first
            last = offset
    if first >= 0:
        forget_inspected(s, page * PAGE)
        forget(s, page * PAGE + first, page * PAGE + last + 8)


@jit
def let_go(head: Words) -> None:
    """Take the pages that are as in the base from the list of those that are not."""
    held = np.int64(0)
    for index in range(head[HELD_COUNT]):
        page = load64(head[HELD] + 8 * index)
        if load64(head[NOW] + 8 * page):
            store64(head[HELD] + 8 * held, page)
            held += 1
        else:
            store64(head[LISTED] + 8 * page, 0)
    head[HELD_COUNT] = held


@jit
def _wanted(head: Words, page: int) -> int:
    """Return the content that the state being restored wants of a page."""
    wish = load64(head[WANTED] + 8 * page)
    return wish & 0xFFFFFFFF if wish >> 32 == head[SERIAL] else 0


@jit
def restore_pages(s: State, head: Words, count: int, pages: int) -> bool:
    """Bring RAM to a state; returns whether the TLB has to be flushed.

    pages: host address of `count` pairs, page and content. Others are to be as in the base.
    """
    head[SERIAL] += 1
    for index in range(count):
        wish = head[SERIAL] << 32 | load64(pages + 16 * index + 8)
        store64(head[WANTED] + 8 * load64(pages + 16 * index), wish)
    flush = False
    if head[EPOCH] != s.m[M_DIRTY_EPOCH]:
        for page in range(s.m[M_RAM_SIZE] // PAGE):
            flush |= _put(s, head, page, _wanted(head, page))
        head[EPOCH] = s.m[M_DIRTY_EPOCH]
    for index in range(s.m[M_DIRTY]):  # which `_put` makes no longer: these are on the list
        page = s.dirty_pages[index]
        if s.dirty[page] & WRITTEN:
            flush |= _put(s, head, page, _wanted(head, page))
    for index in range(head[HELD_COUNT]):
        page = load64(head[HELD] + 8 * index)
        if load64(head[NOW] + 8 * page) != _wanted(head, page):
            flush |= _put(s, head, page, _wanted(head, page))
    let_go(head)
    for index in range(count):
        page = load64(pages + 16 * index)
        if load64(head[NOW] + 8 * page) != _wanted(head, page):
            flush |= _put(s, head, page, _wanted(head, page))
    return flush
