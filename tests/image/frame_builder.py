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


ADDRESS = 0xFFFFFFFF80201000
"""Where .eh_frame is linked; its function is 4 KiB below."""


def eh_frame() -> bytes:
    """Return an .eh_frame with a relative address, data for a language, and a signal frame."""
    head = cie(CALLED, b"zPLRS", data=b"\x03\0\0\0\0\x1b\x1b", identity=EH)
    begin = ADDRESS - 0x1000
    body = struct.pack("<IiI", len(head) + 4, begin - (ADDRESS + len(head) + 8), 4)
    return head + entry(body + b"\x04abcd" + b"\x41\x0e\x10") + bytes(4)


def every_rule() -> bytes:
    """Return a .debug_frame that has every instruction there is."""
    begin = 0x1000
    programs = [
        bytes([0x41, 0x0E, 16, 0x86, 2, 0x02, 3, 0x0D, 6, 0x0A, 0x03, 4, 0, 0xC6, 0x0B]),
        bytes([0x04, 9, 0, 0, 0, 0x05, 3, 4, 0x06, 3, 0x07, 16, 0x08, 3, 0x09, 16, 2]),
        bytes([0x11, 3, 0x7E, 0x2F, 3, 2, 0x14, 7, 2, 0x15, 7, 0x7D, 0x2E, 8, 0x0C, 7, 8]),
        bytes([0x10, 3, 2, 0x77, 8, 0x16, 3, 5, 0x31, 0x06, 0x12, 0x22, 0x22, 0x0F, 2, 0x77, 16]),
        b"\x12\x06\x7e\x13\x7c\x01" + struct.pack("<Q", begin + 0x404),
    ]
    functions = [(begin + 0x100 * at, 0x100, each) for at, each in enumerate(programs)]
    return section(*functions)
