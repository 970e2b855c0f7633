"""Kernel files for runs that end badly: the guests of the machine's tests as ELF files with names.

`long_mode(folder, code, ...)` writes a kernel whose core i executes code[i], 64-bit assembly, with
paging, a stack, an IDT and a double-fault stack. Its functions are called core0, core1, ...; the
builder's own handler is `handler`.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.image.elf_builder import note
from tests.machine.guest_builder import build
from tests.machine.guest_tables import BOOT, BOOT64, COMMON, STUBS

_EHDR, _PHDR = struct.Struct("<16s2HI3QI6H"), struct.Struct("<2I6Q")
_SHDR, _SYM = struct.Struct("<2I4Q2I2Q"), struct.Struct("<I2BH2Q")


def long_mode(folder: Path, *code: str, **parts: Any) -> Path:
    """Write a kernel whose cores execute this code; parts as for `guest_builder.build`."""
    guest = build(*(f"{text}; nop" for text in code), **parts)  # RIP behind a hlt is text, too
    names = {f"core{core}": (entry, 0x1000) for core, entry in enumerate(guest.entries)}
    names |= {"boot": (BOOT, 0x1000), "stubs": (STUBS, 0x1000), "handler": (COMMON, 0x1000)}
    texts = {*guest.entries, BOOT, BOOT + 0x400, BOOT64, STUBS, COMMON}
    path = folder / "guest.elf"
    segments = [(s.paddr, bytes(s.data), s.paddr in texts) for s in guest.image.segments]
    path.write_bytes(_elf(segments, names))
    return path


def _elf(segments: list[tuple[int, bytes, bool]], names: Mapping[str, tuple[int, int]]) -> bytes:
    """Return an ELF64 file that loads segments at their addresses and starts at BOOT by PVH."""
    notes = note(BOOT)
    body = b"".join(data for _, data, _ in segments) + notes
    at = _EHDR.size + _PHDR.size * (len(segments) + 1)
    headers, offset = b"", at
    for address, data, executable in segments:
        size = len(data)
        headers += _PHDR.pack(1, 5 if executable else 6, offset, address, address, size, size, 1)
        offset += size
    headers += _PHDR.pack(4, 4, offset, 0, 0, len(notes), len(notes), 4)
    strings, table = b"\0", bytes(_SYM.size)
    for name, (address, size) in names.items():
        table += _SYM.pack(len(strings), 1 << 4 | 2, 0, 1, address, size)
        strings += name.encode() + b"\0"
    labels = b"\0.symtab\0.strtab\0.shstrtab\0"
    end = at + len(body)
    sections = bytes(_SHDR.size)
    for label, kind, data, link in ((1, 2, table, 2), (9, 3, strings, 0), (17, 3, labels, 0)):
        entry = _SYM.size if kind == 2 else 0
        sections += _SHDR.pack(label, kind, 0, 0, end, len(data), link, 0, 1, entry)
        body += data
        end += len(data)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = _EHDR.pack(
        ident, 2, 62, 1, BOOT, _EHDR.size, end, 0, 64, 56, len(segments) + 1, 64, 4, 3
    )
    return header + headers + body + sections
