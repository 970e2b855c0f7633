"""Packages, bzImages and compressed streams made of bytes, as small as they can be.

The kernel is the ELF file of `elf_builder`, without its PVH note: so nothing but the loader of
Linux takes it.
"""

import bz2
import functools
import gzip
import io
import lzma
import struct
import tarfile
from typing import Any

import lz4.block
import zstandard

from tests.image import elf_builder

FORMATS = ("gzip", "xz", "lzma", "bzip2", "lz4", "zstd")
SETUP_SECTS = 4
CODE = (SETUP_SECTS + 1) * 512
PREFERRED = 0x400000
INIT_SIZE = 0x100000
BANNER = b"Linux version 6.1.0 "
_PAYLOAD = 0x300  # offset from the protected-mode code
_LZ4_BLOCK = 8 << 20


def vmlinux(**parts: Any) -> bytes:
    """Return a kernel; parts: of elf_builder.Builder."""
    parts = {"notes": b"", "entry": elf_builder.PHYSICAL, **parts}
    return elf_builder.Builder(**parts).build() + BANNER


def pack(data: bytes, form: str) -> bytes:
    """Return `data`, compressed as kernels are."""
    match form:
        case "gzip":
            return gzip.compress(data, mtime=0)
        case "xz":  # as scripts/xz_wrap.sh does it
            filters = [
                {"id": lzma.FILTER_X86},
                {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 25},
            ]
            return lzma.compress(data, lzma.FORMAT_XZ, lzma.CHECK_CRC32, filters=filters)
        case "lzma":
            return lzma.compress(data, lzma.FORMAT_ALONE)
        case "bzip2":
            return bz2.compress(data)
        case "zstd":
            return zstandard.ZstdCompressor(level=3).compress(data)
        case "lz4":
            return b"\x02\x21\x4c\x18" + b"".join(
                struct.pack("<I", len(block)) + block
                for at in range(0, len(data), _LZ4_BLOCK)
                if (block := lz4.block.compress(data[at : at + _LZ4_BLOCK], store_size=False))
            )
    raise ValueError(form)


def bzimage(
    kernel: bytes | None = None,
    form: str = "gzip",
    *,
    size: int | None = None,
    cut: int = 0,
    fields: dict[int, tuple[str, int]] | None = None,
) -> bytes:
    """Return a bzImage.

    Args:
        kernel: the vmlinux; one of `vmlinux()` without it.
        form: how it is compressed.
        size: what is said of its size when it is unpacked; the truth without it.
        cut: so many bytes of the file are missing.
        fields: format and value by offset, of what the header has otherwise.
    """
    kernel = vmlinux() if kernel is None else kernel
    payload = pack(kernel, form)
    if form == "gzip":
        payload = payload[:-4]  # the size is its last field already
    payload += struct.pack("<I", len(kernel) if size is None else size)
    file = bytearray(CODE + _PAYLOAD) + payload
    for at, (code, value) in {
        0x1F1: ("B", SETUP_SECTS),
        0x1FE: ("H", 0xAA55),
        0x200: ("H", 0x6AEB),
        0x202: ("4s", b"HdrS"),
        0x206: ("H", 0x20F),
        0x211: ("B", 1),
        0x22C: ("I", 0x7FFFFFFF),
        0x230: ("I", 0x200000),
        0x234: ("B", 1),
        0x236: ("H", 0x7F),
        0x238: ("I", 2047),
        0x248: ("I", _PAYLOAD),
        0x24C: ("I", len(payload)),
        0x258: ("Q", PREFERRED),
        0x260: ("I", INIT_SIZE),
        **(fields or {}),
    }.items():
        struct.pack_into("<" + code, file, at, value)
    return bytes(file[: len(file) - cut])


def tar(files: dict[str, bytes], folders: tuple[str, ...] = (".", "./boot")) -> bytes:
    """Return a tar archive as dpkg makes it: directories first, names that begin with ./."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in folders:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE
            archive.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return whole.getvalue()


def ar(members: dict[str, bytes]) -> bytes:
    """Return an ar archive."""
    whole = bytearray(b"!<arch>\n")
    for name, data in members.items():
        whole += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data))
        whole += data + b"\n" * (len(data) % 2)
    return bytes(whole)


@functools.cache
def deb(kernel: bytes, form: str | None = "xz", *, name: str = "./boot/vmlinuz-6.1.0") -> bytes:
    """Return a package with a kernel in it; `form` is how data.tar is compressed."""
    files = {"./boot/System.map-6.1.0": b"odd", name: kernel, "./lib/modules/a.ko": b"later"}
    data = tar(files)
    return ar(
        {
            "debian-binary": b"2.0\n",
            "control.tar.xz": pack(tar({}), "xz"),
            f"data.tar.{form}": pack(data, form) if form else data,
        }
    )
