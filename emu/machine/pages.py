"""RAM as a value: pages of bytes, shared between snapshots that have them in common.

A `Ram` is a tuple of chunks, a chunk a tuple of 256 pages, a page 4096 bytes and then 8 with one
bit for each of its lines that was ever fetched (those are text, see `text`). All immutable, so
two snapshots share every page that is equal in both because it did not change between them, and
the pages go when the last snapshot goes. What differs between two is found by identity.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

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


def write_pages(s: State, numbers: Sequence[int], ram: Ram, engine: Engine) -> None:
    """Let pages be as they are in `ram`; translations of code are dropped where that changes it.

    Which lines are guarded stays as it is: that is about the engine. The TLB has to be flushed
    afterwards.
    """
    for at in range(0, len(numbers), CHUNK):
        _write_some(s, np.array(numbers[at : at + CHUNK], np.int64), ram, engine)


def _write_some(s: State, numbers: NDArray[np.int64], ram: Ram, engine: Engine) -> None:
    """Write at most CHUNK pages at once, as one array: a kernel that has booted has thousands."""
    pages = b"".join(page_at(ram, page) for page in numbers.tolist())
    content = np.frombuffer(pages, np.uint8).reshape(-1, PAGE_BYTES)
    memory, lines = s.ram.reshape(-1, PAGE), s.lines.reshape(-1, _LINES)
    other = lines[numbers, 0] & LINE_GUARDED == 0  # to change those costs less than to compare
    guarded = np.flatnonzero(~other)
    if guarded.size:
        old, new = numbers[guarded], content[guarded]
        marks = np.packbits(lines[old] & LINE_FETCHED, axis=1, bitorder="little")
        other[guarded] = (memory[old] != new[:, :PAGE]).any(axis=1)
        other[guarded] |= (marks != new[:, PAGE:]).any(axis=1)
        numbers, content = numbers[other], content[other]
    memory[numbers] = content[:, :PAGE]
    for page in numbers[lines[numbers, 0] & LINE_GUARDED != 0].tolist():
        engine.unicorn_blocks.forget(s, page * PAGE, (page + 1) * PAGE)
        engine.emulated_lines.forget_inspected(s, page * PAGE)
    fetched = np.unpackbits(content[:, PAGE:], axis=1, bitorder="little") * np.uint8(LINE_FETCHED)
    lines[numbers] = lines[numbers] & np.uint8(0xFF ^ LINE_FETCHED) | fetched
    # what the line before a page looks at goes two bytes into it
    near = np.maximum(numbers[:, None] * _LINES + np.arange(-1, _LINES), 0).ravel()
    engine.emulated_lines.mark_lines(s, near[s.lines[near] & LINE_FETCHED != 0])


def unguarded(s: State, numbers: Sequence[int]) -> list[int]:
    """Return those of some pages that were fetched from, but stores to them are not reported."""
    some = np.array(numbers, np.int64)
    lines = s.lines.reshape(-1, _LINES)[some]
    fetched = (lines & LINE_FETCHED).any(axis=1)
    return [int(page) for page in some[fetched & (lines[:, 0] & LINE_GUARDED == 0)]]


def scan(s: State, mib: int | None = None) -> Ram:
    """Return all RAM, every page looked at; mib: of so much at its begin, the rest is blank."""
    chunks = []
    ram, lines = s.ram.reshape(-1, CHUNK, PAGE), s.lines.reshape(-1, CHUNK, _LINES)
    for number in range(len(ram) if mib is None else mib):
        used = ram[number].any(axis=1) | (lines[number] & LINE_FETCHED).any(axis=1)
        first = number * CHUNK
        chunks.append(tuple(read_page(s, first + at) if used[at] else BLANK for at in range(CHUNK)))
    return (*chunks, *blank(len(ram) - len(chunks)))


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
