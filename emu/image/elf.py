"""A kernel image: what the machine boots and what names its bytes.

An ELF file for x86, of 32 or 64 bits, that QEMU boots by `-kernel`: by PVH or by Multiboot 1
(`elf_boot` decides); or bare bytes with a Multiboot header that has addresses (`bare_file`).
Symbols, types and sites are read when first asked for. The only error that leaves this package
for a malformed file is `BadImage`.
"""

import hashlib
import stat
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from emu.errors import BadImage
from emu.image.bare_file import BareFile
from emu.image.elf_boot import boot_parameters
from emu.image.elf_file import MAGIC, PF_X, SHF_ALLOC, SHF_COMPRESSED, ElfFile
from emu.image.lines import Lines
from emu.image.sites import Sites
from emu.image.symbols import Symbols, read_symbols
from emu.machine.boot import BootImage

if TYPE_CHECKING:
    from emu.image.call_frames import CallFrames
    from emu.image.prototype import Prototype
    from emu.image.types import Types

MAX_FILE = 1 << 30
"""Bytes of an image; a Debian vmlinux with debug information has 800 MiB."""


class ElfImage:
    """A kernel image in an ELF file.

    Attributes:
        name: file name without directories.
        boot_image: what the machine needs.
    """

    def __init__(self, name: str, data: bytes) -> None:
        """Read an image from the bytes of a file; BadImage if it cannot be one."""
        self.name = name
        self._file = file = (ElfFile if data.startswith(MAGIC) else BareFile)(name, data)
        check_loads(file)
        protocol, entry, segments = boot_parameters(file)
        self.boot_image = BootImage(
            name=name,
            sha256=hashlib.sha256(data).hexdigest(),
            protocol=protocol,
            entry=entry,
            segments=segments,
        )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read the image at `path`.

        Raises:
            BadImage: no such file, not a kernel image, or a malformed one.
        """
        return cls(Path(path).name, bytes_of_file(path))

    @cached_property
    def symbols(self) -> Symbols:
        """The symbol table, or what a Linux kernel knows of itself; empty if neither is there."""
        from emu.image.kallsyms import read_kallsyms  # noqa: PLC0415 -- few images need it

        linked = self._linked_symbols()
        return linked if len(linked) else read_kallsyms(self._file, self.name)

    def _linked_symbols(self) -> Symbols:
        table = self._file.section(".symtab")
        if table is None:
            return Symbols((), self.name)
        if table.link >= len(self._file.sections):
            raise self._file.bad("has a symbol table without names")
        strings = self._file.sections[table.link]
        return Symbols(
            read_symbols(
                self._file.bytes_of(table), self._file.bytes_of(strings), wide=self._file.wide
            ),
            self.name,
        )

    @cached_property
    def types(self) -> "Types":
        """Structures and variables from the DWARF debug information, or from BTF without it.

        Raises:
            BadImage: on access, if the file has neither.
        """
        from emu.image.btf import BtfReader  # noqa: PLC0415 -- not all need it
        from emu.image.dwarf import DwarfReader  # noqa: PLC0415 -- as that
        from emu.image.linux_variables import VARIABLES  # noqa: PLC0415 -- as that
        from emu.image.types import Types  # noqa: PLC0415 -- with them

        btf = self._file.section(".BTF")
        if btf is None or self._file.section(".debug_info") is not None:
            return Types(DwarfReader(self.name, self._debug_sections()))
        return Types(BtfReader(self.name, self._file.bytes_of(btf)), VARIABLES)

    @cached_property
    def lines(self) -> Lines:
        """Source lines from the DWARF debug information; none without.

        Raises:
            BadImage: on access, if it is malformed or compressed.
        """
        return Lines(self.name, self._debug_sections())

    def prototypes(self, functions: Iterable[str]) -> "dict[str, Prototype]":
        """Return the types of functions, of those that debug information has.

        Raises:
            BadImage: it is malformed or compressed.
        """
        from emu.image.prototype import prototypes  # noqa: PLC0415 -- only for patches in C

        return prototypes(self.name, self._debug_sections(), functions)

    @cached_property
    def frames(self) -> "CallFrames":
        """Call frame information, from .debug_frame and .eh_frame; none without them.

        Raises:
            BadImage: on access, if it is malformed or compressed.
        """
        from emu.image.call_frames import CallFrames  # noqa: PLC0415 -- only stacks need it

        eh_frame = self._file.section(".eh_frame")
        return CallFrames(
            self.name,
            self._debug_sections().get(".debug_frame", b""),
            self._file.bytes_of(eh_frame) if eh_frame else b"",
            eh_frame.address if eh_frame else 0,
        )

    def _debug_sections(self) -> dict[str, bytes]:
        debug = [section for section in self._file.sections if section.name.startswith(".debug_")]
        if any(section.flags & SHF_COMPRESSED for section in debug):
            raise self._file.bad(
                "has compressed debug information: link with --compress-debug-sections=none"
            )
        return {section.name: self._file.bytes_of(section) for section in debug}

    @cached_property
    def sites(self) -> Sites:
        """The traceable functions."""
        return Sites.read(self)

    def text(self) -> tuple[range, ...]:
        """Return the physical addresses of its code."""
        placed = self.boot_image.segments
        return tuple(range(each.paddr, each.end) for each in placed if each.executable)

    def read_virtual(self, address: int, size: int) -> bytes:
        """Return `size` bytes as the file has them at link address `address`.

        What a segment does not take from the file reads as zero.

        Raises:
            BadImage: the bytes do not lie in one segment.
        """
        for load in self._file.loads:
            at = address - load.vaddr
            if at >= 0 and 0 <= size <= load.memsz - at:
                have = max(0, min(size, load.filesz - at))
                found = self._file.data[load.offset + at : load.offset + at + have]
                return found + bytes(size - have)
        raise self._file.bad(f"has no {size} bytes at {address:#x}")

    def segment_at(self, address: int) -> tuple[int, int] | None:
        """Return (start, end) of the segment that holds link address `address`, or None."""
        for load in self._file.loads:
            if 0 <= address - load.vaddr < load.memsz:
                return load.vaddr, load.vaddr + load.memsz
        return None

    def place_of(self, section: str) -> tuple[int, int] | None:
        """Return link address and size of the first section of a name, None if there is none."""
        found = self._file.section(section)
        return None if found is None else (found.address, found.size)

    def section_at(self, address: int) -> str | None:
        """Return the name of the section that link address `address` is in, or None."""
        for section in self._file.sections:
            inside = 0 <= address - section.address < section.size
            if inside and section.flags & SHF_ALLOC:
                return section.name
        return None

    def link_address(self, physical: int) -> int | None:
        """Return the link address of what is loaded at a physical one, None if nothing is."""
        for load in self._file.loads:
            if 0 <= physical - load.paddr < load.memsz:
                return physical - load.paddr + load.vaddr
        return None

    def load_address(self, address: int) -> int | None:
        """Return the physical address at which link address `address` is loaded, or None."""
        for load in self._file.loads:
            if 0 <= address - load.vaddr < load.memsz:
                return address - load.vaddr + load.paddr
        return None

    def is_executable(self, address: int) -> bool:
        """Return whether link address `address` lies in a segment with the execute flag."""
        return any(
            load.flags & PF_X and 0 <= address - load.vaddr < load.memsz
            for load in self._file.loads
        )


def bytes_of_file(path: str | Path) -> bytes:
    """Return what the file of an image holds; BadImage if it cannot be one."""
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadImage(f"{path}: not a file")
        if status.st_size > MAX_FILE:
            raise BadImage(f"{path}: over {MAX_FILE >> 20} MiB, too large for an image")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise BadImage(f"{path}: {reason or 'cannot be read'}") from None
    return data


def check_loads(file: ElfFile) -> None:
    """Raise BadImage unless there is something to load, no larger than the file."""
    if not file.loads:
        raise file.bad("has no segment to load")
    if sum(load.filesz for load in file.loads) > len(file.data):
        raise file.bad("has segments that share bytes of the file")
