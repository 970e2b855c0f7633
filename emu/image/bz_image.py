"""A bzImage: the kernel as it is installed, with its own boot sector and decompressor.

    0                  boot sector and real-mode code, with the setup header in it; not needed here
    (setup_sects+1)*512  protected-mode code: the decompressor; its 64-bit entry is at 0x200 of it
    + payload_offset   the vmlinux, compressed; its last 4 bytes are the size of the vmlinux

Behind the vmlinux, the payload has the relocations for KASLR; an ELF reader does not see them.
Sources: Linux Documentation/arch/x86/boot.rst; scripts/Makefile.lib (size_append);
arch/x86/boot/compressed/misc.c.
"""

from emu.errors import BadImage
from emu.image import unpack
from emu.image.cursor import Malformed
from emu.machine.boot import Segment
from emu.machine.setup_header import (
    LOADED_HIGH,
    MAGIC,
    MAGIC_AT,
    XLF_KERNEL_64,
    SetupHeader,
)

MAX_VMLINUX = 512 << 20
"""Bytes of a vmlinux; a distribution's has 50 to 100 MiB."""

_ENTRY64 = 0x200
_XLOADFLAGS_VERSION = 0x20C  # the first with xloadflags, Linux 3.8
_MIN_ADDRESS, _MAX_ADDRESS = 1 << 20, 1 << 32


def is_bzimage(data: bytes) -> bool:
    """Return whether a file has the setup header of a Linux kernel for x86."""
    return data.startswith(MAGIC, MAGIC_AT)


class BzImage:
    """A bzImage that can be started in long mode.

    Attributes:
        data: the whole file.
        header: its setup header.
        segment: the protected-mode code, where it would like to be; long enough to unpack itself.
        entry: physical address of its 64-bit entry.
    """

    def __init__(self, name: str, data: bytes) -> None:
        """Read the headers; BadImage if the kernel lacks what is needed, or is cut."""
        self._name = name
        self.data = data
        self.header = header = SetupHeader.of(data)
        if header.version < _XLOADFLAGS_VERSION or not header.xloadflags & XLF_KERNEL_64:
            raise self._bad(
                "a kernel for 32-bit processors, or older than Linux 3.8 (no XLF_KERNEL_64): "
                "take one for amd64"
            )
        if not header.loadflags & LOADED_HIGH or not header.relocatable:
            raise self._bad(
                "a kernel built without CONFIG_RELOCATABLE: take one of a distribution, "
                "or its vmlinux"
            )
        code = data[(header.setup_sects + 1) * 512 :]
        address, size = header.pref_address, header.init_size
        if not _MIN_ADDRESS <= address <= _MAX_ADDRESS - size or not _ENTRY64 < len(code) <= size:
            raise self._bad(f"damaged: {len(code)} bytes of code for {size} bytes at {address:#x}")
        self.segment = Segment(address, code, size)
        self.entry = address + _ENTRY64

    def vmlinux(self) -> bytes:
        """Return the vmlinux and its relocations; BadImage if it cannot be unpacked."""
        offset, size = self.header.payload
        payload = bytes(self.segment.data[offset : offset + size])
        if len(payload) < size or size < 4:
            raise self._bad(f"truncated: {len(payload)} of {size} bytes of the kernel are there")
        expected = int.from_bytes(payload[-4:], "little")
        if expected > MAX_VMLINUX:
            raise self._bad(f"its kernel would unpack to over {MAX_VMLINUX >> 20} MiB")
        # gzip ends with the size by itself; to the others it was appended.
        packed = payload if unpack.format_of(payload) == "gzip" else payload[:-4]
        try:
            whole = unpack.Unpacked(packed).all(expected)
        except Malformed as error:
            raise self._bad(f"its kernel cannot be unpacked: {error}") from None
        if len(whole) != expected:
            raise self._bad(f"its kernel unpacks to {len(whole)} bytes, not to {expected}")
        return whole

    def _bad(self, message: str) -> BadImage:
        return BadImage(f"{self._name}: {message}")
