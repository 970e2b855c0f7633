"""Where things lie in a guest, and the tables the processor reads: pages, GDT, TSS, IDT."""

import struct
from collections.abc import Iterable, Mapping

TRAMPOLINE = 0x8000
BOOT, BOOT64 = 0x100000, 0x100800
TABLES, GDT, TSS, IDT, STUBS = 0x110000, 0x120000, 0x121000, 0x122000, 0x124000
COMMON = 0x128000
TEXT, TEXT_SIZE = 0x200000, 0x10000  # a core's code is at TEXT + core * 0x1000
FAR_TEXT = 0x240000  # more pages of text, to map and to fill as a test likes
DATA = 0x300000  # two pages of data for the tests
LOG, RESUME, ONLINE = 0x304000, 0x308000, 0x309000
STACKS = 0x380000  # 8 KiB each, growing down; above them the double-fault stacks
RAM_MAPPED = 0x400000
APIC = 0xFEE00000
RETURN = 1  # in RESUME: go on where the frame says

PRESENT, WRITABLE, USER, LARGE, NX = 1, 2, 4, 0x80, 1 << 63
_PRESET = 0x60  # accessed, dirty
_ERROR_CODE = {8, 10, 11, 12, 13, 14, 17}


def identity_pages() -> dict[int, int]:
    """Return the pages every guest has: RAM where it lies, and the APIC."""
    pages = {}
    for page in range(0, RAM_MAPPED, 0x1000):
        text = BOOT <= page < TABLES or STUBS <= page < COMMON + 0x1000 or TEXT <= page < DATA
        pages[page] = page | PRESENT | (0 if text else WRITABLE | NX)
    pages[APIC & -0x200000] = APIC & -0x200000 | PRESENT | WRITABLE | NX | LARGE
    return pages


def page_tables(pages: Mapping[int, int], base: int = TABLES) -> bytes:
    """Return four levels of tables, to lie at `base`, for {virtual page: entry}."""
    tables: list[list[int]] = [[0] * 512]
    below: dict[tuple[int, int], int] = {}
    for virtual, entry in sorted(pages.items()):
        table = 0
        last = 21 if entry & LARGE else 12
        for shift in range(39, last, -9):
            index = virtual >> shift & 511
            if (table, index) not in below:
                below[table, index] = len(tables)
                tables[table][index] = (
                    base + 4096 * len(tables) | PRESENT | WRITABLE | USER | _PRESET
                )
                tables.append([0] * 512)
            table = below[table, index]
        tables[table][virtual >> last & 511] = entry | _PRESET
    assert len(tables) <= 16, "the tables run into the GDT"
    return b"".join(struct.pack("<512Q", *table) for table in tables)


def _descriptor(base: int, limit: int, flags: int) -> int:
    return (
        limit & 0xFFFF
        | (base & 0xFFFFFF) << 16
        | flags << 40
        | (limit >> 16 & 0xF) << 48
        | (base >> 24 & 0xFF) << 56
    )


def gdt(cores: int) -> bytes:
    entries = [
        0,
        _descriptor(0, 0xFFFFF, 0xA09B),  # 0x08 code, 64 bits
        _descriptor(0, 0xFFFFF, 0xC093),  # 0x10 data
        _descriptor(0, 0xFFFFF, 0xC09B),  # 0x18 code, 32 bits
        _descriptor(0, 0xFFFFF, 0xC0F3),  # 0x20 user data
        _descriptor(0, 0xFFFFF, 0xA0FB),  # 0x28 user code
    ]
    for core in range(cores):
        entries += [_descriptor(TSS + 128 * core, 103, 0x89), 0]  # from 0x30 on
    return struct.pack(f"<{len(entries)}Q", *entries)


def tss(core: int) -> bytes:
    tss = bytearray(128)
    struct.pack_into("<Q", tss, 4, stack(core))  # RSP0
    struct.pack_into("<Q", tss, 36, stack(8 + core))  # IST1
    struct.pack_into("<H", tss, 102, 104)
    return bytes(tss)


def stack(core: int) -> int:
    """Return the top of a core's stack; of its double-fault stack for 8 + core."""
    return STACKS + 0x2000 * (core + 1)


def idt(user: Iterable[int]) -> bytes:
    gates = b""
    for vector in range(256):
        at = STUBS + 16 * vector
        kind = 0xEE if vector in user else 0x8E
        gates += struct.pack(
            "<HHBBHII", at & 0xFFFF, 0x08, vector == 8, kind, at >> 16 & 0xFFFF, at >> 32, 0
        )
    return gates


def stubs() -> bytes:
    stubs = b""
    for vector in range(256):
        push = b"" if vector in _ERROR_CODE else b"\x6a\x00"
        at = STUBS + 16 * vector + len(push) + 5
        code = push + b"\x68" + struct.pack("<I", vector)
        code += b"\xe9" + struct.pack("<i", COMMON - (at + 5))
        stubs += code.ljust(16, b"\x90")
    return stubs
