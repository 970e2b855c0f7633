"""A kernel that is no ELF file: bare bytes with a Multiboot 1 header that says where they go.

Such files come of `nasm -f bin` and `objcopy -O binary`, and QEMU boots them. The header has to
have addresses (flag 16), for nothing else says what is loaded. There are no names and no types.
Source: Multiboot Specification 0.6.96, section 3.1.3.
"""

from emu.errors import BadImage
from emu.image.elf_boot import loaded_by_addresses
from emu.image.elf_file import EM_386, PF_X, PT_LOAD, ElfFile, ProgramHeader
from emu.image.multiboot_header import find

_OTHERS = (  # bytes, where, what has them, what to do
    (b"HdrS", 0x202, "a Linux bzImage", "start it with textpoke linux"),
    (b"\x1f\x8b", 0, "compressed with gzip", "unpack it"),
    (b"\xfd7zXZ", 0, "compressed with xz", "unpack it"),
    (b"\x28\xb5\x2f\xfd", 0, "compressed with zstd", "unpack it"),
)
"""Files that are easily taken for a kernel. Source of the first: Linux arch/x86/boot/header.S."""


class BareFile(ElfFile):
    """The one segment of a kernel without ELF, as if an ELF file had described it."""

    def __init__(self, name: str, data: bytes) -> None:
        """Read the Multiboot header; BadImage if there is none with addresses."""
        self.name = name
        self.data = data
        self.wide = False
        self.machine = EM_386
        self.sections = ()
        header = find(data)
        if header is None or not header.has_addresses:
            raise _other(self)
        start, segment = loaded_by_addresses(self, header)
        self.entry = header.entry_addr
        at, size, memsz = segment.paddr, len(segment.data), segment.memsz
        self.program_headers = (ProgramHeader(PT_LOAD, PF_X, start, at, at, size, memsz, 4),)


def _other(file: BareFile) -> BadImage:
    """Return the error that says what the file is, as far as that can be seen."""
    for mark, at, what, remedy in _OTHERS:
        if file.data[at : at + len(mark)] == mark:
            return file.bad(f"not an ELF file but {what}: {remedy}")
    return file.bad("not an ELF file, and without a Multiboot header that has addresses (flag 16)")
