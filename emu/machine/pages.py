"""RAM as a value: pages of bytes, shared between snapshots that have them in common.

A `Ram` is a tuple of chunks, a chunk a tuple of 256 pages, a page 4096 bytes and then 8 with one
bit for each of its lines that was ever fetched (those are text, see `text`). All immutable, so
two snapshots share every page that is equal in both because it did not change between them, and
the pages go when the last snapshot goes. What differs between two is found by identity.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np

from emu.machine.engines import Engine
from emu.machine.state import LINE, LINE_FETCHED, LINE_GUARDED, PAGE, State

CHUNK = 256  # pages: RAM is a whole number of MiB
PAGE_BYTES = PAGE + PAGE // LINE // 8

Ram: TypeAlias = tuple[tuple[bytes, ...], ...]

BLANK = bytes(PAGE_BYTES)
"""A page of a machine that was just switched on."""

_LINES = PAGE // LINE


def blank(ram_mib: int) -> Ram:
    """Return RAM that nobody has touched."""
    return ((BLANK,) * CHUNK,) * ram_mib


def read_page(s: State, page: int) -> bytes:
    """Return a page as it is now."""
    lines = s.lines[page * _LINES : (page + 1) * _LINES]
    fetched = np.packbits(lines & LINE_FETCHED, bitorder="little")
    content = s.ram[page * PAGE : (page + 1) * PAGE].tobytes() + fetched.tobytes()
    return BLANK if content == BLANK else content


def write_page(s: State, page: int, content: bytes, engine: Engine) -> None:
    """Let a page be as it was; translations of its code are dropped if that changes it.

    Which of its lines are guarded stays as it is: that is about the engine. The TLB has to be
    flushed afterwards.
    """
    if read_page(s, page) == content:
        return
    start, lines = page * PAGE, s.lines[page * _LINES : (page + 1) * _LINES]
    data = np.frombuffer(content, np.uint8)
    s.ram[start : start + PAGE] = data[:PAGE]
    if lines[0] & LINE_GUARDED:
        engine.unicorn_blocks.forget(s, start, start + PAGE)
        engine.emulated_lines.forget_inspected(s, start)
    fetched = np.unpackbits(data[PAGE:], bitorder="little") * np.uint8(LINE_FETCHED)
    lines[:] = lines & np.uint8(0xFF ^ LINE_FETCHED) | fetched
    for line in range(max(page * _LINES - 1, 0), (page + 1) * _LINES):
        if s.lines[line] & LINE_FETCHED:
            engine.emulated_lines.mark_line(s, line)


def unguarded(s: State, page: int) -> bool:
    """Return whether a page was fetched from, but stores to it are not reported."""
    lines = s.lines[page * _LINES : (page + 1) * _LINES]
    return not lines[0] & LINE_GUARDED and bool((lines & LINE_FETCHED).any())


def scan(s: State) -> Ram:
    """Return all RAM, every page looked at."""
    chunks = []
    ram, lines = s.ram.reshape(-1, CHUNK, PAGE), s.lines.reshape(-1, CHUNK, _LINES)
    for number in range(len(ram)):
        used = ram[number].any(axis=1) | (lines[number] & LINE_FETCHED).any(axis=1)
        first = number * CHUNK
        chunks.append(tuple(read_page(s, first + at) if used[at] else BLANK for at in range(CHUNK)))
    return tuple(chunks)


def updated(s: State, old: Ram, changed: Iterable[int]) -> Ram:
    """Return all RAM, of which only these pages may be other than in `old`."""
    chunks = list(old)
    fresh: dict[int, list[bytes]] = {}
    for page in changed:
        number, at = divmod(page, CHUNK)
        content = read_page(s, page)
        if content != chunks[number][at]:
            fresh.setdefault(number, list(chunks[number]))[at] = content
    for number, pages in fresh.items():
        chunks[number] = tuple(pages)
    return tuple(chunks)


def differing(one: Ram, other: Ram) -> Iterator[int]:
    """Yield the numbers of the pages that are not shared."""
    for number, (left, right) in enumerate(zip(one, other, strict=True)):
        if left is not right:
            for at in range(CHUNK):
                if left[at] is not right[at]:
                    yield number * CHUNK + at


def page_at(ram: Ram, page: int) -> bytes:
    """Return a page by its number."""
    return ram[page // CHUNK][page % CHUNK]
