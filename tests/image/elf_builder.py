"""Small kernels in ELF made of bytes, so that no test needs a compiler.

The image has one executable segment, linked at VIRTUAL and loaded at PHYSICAL, and a PVH note:

    VIRTUAL+0x00  first:   nop5, ret
    VIRTUAL+0x10  second:  endbr64, nop5, ret (its site is 4 bytes in)
    VIRTUAL+0x20  bare:    ret (no site)
    VIRTUAL+0x30  the table of sites
    VIRTUAL+0x40  end of the bytes; 0x40 bytes of zeros follow in memory

The class is ELF64; ELF32 (`elf_class=1`) has the same contents, with addresses cut to 32 bits.
"""

import struct
from dataclasses import dataclass, field

VIRTUAL = 0xFFFFFFFF80200000
PHYSICAL = 0x200000
NOP5 = bytes.fromhex("0f1f440000")
ENDBR64 = bytes.fromhex("f30f1efa")

FUNC, OBJECT, NOTYPE = 2, 1, 0
_WORD = 0xFFFFFFFF


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


def multiboot(flags: int = 3, *addresses: int, magic: int = 0x1BADB002) -> bytes:
    """Return a Multiboot 1 header."""
    return struct.pack(
        f"<{3 + len(addresses)}I", magic, flags, -(magic + flags) % (1 << 32), *addresses
    )


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
    entry: int = VIRTUAL
    endian: int = 1
    extra: dict[str, bytes] = field(default_factory=dict)
    extra_flags: int = 0

    def build(self) -> bytes:
        wide = self.elf_class != 1
        strings = b"\0"
        table = bytes(24 if wide else 16)
        for symbol in self.symbols:
            text_at, info = len(strings), symbol.binding << 4 | symbol.kind
            if wide:
                row = (text_at, info, 0, symbol.section, symbol.value, symbol.size)
                table += struct.pack("<I2BH2Q", *row)
            else:
                row = (text_at, symbol.value & _WORD, symbol.size, info, 0, symbol.section)
                table += struct.pack("<3I2BH", *row)
            strings += symbol.name.encode() + b"\0"
        contents = {
            ".text": (1, self.code),
            ".symtab": (2, table),
            ".strtab": (3, strings),
            **{name: (1, data) for name, data in self.extra.items()},
        }
        names = b"\0" + b"".join(name.encode() + b"\0" for name in contents) + b".shstrtab\0"
        contents[".shstrtab"] = (3, names)

        ehsize, phsize, shsize = (64, 56, 64) if wide else (52, 32, 40)
        at = ehsize + 2 * phsize
        body = b""
        headers = bytes(shsize)
        code_at = 0
        for name, (kind, data) in contents.items():
            offset = at + len(body)
            if name == ".text":
                code_at = offset
            headers += struct.pack(
                "<2I4Q2I2Q" if wide else "<10I",
                names.index(b"\0" + name.encode() + b"\0") + 1,
                kind,
                self.extra_flags if name in self.extra else 0,
                self._address(VIRTUAL if name == ".text" else 0),
                offset,
                len(data),
                3 if name == ".symtab" else 0,  # .strtab is section 3
                0,
                1,
                (24 if wide else 16) if name == ".symtab" else 0,
            )
            body += data
        note_at = at + len(body)
        body += self.notes
        section_at = at + len(body)
        program = self._program(
            1, self.flags, code_at, VIRTUAL, self.paddr, len(self.code), self.memsz, 4096
        )
        size = len(self.notes)
        program += self._program(4, 4, note_at, 0, 0, size, size, self.note_align)
        ident = b"\x7fELF" + bytes([self.elf_class, self.endian, 1]) + bytes(9)
        count = len(contents) + 1
        header = ident + struct.pack(
            "<2HI3QI6H" if wide else "<2H5I6H",
            *(2, self.machine, 1, self._address(self.entry), ehsize, section_at, 0),
            *(ehsize, phsize, 2, shsize, count, count - 1),
        )
        return header + program + body + headers

    def _address(self, value: int) -> int:
        return value if self.elf_class != 1 else value & _WORD

    def _program(self, *fields: int) -> bytes:
        """Return a program header, given the fields in the order of Elf64_Phdr."""
        if self.elf_class != 1:
            return struct.pack("<2I6Q", *fields)
        kind, flags, *rest, align = fields
        return struct.pack("<8I", kind, *(each & _WORD for each in rest), flags, align)


def build() -> bytes:
    """Return the default image."""
    return Builder().build()
