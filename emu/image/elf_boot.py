"""How a kernel in an ELF file is started: by which protocol, where, and with what in memory.

In QEMU's order (hw/i386/x86.c, x86_load_linux): Multiboot 1, if the file has its header, else
PVH, if it has the note "Xen" type 18 (XEN_ELFNOTE_PHYS32_ENTRY, xen/include/public/elfnote.h).
Multiboot starts 32-bit ELF files only, so a file for x86-64 that has both boots by PVH here;
QEMU refuses it. A Multiboot header with addresses overrules ELF altogether. Segments lie at their
physical addresses (p_paddr).
"""

from typing import Literal

from emu.image.elf_file import EM_X86_64, PF_X, ElfFile
from emu.image.multiboot_header import MultibootHeader, find, is_multiboot2
from emu.machine.boot import Segment

_XEN_PHYS32_ENTRY = 18

Parameters = tuple[Literal["pvh", "multiboot"], int, tuple[Segment, ...]]
"""Protocol, physical address of the entry, what is placed in RAM."""


def boot_parameters(file: ElfFile) -> Parameters:
    """Return how `file` is started; BadImage if neither protocol takes it."""
    header = find(file.data)
    if header is not None and header.has_addresses:
        _, segment = loaded_by_addresses(file, header)
        if not 0 <= header.entry_addr - segment.paddr < len(segment.data):
            raise file.bad(f"has its Multiboot entry {header.entry_addr:#x} outside what it loads")
        return "multiboot", header.entry_addr, (segment,)
    segments = tuple(Segment(load.paddr, file.bytes_of(load), load.memsz) for load in file.loads)
    if header is not None and file.machine != EM_X86_64:
        return "multiboot", elf_entry(file), segments
    pvh = _pvh_entry(file)
    if pvh is not None:
        return "pvh", pvh, segments
    if header is not None:
        raise file.bad(
            "an x86-64 ELF file with a Multiboot header, which boots 32-bit ELF files only: "
            "convert it with objcopy -O elf32-i386"
        )
    if is_multiboot2(file.data):
        raise file.bad("has a Multiboot 2 header only: add a PVH note or a Multiboot 1 header")
    raise file.bad(
        "has no PVH note (Xen, type 18, in PT_NOTE) and no Multiboot header: "
        "nothing says how to boot it"
    )


def _pvh_entry(file: ElfFile) -> int | None:
    """Return the physical entry from the PVH note, None without one; BadImage if it is wrong."""
    for name, kind, descriptor in file.notes():
        if name != b"Xen\0" or kind != _XEN_PHYS32_ENTRY:
            continue
        if len(descriptor) not in (4, 8):
            raise file.bad(f"has a PVH note of {len(descriptor)} bytes: 4 or 8 are valid")
        entry = int.from_bytes(descriptor, "little")
        if not any(0 <= entry - load.paddr < load.filesz for load in file.loads):
            raise file.bad(f"has its PVH entry {entry:#x} outside the segments")
        return entry
    return None


def elf_entry(file: ElfFile) -> int:
    """Return the physical address of e_entry.

    It is a link address if an executable segment has it there, else physical already, as QEMU
    has it (include/hw/elf_ops.h).
    """
    for load in file.loads:
        if load.flags & PF_X and 0 <= file.entry - load.vaddr < load.filesz:
            return file.entry - load.vaddr + load.paddr
    if not any(0 <= file.entry - load.paddr < load.filesz for load in file.loads):
        raise file.bad(f"has its entry {file.entry:#x} outside the segments")
    return file.entry


def loaded_by_addresses(file: ElfFile, header: MultibootHeader) -> tuple[int, Segment]:
    """Return the one segment a header with addresses describes, and where it begins in the file.

    Raises:
        BadImage: the addresses contradict each other or the size of the file.
    """
    start = header.offset - (header.header_addr - header.load_addr)
    if header.header_addr < header.load_addr or start < 0:
        raise file.bad(
            f"has a Multiboot header at {header.header_addr:#x} that is loaded at "
            f"{header.load_addr:#x}: that is not in the file"
        )
    size = len(file.data) - start
    if header.load_end_addr:
        size = header.load_end_addr - header.load_addr
    if not 0 < size <= len(file.data) - start:
        raise file.bad(f"has a Multiboot header that loads {size} bytes: they are not in the file")
    memsz = header.bss_end_addr - header.load_addr if header.bss_end_addr else size
    if memsz < size:
        raise file.bad("has a Multiboot header whose bss ends before what is loaded")
    return start, Segment(header.load_addr, file.data[start : start + size], memsz)
