"""Small ELF64 kernels made of bytes, so that no test needs a compiler.

The image has one executable segment, linked at VIRTUAL and loaded at PHYSICAL, and a PVH note:

    VIRTUAL+0x00  first:   nop5, ret
    VIRTUAL+0x10  second:  endbr64, nop5, ret (its site is 4 bytes in)
    VIRTUAL+0x20  bare:    ret (no site)
    VIRTUAL+0x30  the table of sites
    VIRTUAL+0x40  end of the bytes; 0x40 bytes of zeros follow in memory
"""

import struct
from dataclasses import dataclass, field

VIRTUAL = 0xFFFFFFFF80200000
PHYSICAL = 0x200000
NOP5 = bytes.fromhex("0f1f440000")
ENDBR64 = bytes.fromhex("f30f1efa")

FUNC, OBJECT, NOTYPE = 2, 1, 0


@dataclass(frozen=True)
class Sym:
    name: str
    value: int
    size: int = 0
    kind: int = FUNC
    binding: int = 1
    section: int = 1


DEFAULT_SYMBOLS = (
    Sym("first", VIRTUAL, 6),
    Sym("second", VIRTUAL + 0x10, 10),
    Sym("bare", VIRTUAL + 0x20, 1),
    Sym("__start_mcount_loc", VIRTUAL + 0x30, 0, NOTYPE),
    Sym("__stop_mcount_loc", VIRTUAL + 0x40, 0, NOTYPE),
)


def text() -> bytes:
    code = (NOP5 + b"\xc3").ljust(0x10, b"\xcc")
    code += (ENDBR64 + NOP5 + b"\xc3").ljust(0x10, b"\xcc")
    code += b"\xc3".ljust(0x10, b"\xcc")
    return code + struct.pack("<2Q", VIRTUAL, VIRTUAL + 0x14)


def note(entry: int = PHYSICAL, size: int = 4, name: bytes = b"Xen\0", kind: int = 18) -> bytes:
    body = entry.to_bytes(size, "little")
    return struct.pack("<3I", len(name), size, kind) + name + body


@dataclass
class Builder:
    """What goes into the file; every part can be replaced."""

    code: bytes = field(default_factory=text)
    flags: int = 5
    memsz: int = 0x80
    paddr: int = PHYSICAL
    notes: bytes = field(default_factory=note)
    note_align: int = 4
    symbols: tuple[Sym, ...] = DEFAULT_SYMBOLS
    machine: int = 62
    elf_class: int = 2
    endian: int = 1
    extra: dict[str, bytes] = field(default_factory=dict)
    extra_flags: int = 0

    def build(self) -> bytes:
        strings = b"\0"
        table = bytes(24)
        for symbol in self.symbols:
            table += struct.pack(
                "<I2BH2Q",
                len(strings),
                symbol.binding << 4 | symbol.kind,
                0,
                symbol.section,
                symbol.value,
                symbol.size,
            )
            strings += symbol.name.encode() + b"\0"
        contents = {
            ".text": (1, self.code),
            ".symtab": (2, table),
            ".strtab": (3, strings),
            **{name: (1, data) for name, data in self.extra.items()},
        }
        names = b"\0" + b"".join(name.encode() + b"\0" for name in contents) + b".shstrtab\0"
        contents[".shstrtab"] = (3, names)

        at = 64 + 2 * 56
        body = b""
        headers = bytes(64)
        code_at = 0
        for name, (kind, data) in contents.items():
            offset = at + len(body)
            if name == ".text":
                code_at = offset
            headers += struct.pack(
                "<2I4Q2I2Q",
                names.index(b"\0" + name.encode() + b"\0") + 1,
                kind,
                self.extra_flags if name in self.extra else 0,
                VIRTUAL if name == ".text" else 0,
                offset,
                len(data),
                3 if name == ".symtab" else 0,  # .strtab is section 3
                0,
                1,
                24 if name == ".symtab" else 0,
            )
            body += data
        note_at = at + len(body)
        body += self.notes
        section_at = at + len(body)
        program = struct.pack(
            "<2I6Q",
            *(1, self.flags, code_at, VIRTUAL, self.paddr, len(self.code), self.memsz, 4096),
        ) + struct.pack(
            "<2I6Q", 4, 4, note_at, 0, 0, len(self.notes), len(self.notes), self.note_align
        )
        ident = b"\x7fELF" + bytes([self.elf_class, self.endian, 1]) + bytes(9)
        count = len(contents) + 1
        header = ident + struct.pack(
            "<2HI3QI6H",
            *(2, self.machine, 1, VIRTUAL, 64, section_at, 0, 64, 56, 2, 64, count, count - 1),
        )
        return header + program + body + headers


def build() -> bytes:
    """Return the default image."""
    return Builder().build()
