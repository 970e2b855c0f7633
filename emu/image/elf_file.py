"""The format of an ELF file for x86, 32 or 64 bits, read by hand and believed in nothing.

The file comes from anywhere, so every offset, size and count is compared with the length of the
file before it is used. The only error is `BadImage`. Which class a file has says how wide its
fields are and nothing about its code: 64-bit kernels are often put into ELF32 for Multiboot.
Sources: System V gABI chapters 4 and 5; Linux include/uapi/linux/elf.h.
"""

import copy
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from emu.errors import BadImage

MAX_SEGMENTS = 64
MAX_SECTIONS = 4096
MAX_ADDRESS = 1 << 40
"""Bounds for what a file may claim; addresses are physical."""

MAX_NAME = 4096
"""Bytes of a name of a section or symbol, with its NUL."""

PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W = 1, 2
SHT_NOBITS = 8
SHF_ALLOC, SHF_EXECINSTR = 2, 4
SHF_COMPRESSED = 0x800

EM_386, EM_X86_64 = 3, 62

MAGIC = b"\x7fELF"
"""How every ELF file begins."""

SHN_UNDEF, SHN_ABS = 0, 0xFFF1
"""Numbers of sections that are none: the symbol is somewhere else, or it is a constant."""

SYM32, SYM64 = struct.Struct("<3I2BH"), struct.Struct("<I2BH2Q")
"""Elf32_Sym: name value size info other shndx; Elf64_Sym: name info other shndx value size."""

_NHDR = struct.Struct("<3I")


class _Layout(NamedTuple):
    """The structures of one ELF class."""

    ehdr: struct.Struct
    phdr: struct.Struct
    phdr_order: tuple[int, ...]
    shdr: struct.Struct


_LAYOUTS = {  # by EI_CLASS; where p_flags stands is the only difference in order
    1: _Layout(
        struct.Struct("<16s2H5I6H"),
        struct.Struct("<8I"),
        (0, 6, 1, 2, 3, 4, 5, 7),
        struct.Struct("<10I"),
    ),
    2: _Layout(
        struct.Struct("<16s2HI3QI6H"),
        struct.Struct("<2I6Q"),
        (0, 1, 2, 3, 4, 5, 6, 7),
        struct.Struct("<2I4Q2I2Q"),
    ),
}


class ProgramHeader(NamedTuple):
    """One program header; the fields of Elf64_Phdr, in its order."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


class Section(NamedTuple):
    """One section header; the fields of Elf64_Shdr, with the name as text."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entsize: int


class ElfFile:
    """The headers of an ELF file, all checked.

    Attributes:
        name: file name without directories.
        data: the whole file.
        wide: whether its class is ELF64.
        machine: EM_386 or EM_X86_64.
        entry: e_entry, a link address.
        program_headers: in the order of the file.
        sections: in the order of the file; empty if the file was stripped of them.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self._layout = self._class()
        self.wide = data[4] == 2
        fields = self._layout.ehdr.unpack_from(data)
        _, _, machine, _, entry, phoff, shoff, _, _, phentsize, phnum, *rest = fields
        self.machine: int = machine
        self.entry: int = entry
        if self.machine not in (EM_386, EM_X86_64):
            raise self.bad(f"for another architecture (machine {self.machine}), not x86")
        shentsize, shnum, shstrndx = rest
        self.program_headers = self._program_headers(phoff, phentsize, phnum)
        self.sections = self._section_headers(shoff, shentsize, shnum, shstrndx)

    @property
    def loads(self) -> tuple[ProgramHeader, ...]:
        """The PT_LOAD program headers that occupy memory."""
        return tuple(each for each in self.program_headers if each.type == PT_LOAD and each.memsz)

    def section(self, name: str) -> Section | None:
        """Return the first section called `name`, or None."""
        return next((section for section in self.sections if section.name == name), None)

    def moved(self, lowest: int, slide: int, physical: int) -> Self:
        """Return the same file, linked and loaded somewhere else; what it says stays as it is.

        Args:
            lowest: link addresses from here on are moved; those below are none of memory.
            slide: what to add to link addresses.
            physical: what to add to physical ones.
        """
        other = copy.copy(self)
        other.program_headers = tuple(
            each._replace(vaddr=each.vaddr + slide, paddr=each.paddr + physical)
            if each.vaddr >= lowest
            else each
            for each in self.program_headers
        )
        other.sections = tuple(
            each._replace(address=each.address + slide) if each.address >= lowest else each
            for each in self.sections
        )
        return other

    def bytes_of(self, part: ProgramHeader | Section) -> bytes:
        """Return the contents of a segment or section; empty if it has none in the file."""
        if isinstance(part, ProgramHeader):
            return self.data[part.offset : part.offset + part.filesz]
        if part.type == SHT_NOBITS:
            return b""
        return self.data[part.offset : part.offset + part.size]

    def notes(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield (name, type, descriptor) of the notes in PT_NOTE segments; names end in NUL."""
        for header in self.program_headers:
            if header.type == PT_NOTE:
                yield from _notes(self.bytes_of(header), 8 if header.align == 8 else 4)

    def bad(self, message: str) -> BadImage:
        """Return the error that says `message` about this file."""
        return BadImage(f"{self.name}: {message}")

    def _class(self) -> _Layout:
        """Return how the file's structures are laid out; BadImage if it is no ELF file."""
        data = self.data
        if not data.startswith(MAGIC):
            raise self.bad("not an ELF file")
        if len(data) < 16:
            raise self.bad("truncated: the ELF header is cut")
        layout = _LAYOUTS.get(data[4])
        if layout is None or data[5] != 1:
            raise self.bad("not a little-endian ELF file of 32 or 64 bits")
        if len(data) < layout.ehdr.size:
            raise self.bad("truncated: the ELF header is cut")
        return layout

    def _program_headers(self, offset: int, entsize: int, count: int) -> tuple[ProgramHeader, ...]:
        phdr, order = self._layout.phdr, self._layout.phdr_order
        if not 0 < count <= MAX_SEGMENTS or entsize != phdr.size:
            raise self.bad(f"has {count} program headers of {entsize} bytes: not a bootable image")
        self._bounds(offset, count * entsize, "the program headers")
        table = self.data[offset : offset + count * entsize]
        headers = tuple(
            ProgramHeader(*(fields[column] for column in order))
            for fields in phdr.iter_unpack(table)
        )
        for number, header in enumerate(headers):
            if header.type not in (PT_LOAD, PT_NOTE):
                continue
            self._bounds(header.offset, header.filesz, f"segment {number}")
            if header.filesz > header.memsz and header.type == PT_LOAD:
                raise self.bad(f"segment {number} is larger in the file than in memory")
            if header.paddr + header.memsz > MAX_ADDRESS:
                raise self.bad(f"segment {number} ends above 1 TiB")
        return headers

    def _section_headers(
        self, offset: int, entsize: int, count: int, names_index: int
    ) -> tuple[Section, ...]:
        if not offset or not count:
            return ()  # stripped of sections: it boots, but has no names
        shdr = self._layout.shdr
        if count > MAX_SECTIONS or entsize != shdr.size or names_index >= count:
            raise self.bad("has malformed section headers")
        self._bounds(offset, count * entsize, "the section headers")
        table = self.data[offset : offset + count * entsize]
        headers = list(shdr.iter_unpack(table))
        for number, header in enumerate(headers):
            if header[1] not in (0, SHT_NOBITS):
                self._bounds(header[4], header[5], f"section {number}")
        names_at, names_size = headers[names_index][4:6]
        if headers[names_index][1] in (0, SHT_NOBITS):
            names_size = 0
        names = self.data[names_at : names_at + names_size]
        return tuple(Section(name_at(names, at), *rest) for at, *rest in headers)

    def _bounds(self, offset: int, size: int, what: str) -> None:
        if offset + size > len(self.data):
            raise self.bad(f"truncated: {what} ends at byte {offset + size} of {len(self.data)}")


def name_at(strings: bytes, at: int) -> str:
    """Return the name at an offset of a string table; "" if it is outside, or has no end.

    One of over MAX_NAME bytes has none.
    """
    end = strings.find(b"\0", at, at + MAX_NAME)
    return strings[at:end].decode("utf-8", "backslashreplace") if end > at else ""


def _notes(data: bytes, align: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield the notes in a segment whose parts start at multiples of `align` (4 or 8)."""
    at = 0
    while at + _NHDR.size <= len(data):
        name_size, size, kind = _NHDR.unpack_from(data, at)
        name_at = at + _NHDR.size
        start = -(-(name_at + name_size) // align) * align
        if start + size > len(data):
            return
        yield data[name_at : name_at + name_size], kind, data[start : start + size]
        at = -(-(start + size) // align) * align
