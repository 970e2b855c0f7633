"""Compressed bytes, made large again in pieces, so that who asks can stop.

The formats are those that a Linux kernel and its initramfs come in (Linux lib/decompress.c) and
that a Debian package has inside (deb(5)): each is known by its first bytes. Whatever such bytes
claim, no more memory is taken than a piece, and the dictionary that xz and zstd allow.
LZO is known, but not unpacked: no distribution has used it for years.

The lz4 format is the "legacy" one, that of `lz4 -l`: a magic number, then blocks, each with its
length before it and 8 MiB large when unpacked, but for the last.
Source: lz4 doc/lz4_Frame_format.md, "Legacy frame".
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Protocol

from emu.image.cursor import Malformed

_MARKS = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"\x5d\0\0": "lzma",
    b"BZh": "bzip2",
    b"\x02\x21\x4c\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x89LZO": "lzo",
}

_PIECE = 1 << 20
_SLICE = 1 << 14  # gzip makes at most 1032 bytes of one, so 16 MiB of this
_ZSTD_SLICE = 1 << 10  # a block of 4 bytes can become 128 KiB, so 32 MiB of this
_DICTIONARY = 1 << 28  # bytes; xz -9 and zstd -22 as kernels are packed take half of it
_LZ4_BLOCK = 8 << 20
_LZ4_LARGEST = _LZ4_BLOCK + _LZ4_BLOCK // 255 + 16  # LZ4_COMPRESSBOUND

_Pieces = Generator[bytes, None, int]
"""The pieces; at the end, the offset behind the stream."""


class _Decoder(Protocol):
    """What the libraries' decoders have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _SliceDecoder(_Decoder, Protocol):
    """One that unpacks all it is given."""

    def decompress(self, data: bytes, /) -> bytes: ...


class _PieceDecoder(_Decoder, Protocol):
    """One that can be told to stop."""

    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def format_of(data: bytes, at: int = 0) -> str | None:
    """Return the name of the compression whose stream begins at `at`, None if none does."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark, at)), None)


class Unpacked:
    """The contents of one compressed stream, once, piece by piece.

    Attributes:
        end: offset behind the stream; only known when the last piece has been taken.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        """Begin at offset `at`; Malformed unless a known compression begins there."""
        self.end = at
        name = format_of(data, at)
        reader = _READERS.get(name or "")
        if reader is None:
            raise Malformed(f"it is compressed with {name or 'something unknown'}")
        self._name = name
        self._pieces = reader(data, at)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces, none over 32 MiB.

        Raises:
            Malformed: the stream is damaged or cut.
        """
        self.end = yield from self._pieces

    def all(self, limit: int) -> bytes:
        """Return all of it; Malformed if that is over `limit` bytes, too."""
        pieces, size = [], 0
        for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise Malformed(f"{self._name} data unpacks to over {limit} bytes")
        return b"".join(pieces)


def _by_slices(decoder: _SliceDecoder, data: bytes, at: int, size: int) -> _Pieces:
    while not decoder.eof:
        given = data[at : at + size]
        if not given:
            raise Malformed("compressed data is cut")
        at += len(given)
        yield decoder.decompress(given)
    return at - len(decoder.unused_data)


def _by_pieces(decoder: _PieceDecoder, data: bytes, at: int) -> _Pieces:
    while not decoder.eof:
        if decoder.needs_input:
            given = data[at : at + _SLICE]
            if not given:
                raise Malformed("compressed data is cut")
            at += len(given)
        else:
            given = b""
        yield decoder.decompress(given, _PIECE)
    return at - len(decoder.unused_data)


def _gzip(data: bytes, at: int) -> _Pieces:
    with _damaged("gzip", zlib.error):
        return (yield from _by_slices(zlib.decompressobj(wbits=31), data, at, _SLICE))


def _xz(data: bytes, at: int) -> _Pieces:
    with _damaged("xz", lzma.LZMAError):
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY)
        return (yield from _by_pieces(decoder, data, at))


def _lzma(data: bytes, at: int) -> _Pieces:
    with _damaged("lzma", lzma.LZMAError):
        decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_DICTIONARY)
        return (yield from _by_pieces(decoder, data, at))


def _bzip2(data: bytes, at: int) -> _Pieces:
    with _damaged("bzip2", OSError):
        return (yield from _by_pieces(bz2.BZ2Decompressor(), data, at))


def _zstd(data: bytes, at: int) -> _Pieces:
    import zstandard  # noqa: PLC0415 -- not all need it

    with _damaged("zstd", zstandard.ZstdError):
        decoder = zstandard.ZstdDecompressor(max_window_size=_DICTIONARY // 2).decompressobj()
        return (yield from _by_slices(decoder, data, at, _ZSTD_SLICE))


def _lz4(data: bytes, at: int) -> _Pieces:
    import lz4.block  # noqa: PLC0415 -- not all need it

    at += 4
    length = _LZ4_BLOCK
    with _damaged("lz4", lz4.block.LZ4BlockError):
        while length == _LZ4_BLOCK and at < len(data):
            size = int.from_bytes(data[at : at + 4], "little")
            if size > _LZ4_LARGEST:
                break  # no block: the last one was full
            at += 4
            block = data[at : at + size]
            if not size or len(block) < size:
                raise Malformed("compressed data is cut")
            at += size
            piece = lz4.block.decompress(block, uncompressed_size=_LZ4_BLOCK)
            length = len(piece)
            yield piece
    return at


@contextmanager
def _damaged(name: str, kind: type[Exception]) -> Iterator[None]:
    """Make Malformed of a library's error."""
    try:
        yield
    except kind as error:
        raise Malformed(f"{name} data is damaged ({error})") from None


_READERS: dict[str, Callable[[bytes, int], _Pieces]] = {
    "gzip": _gzip,
    "xz": _xz,
    "lzma": _lzma,
    "bzip2": _bzip2,
    "lz4": _lz4,
    "zstd": _zstd,
}
