"""Starting a kernel: what is placed in RAM before the first instruction.

A `BootImage` is all the machine learns about a kernel: bytes at physical addresses, an entry and
a protocol. `load` does what QEMU's loaders do for `-kernel` (hw/i386/x86.c and multiboot.c): it
places the segments, what a BIOS would have left in memory (`bios`), and a description of the
machine in the form the protocol has for it (`pvh`, `multiboot`, `linux_boot`), whose physical
address the kernel finds in ebx (rsi with "linux"). It starts in 32-bit protected mode with paging
off, with "linux" in long mode.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from emu.errors import BadImage, TextpokeError
from emu.machine import bios, linux_boot, multiboot, pvh
from emu.machine.e820 import EBDA, MEGABYTE, Range, memory_map
from emu.machine.setup_header import SetupHeader

MAX_COMMAND_LINE = 2048
"""Bytes with the NUL. Source: COMMAND_LINE_SIZE in Linux arch/x86/include/asm/setup.h."""

MIN_RAM = 2 << 20
MAX_RAM = 3 << 30
"""Bytes of RAM: at least the BIOS area and a megabyte, and below the APIC and its hole."""


Used: TypeAlias = tuple[int, int, str]
"""Physical addresses [start, end) that something takes, and its name for messages."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at a physical address, followed by zeros up to `memsz` bytes.

    executable: the file says that it holds code; where stores are expected to be rare.
    """

    paddr: int
    data: bytes | memoryview
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
        sha256: of the whole file, in hex; a schedule names its image by it. With "linux", of what
            is started: the setup header and the vmlinux, or the bzImage; then the initramfs.
        protocol: how the kernel is started.
        entry: physical address of the first instruction.
        segments: what is placed in RAM, in the order of the file.
        setup_header: what boot_params has from 0x1f1 on, with "linux" only.
        initramfs: archives for the kernel's first file system, with "linux" only; may be empty.
    """

    name: str
    sha256: str
    protocol: Literal["pvh", "multiboot", "linux"]
    entry: int
    segments: tuple[Segment, ...]
    setup_header: bytes = b""
    initramfs: bytes = b""


def load(
    image: BootImage, ram: "memoryview | npt.NDArray[np.uint8]", cmdline: str, cores: int
) -> int:
    """Place `image` and all it is told in `ram`; change nothing on error.

    Args:
        image: the kernel.
        ram: all RAM from physical address 0, writable bytes, 2 MiB to 3 GiB.
        cmdline: the kernel's command line, at most 2047 bytes of UTF-8.
        cores: how many processors the tables list.

    Returns:
        The physical address of the protocol's description of the machine, for ebx or rsi.

    Raises:
        BadImage: a segment is not in RAM, or overlaps another one or what `load` places.
        TextpokeError: the command line or the size of RAM cannot be used.
    """
    memory = (ram.data if isinstance(ram, np.ndarray) else ram).cast("B")
    size = len(memory)
    if not MIN_RAM <= size <= MAX_RAM:
        raise TextpokeError(f"{size} bytes of RAM: --ram takes 2 to {MAX_RAM >> 20} MiB")
    line = command_line(cmdline)
    kernel = [(segment.paddr, segment.end, "segment") for segment in image.segments]
    if image.protocol == "linux":
        _initramfs_address(image, size)  # what it says counts all that has to fit
    _check_inside(image.name, kernel, size)
    if any(len(segment.data) > segment.memsz for segment in image.segments):
        raise BadImage(f"{image.name}: a segment has more bytes than it says")
    areas, told, info = _told(image, line, size)
    _check_inside(image.name, told, size)
    _check_apart(image.name, [*kernel, *told, (EBDA, MEGABYTE, "the BIOS area")])
    # A kernel may lie over the BIOS data area: its bytes win.
    for address, data in bios.areas(cores):
        memory[address : address + len(data)] = data
    for segment in image.segments:
        filled = segment.paddr + len(segment.data)
        memory[segment.paddr : filled] = segment.data
        memory[filled : segment.end] = bytes(segment.end - filled)
    for address, data in areas:
        memory[address : address + len(data)] = data
    return info


def _told(image: BootImage, line: bytes, size: int) -> tuple[list[bios.Area], list[Used], int]:
    """Return what the protocol tells the kernel, the RAM it takes, and its address."""
    ranges = memory_map(size)
    if image.protocol == "linux":
        return _linux_told(image, line, ranges, size)
    if image.protocol == "pvh":
        used = [(pvh.START_INFO, pvh.AREA_END, "the start info")]
        return pvh.areas(line, ranges), used, pvh.START_INFO
    kernel = (
        min((segment.paddr for segment in image.segments), default=MEGABYTE),
        max((segment.end for segment in image.segments), default=MEGABYTE),
    )
    areas, strings = multiboot.areas(image.name, kernel, line, ranges)
    used = [
        (multiboot.MEMORY_MAP, multiboot.AREA_END, "the multiboot info"),
        (*strings, "the command line"),
    ]
    return areas, used, multiboot.INFO


def _linux_told(
    image: BootImage, line: bytes, ranges: Sequence[Range], size: int
) -> tuple[list[bios.Area], list[Used], int]:
    """Return the same for the 64-bit boot protocol of Linux."""
    initramfs = (_initramfs_address(image, size), image.initramfs)
    areas = linux_boot.areas(SetupHeader(image.setup_header), line, ranges, initramfs)
    used = [(linux_boot.BOOT_PARAMS, linux_boot.AREA_END, "the boot parameters")]
    return areas, used, linux_boot.BOOT_PARAMS


def _initramfs_address(image: BootImage, size: int) -> int:
    """Return where the initramfs lies, behind the kernel; BadImage if RAM is too small."""
    header, wanted = SetupHeader(image.setup_header), len(image.initramfs)
    kernel_end = max((segment.end for segment in image.segments), default=MEGABYTE)
    address = linux_boot.initramfs_address(header, kernel_end, wanted, size)
    if address is not None:
        return address
    initramfs = f"its initramfs of {wanted} bytes"
    if kernel_end <= MAX_RAM and wanted > header.initrd_addr_max - kernel_end:
        raise BadImage(
            f"{image.name}: no room for {initramfs} between the kernel's end {kernel_end:#x} and "
            f"{header.initrd_addr_max:#x}, the last address it may have: make it smaller"
        )
    both = f"the kernel up to {kernel_end:#x}" + (f" and {initramfs}" if wanted else "")
    raise BadImage(
        f"{image.name}: no room for {both} in {size >> 20} MiB of RAM"
        f"{_hint(kernel_end + wanted + linux_boot.WORKING)}"
    )


def _hint(need: int) -> str:
    """Return what to do where RAM up to `need` is needed; nothing if no machine has so much."""
    return f": give it --ram {-(-need // (1 << 20))}" if need <= MAX_RAM else ""


def _check_inside(name: str, used: Sequence[Used], size: int) -> None:
    """Raise BadImage unless everything lies in `size` bytes of RAM."""
    for start, end, what in used:
        if start < 0 or end > size:
            raise BadImage(
                f"{name}: {what} {start:#x}-{end:#x} lies outside the {size >> 20} MiB of RAM"
                f"{_hint(end)}"
            )


def _check_apart(name: str, used: Sequence[Used]) -> None:
    """Raise BadImage if something lies over something else."""
    for (start, end, what), (later, _, other) in itertools.pairwise(sorted(used)):
        if later < end:
            raise BadImage(
                f"{name}: {what} at {start:#x}-{end:#x} overlaps {other} at {later:#x}: "
                "link it elsewhere"
            )


def command_line(cmdline: str) -> bytes:
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
