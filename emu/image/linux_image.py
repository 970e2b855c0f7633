"""A Linux kernel that nobody changed: a Debian package, a bzImage or a vmlinux.

What a file is, its first bytes say. The vmlinux is its ELF file, so whatever takes an image takes
it, with link addresses; where KASLR puts the kernel is for the guest to find out. It is stripped:
names come from the table the kernel has for itself (`kallsyms`), types from its BTF (`btf`).

Started is either the vmlinux at its own entry, where it was linked, as the decompressor would start
it; or the decompressor itself, which unpacks the kernel and moves it (KASLR). Both in long mode.
"""

import copy
import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

from emu.errors import BadImage, TextpokeError
from emu.image import bz_image, deb, kept_kernel, unpack
from emu.image.btf import BtfReader
from emu.image.bz_image import BzImage
from emu.image.elf import ElfImage, bytes_of_file, check_loads
from emu.image.elf_boot import elf_entry
from emu.image.elf_file import (
    EM_X86_64,
    MAGIC,
    PF_W,
    PF_X,
    SHF_EXECINSTR,
    ElfFile,
)
from emu.image.linux_variables import KernelReader
from emu.image.sites import Sites
from emu.image.symbols import Symbols
from emu.image.types import Types
from emu.machine.boot import BootImage, Segment
from emu.machine.setup_header import SetupHeader

_KERNEL_MAP = 0xFFFF_FFFF_8000_0000
"""Where a kernel's own mapping begins: __START_KERNEL_map of arch/x86/include/asm/page_64_types.h.

Sections below have per-CPU variables, whose addresses are offsets.
"""

MAX_BZIMAGE = 256 << 20
"""Bytes of a bzImage in a package; a distribution's has 5 to 20 MiB."""

_NOTES = ("__start_notes", "__stop_notes")  # what /sys/kernel/notes shows (kernel/ksysfs.c)
_ALIGNMENT = 2 << 20  # KASLR moves a kernel by multiples of it (CONFIG_PHYSICAL_ALIGN)
_BANNER = b"Linux version "  # linux_banner, init/version.c; the first line a kernel says

_OTHER_ARCHITECTURES = ((b"ARM\x64", 0x38), (b"RSC\x05", 0x38), (b"zimg", 4))
"""Marks and where: Linux Documentation/arch/arm64/booting.rst, arch/riscv/boot-image-header.rst,
drivers/firmware/efi/libstub/zboot-header.S."""


class LinuxImage(ElfImage):
    """A stock Linux kernel for x86-64."""

    def __init__(self, name: str, data: bytes) -> None:
        """Read a kernel from the bytes of a file; BadImage says what it lacks."""
        self.name = name
        if data.startswith(deb.MAGIC):
            data = deb.kernel(name, data, MAX_BZIMAGE)
        self._bzimage = None
        if bz_image.is_bzimage(data):
            self._bzimage = BzImage(name, data)
            data = self._bzimage.vmlinux()
        self._file = file = _elf_file(name, data)
        self._segments = tuple(_segments(file))
        start = min(segment.paddr for segment in self._segments)
        end = max(segment.end for segment in self._segments)
        header = self._bzimage.header if self._bzimage else SetupHeader.made_up(start, end)
        self._header = header.data
        self._linked: LinuxImage | None = None  # as it was linked, if this is where it runs
        self._slide = 0
        self.boot_image = self._started(b"", bzimage=False)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read the kernel at `path`; BadImage as of `ElfImage.read`."""
        path, data = Path(path), bytes_of_file(path)
        if data.startswith(deb.MAGIC):
            data = kept_kernel.kernel(path, data, MAX_BZIMAGE)
        return cls(path.name, data)

    def with_initramfs(self, initramfs: bytes, *, bzimage: bool = False) -> Self:
        """Return the same kernel, to be started with an initramfs.

        Args:
            initramfs: archives as the kernel takes them; `initramfs.check` has looked at them.
            bzimage: start the kernel's own decompressor, and so KASLR.

        Raises:
            BadImage: the decompressor was asked for, and the file is a bare vmlinux.
        """
        other = copy.copy(self)
        other.boot_image = self._started(initramfs, bzimage=bzimage)
        return other

    @property
    def moves(self) -> bool:
        """Whether it is started by its decompressor, which may put it anywhere (KASLR)."""
        return self._bzimage is not None and self.boot_image.entry == self._bzimage.entry

    def slid(self, slide: int, physical: int) -> "LinuxImage":
        """Return the same kernel where it runs: all addresses are those of its memory.

        Its file still has link addresses in it: `read_virtual` tells what it had before it was
        relocated. Debug information in DWARF is not moved with it.

        Args:
            slide: by how much its virtual addresses are higher than those it was linked for.
            physical: by how much its physical ones are.
        """
        if not slide and not physical:
            return self
        other = copy.copy(self)
        for name in ("symbols", "sites", "_code"):
            other.__dict__.pop(name, None)  # they are read anew
        other.__dict__.update(
            _file=self._file.moved(_KERNEL_MAP, slide, physical),
            _linked=self._linked or self,
            _slide=self._slide + slide,
        )
        return other

    @cached_property
    def symbols(self) -> Symbols:
        """What the kernel knows of itself, or its symbol table if it was not stripped."""
        if self._linked is not None:
            return self._linked.symbols.slid(self._slide)
        return super().symbols

    @cached_property
    def sites(self) -> Sites:
        """The traceable functions."""
        if self._linked is not None:
            return self._linked.sites.slid(self._slide, self.symbols)
        return super().sites

    @cached_property
    def types(self) -> Types:
        """Structures from BTF, and the variables whose types BTF does not say (`linux_variables`).

        Raises:
            BadImage: on access, if there is no debug information.
        """
        section = self._file.section(".BTF")
        if section is None or self._file.section(".debug_info") is not None:
            return super().types
        return Types(KernelReader(BtfReader(self.name, self._file.bytes_of(section))))

    def text(self) -> tuple[range, ...]:
        """Return the physical addresses of its code, once it is unpacked."""
        placed = _segments(self._file)
        return tuple(range(each.paddr, each.end) for each in placed if each.executable)

    def is_in(self, memory: Callable[[int, int], bytes], size: int) -> bool:
        """Return whether this very kernel, once it has booted, is the one in memory.

        Its notes say so, with the build ID: wherever KASLR put it, whatever it was started with.

        Args:
            memory: returns bytes of physical memory, from an address on so many.
            size: of the memory.
        """
        try:
            start, end = (self.symbols[name].address for name in _NOTES)
            notes, place = self.read_virtual(start, end - start), self.load_address(start)
        except TextpokeError:
            return False
        if not notes or place is None:
            return False
        places = range(place % _ALIGNMENT, size - len(notes), _ALIGNMENT)
        return any(memory(at, len(notes)) == notes for at in places)

    def is_executable(self, address: int) -> bool:
        """Return whether link address `address` lies in a section with code.

        The segments do not say: one has both the code that runs once and all zeroed data.
        """
        if not self._code:
            return super().is_executable(address)
        return any(start <= address < end for start, end in self._code)

    @cached_property
    def _code(self) -> tuple[tuple[int, int], ...]:
        return tuple(
            (section.address, section.address + section.size)
            for section in self._file.sections
            if section.flags & SHF_EXECINSTR
        )

    def _started(self, initramfs: bytes, *, bzimage: bool) -> BootImage:
        kernel: tuple[bytes, ...]
        if not bzimage:
            entry, segments = elf_entry(self._file), self._segments
            kernel = (self._header, self._file.data)
        elif self._bzimage:
            entry, segments = self._bzimage.entry, (self._bzimage.segment,)
            kernel = (self._bzimage.data,)
        else:
            raise BadImage(
                f"{self.name}: a vmlinux has no decompressor: give the package or the bzImage "
                "(boot/vmlinuz-*)"
            )
        digest = hashlib.sha256()
        for part in (*kernel, initramfs):
            digest.update(part)
        return BootImage(
            name=self.name,
            sha256=digest.hexdigest(),
            protocol="linux",
            entry=entry,
            segments=segments,
            setup_header=self._header,
            initramfs=initramfs,
        )


def _segments(file: ElfFile) -> Iterator[Segment]:
    """Yield what is placed in RAM: the text apart from the read-only data behind it.

    Not apart is the text of the last segment: it runs once, and lies among the zeroed data.
    """
    whole = memoryview(file.data)  # 60 MB that need not be there twice
    for load in file.loads:
        data = whole[load.offset : load.offset + load.filesz]
        ends = [
            section.address + section.size - load.vaddr
            for section in file.sections
            if section.flags & SHF_EXECINSTR and 0 <= section.address - load.vaddr < load.memsz
        ]
        text = bool(load.flags & PF_X) and not load.flags & PF_W
        end = max(ends, default=len(data))
        if text and end < len(data):
            yield Segment(load.paddr, data[:end], end, executable=True)
            yield Segment(load.paddr + end, data[end:], load.memsz - end)
        else:
            yield Segment(load.paddr, data, load.memsz, text)


def _elf_file(name: str, data: bytes) -> ElfFile:
    """Return the vmlinux; BadImage if it is none for x86-64."""
    if not data.startswith(MAGIC):
        raise BadImage(f"{name}: {_what(data)}: give a linux-image package for amd64")
    file = ElfFile(name, data)
    if file.machine != EM_X86_64 or not file.wide:
        raise file.bad("a kernel for 32-bit processors: take one for amd64")
    if _BANNER not in data:
        raise file.bad("an ELF file, but no Linux kernel: start it with textpoke run")
    check_loads(file)
    return file


def _what(data: bytes) -> str:
    """Return what a file is that is no kernel for x86."""
    for mark, at in _OTHER_ARCHITECTURES:
        if data.startswith(mark, at):
            return "a kernel for another architecture than x86"
    packed = unpack.format_of(data)
    if packed:
        return f"compressed with {packed}, and no bzImage"
    return "neither a bzImage (boot/vmlinuz-*) nor a vmlinux"
