"""The tables of kallsyms as scripts/kallsyms.c writes them, in the orders it has had."""

import struct
from collections.abc import Callable, Sequence
from typing import Literal

from tests.image import elf_builder
from tests.image.elf_builder import VIRTUAL, Builder

Order = Literal["6.1", "6.2", "6.4"]
Form = Literal["percpu", "relative", "place", "absolute"]

ROOM = 0x10000
"""Bytes behind the small image's code that its symbols may lie in."""


def kernel(
    rows: Sequence[tuple[int, str]],
    order: Order,
    form: Form,
    before: bytes = b"",
    spoil: Callable[[dict[str, bytes]], None] = lambda _: None,
) -> bytes:
    """Return a stripped ELF file; rows: (address, letter and name), by address.

    before: between code and tables. spoil: as of `tables`.
    """
    code = _aligned(elf_builder.text() + before)
    code += tables(rows, order, form, VIRTUAL + len(code), spoil)
    return Builder(code=code, memsz=len(code) + ROOM, symbols=()).build()


def tables(
    rows: Sequence[tuple[int, str]],
    order: Order,
    form: Form,
    start: int,
    spoil: Callable[[dict[str, bytes]], None] = lambda _: None,
) -> bytes:
    """Return the tables, to be placed at link address `start`, a multiple of 8.

    spoil: changes the tables before they are put together; the addresses are not among them.
    """
    names = [name.encode() for _, name in rows]
    tokens = _tokens(names)
    meanings = {token: code for code, token in enumerate(tokens)}
    stream, markers = b"", []
    for number, name in enumerate(names):
        if number % 256 == 0:
            markers.append(len(stream))
        codes = _compressed(name, meanings)
        size = len(codes)
        stream += bytes([size] if size < 0x80 else [size & 0x7F | 0x80, size >> 7]) + codes
    offsets = [sum(len(token) + 1 for token in tokens[:at]) for at in range(256)]
    by_name = sorted(range(len(names)), key=lambda row: names[row][1:])
    parts = {
        "num_syms": struct.pack("<I", len(rows)),
        "names": stream,
        "markers": struct.pack(f"<{len(markers)}I", *markers),
        "seqs": b"".join(row.to_bytes(3, "big") for row in by_name),
        "tokens": b"".join(token + b"\0" for token in tokens),
        "index": struct.pack("<256H", *offsets),
        "addresses": b"",
    }
    spoil(parts)
    ordered = {
        "6.1": ("addresses", "num_syms", "names", "markers", "tokens", "index"),
        "6.2": ("addresses", "num_syms", "names", "markers", "seqs", "tokens", "index"),
        "6.4": ("num_syms", "names", "markers", "tokens", "index", "addresses", "seqs"),
    }[order]
    data = b""
    for part in ordered:
        if part == "addresses":
            data += _aligned(_addresses([at for at, _ in rows], form, start + len(data)))
        else:
            data += _aligned(parts[part])
    return data


def _addresses(addresses: list[int], form: Form, at: int) -> bytes:
    count = len(addresses)
    if form == "absolute":
        return struct.pack(f"<{count}Q", *addresses)
    if form == "place":
        return struct.pack(
            f"<{count}i", *(each - at - 4 * row for row, each in enumerate(addresses))
        )
    base = min(each for each in addresses if each >> 32)
    if form == "relative":
        offsets = struct.pack(f"<{count}I", *(each - base for each in addresses))
    else:
        signed = [base - each - 1 if each >> 32 else each for each in addresses]
        offsets = struct.pack(f"<{count}i", *signed)
    return _aligned(offsets) + struct.pack("<Q", base)


def _tokens(names: list[bytes]) -> list[bytes]:
    """Return what each byte stands for: itself if a name has it, else a part of some name."""
    used = set(b"".join(names))
    tokens = []
    for byte in range(256):
        name = names[byte * 7 % len(names)]
        tokens.append(bytes([byte]) if byte in used else name[byte % 3 : byte % 3 + 2 + byte % 5])
    return tokens


def _compressed(name: bytes, codes: dict[bytes, int]) -> bytes:
    found, at = b"", 0
    while at < len(name):
        size = next(size for size in range(6, 0, -1) if name[at : at + size] in codes)
        found += bytes([codes[name[at : at + size]]])
        at += size
    return found


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
