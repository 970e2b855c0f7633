"""Call frame information made of bytes."""

import struct

DEBUG, EH = 0xFFFFFFFF, 0


def uleb(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def sleb(value: int) -> bytes:
    out = b""
    while not -64 <= value < 64:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value & 0x7F])


def entry(body: bytes) -> bytes:
    body += bytes(-len(body) % 4)  # DW_CFA_nop
    return struct.pack("<I", len(body)) + body


CALLED = bytes([0x0C, 7, 8, 0x90, 1])  # def_cfa rsp+8, rip at cfa-8


def cie(  # noqa: PLR0913 -- the parts of one
    program: bytes = CALLED,
    augmentation: bytes = b"",
    *,
    data: bytes | None = None,
    version: int = 1,
    identity: int = DEBUG,
    column: int = 16,
) -> bytes:
    """Return a CIE with code alignment 1 and data alignment -8."""
    body = struct.pack("<IB", identity, version) + augmentation + b"\0"
    body += b"\x08\0" if version == 4 else b""
    body += uleb(1) + sleb(-8) + bytes([column])
    body += b"" if data is None else uleb(len(data)) + data
    return entry(body + program)


def fde(at: int, begin: int, size: int, program: bytes = b"") -> bytes:
    """Return an FDE of .debug_frame. at: offset of its CIE."""
    return entry(struct.pack("<IQQ", at, begin, size) + program)


def section(*functions: tuple[int, int, bytes], augmentation: bytes = b"") -> bytes:
    """Return a .debug_frame of one CIE and functions, (begin, size, program) each."""
    return cie(augmentation=augmentation) + b"".join(fde(0, *each) for each in functions)
