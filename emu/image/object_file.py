"""A relocatable object, as a compiler leaves it: sections, symbols, and what is still to fill in.

ELF64 for x86-64 and ET_REL only. Nothing in the file is believed: sections may not share bytes of
it, relocations lie inside their section, and numbers of sections and symbols exist. The only error
is `BadImage`. Sources: System V gABI chapter 4; the x86-64 psABI, section 4.4, "Relocation".
"""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from emu.image.elf_file import (
    EM_X86_64,
    SHF_COMPRESSED,
    SHN_ABS,
    SHT_NOBITS,
    SYM64,
    ElfFile,
    ProgramHeader,
    Section,
    name_at,
)

SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS = 0x1, 0x2, 0x4, 0x400

_ET_REL = 1
_SHT_SYMTAB, _SHT_RELA, _SHT_REL, _SHT_NOTE = 2, 4, 9, 7
_SHN_LORESERVE, _SHN_COMMON = 0xFF00, 0xFFF2
_STT_SECTION, _STT_FUNC, _STT_TLS = 3, 2, 6
_STB_LOCAL, _STB_WEAK = 0, 2
_RELA = struct.Struct("<2Qq")
_MAX_ALIGN = 4096
_NOT_PLACED = (".eh_frame",)  # tables for C++ exceptions; .debug_frame says the same


class Relocation(NamedTuple):
    """A place in a section that needs an address. symbol: its number. addend: added to it."""

    offset: int
    type: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class ObjectSection:
    """A section that is to lie in memory, or one with debug information.

    Attributes:
        number: in the file's table.
        name: such as ".text".
        writable, executable: what memory it needs.
        align: a power of two.
        size: bytes in memory.
        data: its bytes; empty if they are all zero (.bss).
        relocations: in the order of the file.
    """

    number: int
    name: str
    writable: bool
    executable: bool
    align: int
    size: int
    data: bytes
    relocations: tuple[Relocation, ...]


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A symbol.

    Attributes:
        name: as compiled; that of a section is the section's.
        section: number of the section it lies in, SHN_UNDEF or SHN_ABS.
        value: offset in its section.
        size: bytes.
        is_function: whether it is code with a type.
        is_global: visible to other objects. is_weak: gives way to another, need not exist.
    """

    name: str
    section: int
    value: int
    size: int
    is_function: bool
    is_global: bool
    is_weak: bool


class ObjectFile:
    """An object.

    Args:
        name: what people call it: the name of its source.
        data: the bytes of the file.

    Attributes:
        sections: those to place in memory, in the order of the file.
        debug: those called .debug_*, which are not.
        symbols: by number.

    Raises:
        BadImage: it is none, is malformed, or needs what cannot be done here.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._file = file = _RelocatableFile(name, data)
        found = [self._section(number, each) for number, each in enumerate(file.sections)]
        placed = [section for section in found if section is not None]
        self.sections = tuple(s for s in placed if not s.name.startswith(".debug_"))
        self.debug = tuple(s for s in placed if s.name.startswith(".debug_"))
        self.symbols = tuple(self._symbols())
        for section in placed:
            self._check(section)

    def functions(self) -> tuple[ObjectSymbol, ...]:
        """Return the functions it defines, in the order of the file."""
        return tuple(each for each in self.symbols if each.is_function and each.section)

    def _section(self, number: int, section: Section) -> ObjectSection | None:
        """Return a section, None for one that is neither to place nor debug information."""
        debug = section.name.startswith(".debug_")
        if not debug and not (section.flags & SHF_ALLOC and section.size):
            return None
        if section.type == _SHT_NOTE or section.name in _NOT_PLACED:
            return None
        if section.flags & SHF_TLS:
            raise self._file.bad("has thread-local variables: a kernel has no such thing here")
        if section.name.startswith((".init_array", ".ctors", ".fini_array", ".dtors")):
            raise self._file.bad("has a constructor or destructor, which nobody would call")
        if section.flags & SHF_COMPRESSED:
            raise self._file.bad("has compressed debug information: compile with -gz=none")
        if section.flags & SHF_WRITE and section.flags & SHF_EXECINSTR:
            raise self._file.bad(f"has {section.name} to be written and executed")
        align = section.align or 1
        if align & (align - 1) or align > _MAX_ALIGN:
            raise self._file.bad(f"{section.name} is to be aligned to {align} bytes")
        return ObjectSection(
            number=number,
            name=section.name,
            writable=bool(section.flags & SHF_WRITE),
            executable=bool(section.flags & SHF_EXECINSTR),
            align=align,
            size=section.size,
            data=self._file.bytes_of(section),
            relocations=tuple(self._relocations(number)),
        )

    def _relocations(self, number: int) -> Iterator[Relocation]:
        for table in self._file.sections:
            if table.info != number or table.type not in (_SHT_RELA, _SHT_REL):
                continue
            if table.type == _SHT_REL:
                raise self._file.bad("has relocations without addends: not for x86-64")
            data = self._file.bytes_of(table)
            for offset, info, addend in _RELA.iter_unpack(data[: len(data) // 24 * 24]):
                yield Relocation(offset, info & 0xFFFFFFFF, info >> 32, addend)

    def _symbols(self) -> Iterator[ObjectSymbol]:
        table = next((each for each in self._file.sections if each.type == _SHT_SYMTAB), None)
        if table is None or table.link >= len(self._file.sections):
            raise self._file.bad("has no symbols")
        strings = self._file.bytes_of(self._file.sections[table.link])
        data = self._file.bytes_of(table)
        for at, info, _, section, value, size in SYM64.iter_unpack(data[: len(data) // 24 * 24]):
            kind, binding = info & 0xF, info >> 4
            name = name_at(strings, at)
            if section == _SHN_COMMON:
                raise self._file.bad(f"has the common variable {name}: compile with -fno-common")
            if kind == _STT_TLS:
                raise self._file.bad(f"has {name}, a thread-local variable")
            if section >= _SHN_LORESERVE and section != SHN_ABS:
                raise self._file.bad(f"has {name or 'a symbol'} in the unknown section {section}")
            if section != SHN_ABS and section >= len(self._file.sections):
                raise self._file.bad(f"has {name or 'a symbol'} in section {section}: none")
            if kind == _STT_SECTION:
                name = self._file.sections[section].name
            yield ObjectSymbol(
                name=name,
                section=section,
                value=value,
                size=size,
                is_function=kind == _STT_FUNC,
                is_global=binding != _STB_LOCAL,
                is_weak=binding == _STB_WEAK,
            )

    def _check(self, section: ObjectSection) -> None:
        """Refuse relocations of symbols that do not exist or that begin outside a section."""
        for each in section.relocations:
            if each.symbol >= len(self.symbols) or each.offset >= max(1, len(section.data)):
                raise self._file.bad(f"has a malformed relocation in {section.name}")


class _RelocatableFile(ElfFile):
    """The headers of an object; it has no segments."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name, data)
        kind = struct.unpack_from("<H", data, 16)[0]
        if kind != _ET_REL or not self.wide or self.machine != EM_X86_64:
            raise self.bad("not an object for x86-64, as gcc -c makes it")
        within = [each for each in self.sections if each.type not in (0, SHT_NOBITS) and each.size]
        ends = sorted((each.offset, each.offset + each.size) for each in within)
        if any(end > start for (_, end), (start, _) in itertools.pairwise(ends)):
            raise self.bad("has sections that share bytes of the file")

    def _program_headers(
        self,
        offset: int,  # noqa: ARG002 -- as any ELF file; a linker makes segments
        entsize: int,  # noqa: ARG002
        count: int,  # noqa: ARG002
    ) -> tuple[ProgramHeader, ...]:
        return ()
