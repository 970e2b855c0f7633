"""The setup header of a Linux kernel: what kernel and boot loader tell each other.

It lies at 0x1f1 of a bzImage, and at the same offset of boot_params. A bare vmlinux has none, so
one is made up for it, with what the code that runs after the entry looks at.
Source: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"; struct setup_header
in arch/x86/include/uapi/asm/bootparam.h.
"""

import struct
from dataclasses import dataclass

START = 0x1F1
"""Offset of the header in a bzImage and in boot_params."""

MAGIC = b"HdrS"
MAGIC_AT = 0x202

TYPE_OF_LOADER, RAMDISK_IMAGE, RAMDISK_SIZE, CMD_LINE_PTR = 0x210, 0x218, 0x21C, 0x228
VID_MODE = 0x1FA
"""Offsets of what the boot loader writes."""

LOADED_HIGH = 1 << 0
"""In loadflags: a bzImage, not a zImage."""

XLF_KERNEL_64 = 1 << 0
"""In xloadflags: the kernel has the 64-bit entry at 0x200."""

_VERSION = 0x20F  # 2.15, that of Linux 5.5 and later
_BOOT_FLAG = 0xAA55
_JUMP_END = 0x201  # the byte there is the distance from 0x202 to the end of the header
_END = 0x26C  # of the header as 2.15 has it
_ROOM = 0x290  # boot_params has other things from here on
_ALIGNMENT = 2 << 20
_INITRD_ADDR_MAX, _CMDLINE_SIZE = 0x7FFFFFFF, 2047  # arch/x86/boot/header.S; COMMAND_LINE_SIZE - 1


@dataclass(frozen=True, slots=True)
class SetupHeader:
    """A setup header; a field behind its end is 0.

    data: its bytes, from START on.
    """

    data: bytes

    @classmethod
    def of(cls, bzimage: bytes) -> "SetupHeader":
        """Return the header of a bzImage; the caller has looked for MAGIC."""
        return cls(bzimage[START : min(MAGIC_AT + bzimage[_JUMP_END], _ROOM)])

    @classmethod
    def made_up(cls, start: int, end: int) -> "SetupHeader":
        """Return a header for a kernel without one that takes physical addresses [start, end)."""
        header = bytearray(_END)
        for at, form, value in (
            (0x1FE, "<H", _BOOT_FLAG),
            (0x200, "<H", 0xEB | (_END - MAGIC_AT) << 8),  # a jump over the header
            (MAGIC_AT, "<4s", MAGIC),
            (0x206, "<H", _VERSION),
            (0x211, "<B", LOADED_HIGH),
            (0x22C, "<I", _INITRD_ADDR_MAX),
            (0x230, "<I", _ALIGNMENT),
            (0x236, "<H", XLF_KERNEL_64),
            (0x238, "<I", _CMDLINE_SIZE),
            (0x258, "<Q", start),
            (0x260, "<I", end - start),
        ):
            struct.pack_into(form, header, at, value)
        return cls(bytes(header[START:]))

    @property
    def setup_sects(self) -> int:
        """Sectors of 512 bytes of real-mode code behind the first one; 0 means 4."""
        return self._field(0x1F1, 1) or 4

    @property
    def version(self) -> int:
        """Version of the boot protocol: 0x20f is 2.15."""
        return self._field(0x206, 2)

    @property
    def loadflags(self) -> int:
        """Flags; see LOADED_HIGH."""
        return self._field(0x211, 1)

    @property
    def initrd_addr_max(self) -> int:
        """The highest physical address that a byte of the initramfs may have."""
        return self._field(0x22C, 4) or _INITRD_ADDR_MAX

    @property
    def relocatable(self) -> bool:
        """Whether the kernel may run at another address than it was linked for."""
        return bool(self._field(0x234, 1))

    @property
    def xloadflags(self) -> int:
        """More flags; see XLF_KERNEL_64."""
        return self._field(0x236, 2)

    @property
    def payload(self) -> tuple[int, int]:
        """Offset from the protected-mode code, and bytes, of the compressed kernel."""
        return self._field(0x248, 4), self._field(0x24C, 4)

    @property
    def pref_address(self) -> int:
        """The physical address at which the kernel would like to be loaded."""
        return self._field(0x258, 8)

    @property
    def init_size(self) -> int:
        """Bytes of memory that the kernel needs from where it is loaded, to unpack itself too."""
        return self._field(0x260, 4)

    def _field(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at - START : at - START + size], "little")
