"""Starting a kernel: what is placed in RAM before the first instruction.

A `BootImage` is all the machine learns about a kernel: bytes at physical addresses and an entry.
`load` does what a PVH loader does (QEMU's hw/i386/x86.c and Xen's domain builder): it places the
segments and describes the machine in an `hvm_start_info` version 1, whose physical address the
kernel finds in ebx. The kernel starts in 32-bit protected mode with paging off.

Layout of the start info: xen/include/public/arch-x86/hvm/start_info.h. Everything but the
segments lies in one page, at addresses that never change:

    0x1000  hvm_start_info (56 bytes)
    0x1100  memory map: hvm_memmap_table_entry, 24 bytes each
    0x1800  command line, NUL-terminated, at most 2048 bytes with the NUL
"""

import itertools
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from emu.errors import BadImage, TextpokeError

START_INFO = 0x1000
MEMORY_MAP = 0x1100
COMMAND_LINE = 0x1800
AREA_END = 0x2000
"""Physical addresses of the start info and its parts; the page ends at AREA_END."""

MAX_COMMAND_LINE = 2048
"""Bytes with the NUL. Source: COMMAND_LINE_SIZE in Linux arch/x86/include/asm/setup.h."""

MIN_RAM = 2 << 20
MAX_RAM = 3 << 30
"""Bytes of RAM: at least the BIOS area and a megabyte, and below the APIC and its hole."""

_MAGIC = 0x336EC578  # XEN_HVM_START_MAGIC_VALUE
_VERSION = 1  # the first with a memory map
_RAM, _RESERVED = 1, 2  # XEN_HVM_MEMMAP_TYPE_RAM, _RESERVED
_EBDA, _VGA, _MEGABYTE = 0x9FC00, 0xA0000, 0x100000

_START_INFO = struct.Struct("<4I4Q2I")
_MAP_ENTRY = struct.Struct("<2Q2I")


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at a physical address, followed by zeros up to `memsz` bytes.

    executable: the file says that it holds code; where stores are expected to be rare.
    """

    paddr: int
    data: bytes
    memsz: int
    executable: bool = False

    @property
    def end(self) -> int:
        """Physical address of the first byte behind the segment."""
        return self.paddr + self.memsz


@dataclass(frozen=True, slots=True)
class BootImage:
    """A kernel as the machine sees it.

    Attributes:
        name: file name without directories, for messages.
        sha256: of the whole file, in hex; a schedule names its image by it.
        protocol: how the kernel is started.
        entry: physical address of the first instruction.
        segments: what is placed in RAM, in the order of the file.
    """

    name: str
    sha256: str
    protocol: Literal["pvh"]
    entry: int
    segments: tuple[Segment, ...]


def load(image: BootImage, ram: "memoryview | npt.NDArray[np.uint8]", cmdline: str) -> int:
    """Place `image`, its command line and the start info in `ram`; change nothing on error.

    Args:
        image: the kernel.
        ram: all RAM from physical address 0, writable bytes, 2 MiB to 3 GiB.
        cmdline: the kernel's command line, at most 2047 bytes of UTF-8.

    Returns:
        The physical address of the start info, for ebx.

    Raises:
        BadImage: a segment is not in RAM, or overlaps the start info or another segment.
        TextpokeError: the command line or the size of RAM cannot be used.
    """
    memory = (ram.data if isinstance(ram, np.ndarray) else ram).cast("B")
    size = len(memory)
    if not MIN_RAM <= size <= MAX_RAM:
        raise TextpokeError(f"{size} bytes of RAM: --ram takes 2 to {MAX_RAM >> 20} MiB")
    line = _command_line(cmdline)
    check(image, size)
    for segment in image.segments:
        filled = segment.paddr + len(segment.data)
        memory[segment.paddr : filled] = segment.data
        memory[filled : segment.end] = bytes(segment.end - filled)
    table = memory_map(size)
    info = _START_INFO.pack(_MAGIC, _VERSION, 0, 0, 0, COMMAND_LINE, 0, MEMORY_MAP, len(table), 0)
    entries = b"".join(_MAP_ENTRY.pack(start, end - start, kind, 0) for start, end, kind in table)
    for address, data in ((START_INFO, info), (MEMORY_MAP, entries), (COMMAND_LINE, line)):
        memory[address : address + len(data)] = data
    return START_INFO


def memory_map(size: int) -> tuple[tuple[int, int, int], ...]:
    """Return (start, end, type) of each range in a machine with `size` bytes of RAM.

    Type 1 is RAM, 2 reserved, as in the e820 map of a PC with its EBDA at 0x9fc00.
    """
    return (
        (0, _EBDA, _RAM),
        (_EBDA, _VGA, _RESERVED),
        (_VGA, _MEGABYTE, _RESERVED),
        (_MEGABYTE, size, _RAM),
    )


def check(image: BootImage, size: int) -> None:
    """Raise BadImage unless every segment lies in `size` bytes of RAM and overlaps nothing."""
    used = [(segment.paddr, segment.end, "a segment") for segment in image.segments]
    used += [(START_INFO, AREA_END, "the start info"), (_EBDA, _MEGABYTE, "the BIOS area")]
    for segment in image.segments:
        if segment.paddr < 0 or len(segment.data) > segment.memsz:
            raise BadImage(f"{image.name}: a segment has more bytes than it says")
        if segment.end > size:
            need = -(-segment.end // (1 << 20))
            hint = f": give it --ram {need}" if need <= MAX_RAM >> 20 else ""
            raise BadImage(
                f"{image.name}: segment {segment.paddr:#x}-{segment.end:#x} lies outside the "
                f"{size >> 20} MiB of RAM{hint}"
            )
    for (start, end, what), (later, _, other) in itertools.pairwise(sorted(used)):
        if later < end:
            raise BadImage(
                f"{image.name}: {what} at {start:#x}-{end:#x} overlaps {other} at {later:#x}: "
                "link it elsewhere"
            )


def _command_line(cmdline: str) -> bytes:
    """Return the command line as the kernel reads it, or raise TextpokeError."""
    try:
        line = cmdline.encode() + b"\0"
    except UnicodeEncodeError:
        raise TextpokeError("the command line is not valid text") from None
    if 0 in line[:-1]:
        raise TextpokeError("the command line contains a NUL")
    if len(line) > MAX_COMMAND_LINE:
        raise TextpokeError(f"the command line has over {MAX_COMMAND_LINE - 1} bytes: shorten it")
    return line
