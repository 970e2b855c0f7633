"""A patch site in a guest, wherever it lies, and the guest that brings cores to it."""

import struct
from dataclasses import dataclass

from emu.machine.machine import Machine
from emu.machine.state import LINE, LINE_FETCHED
from tests.machine.guest_builder import build, run_to
from tests.machine.guest_tables import DATA, FAR_TEXT, NX, PRESENT, WRITABLE

NOP5 = bytes.fromhex("0f1f440000")
BASE = 0xFFFFFFFF81000000  # where the pages of the site are mapped
TARGET = BASE + 0x5000 + 0x12345678  # what the call calls: every byte of rel32 differs from NOP5
ALIAS = 0xFFFFFFFF92000000  # the site's pages again, writable


@dataclass(frozen=True)
class Placement:
    """Offset of the site from BASE, and the physical pages of BASE and the page behind it."""

    name: str
    offset: int
    frames: tuple[int, int] = (FAR_TEXT, FAR_TEXT + 0x1000)


SWAPPED = (FAR_TEXT + 0x3000, FAR_TEXT)  # neither contiguous nor ascending
PLACEMENTS = [
    Placement("inside a word", 0x100),
    Placement("over two words", 0x106),
    Placement("over two lines", 0x13E),
    *(Placement(f"over two pages at {5 - k}", 0x1000 - k) for k in (1, 2, 3, 4)),
    *(Placement(f"over strange frames at {5 - k}", 0x1000 - k, SWAPPED) for k in (1, 2, 3, 4)),
]


@dataclass(frozen=True)
class Site:
    """A machine whose cores all stand at the site."""

    machine: Machine
    address: int
    physical: list[int]  # of the 16 bytes from `address` on

    def store(self, offset: int, data: bytes) -> None:
        """Store bytes of the site from outside, a store for each page."""
        at = 0
        while at < len(data):
            size = 1
            while at + size < len(data) and self._contiguous(offset + at, size):
                size += 1
            self.machine.store(self.physical[offset + at], data[at : at + size])
            at += size

    def _contiguous(self, offset: int, size: int) -> bool:
        return self.physical[offset + size] == self.physical[offset] + size

    def bytes(self, size: int = 5) -> bytes:
        """Return the bytes in RAM."""
        return b"".join(self.machine.read(address, 1) for address in self.physical[:size])

    def versions(self, core: int, size: int = 5) -> list[tuple[int, ...]]:
        """Return the values the core may fetch for each byte, newest first."""
        return [self.machine.versions(core, address) for address in self.physical[:size]]


def call_from(address: int) -> bytes:
    """Return a call of TARGET at this address."""
    return b"\xe8" + struct.pack("<i", TARGET - (address + 5))


def site(
    placement: Placement = PLACEMENTS[0], *, cores: int = 1, code: bytes = NOP5,
    model: str = "sdm", before: str = "",
) -> Site:  # fmt: skip
    """Return a site with `code` in it; the cores execute `before` on their way to it."""
    address = BASE + placement.offset
    frames = placement.frames
    pages = {BASE + 0x1000 * index: frame | PRESENT for index, frame in enumerate(frames)}
    pages |= {
        ALIAS + 0x1000 * index: frame | PRESENT | WRITABLE | NX
        for index, frame in enumerate(frames)
    }
    pages[TARGET & -0x1000] = FAR_TEXT + 0x5000 | PRESENT
    content = {frames[0]: bytearray(b"\x90" * 0x1000), frames[1]: bytearray(b"\x90" * 0x1000)}
    offsets = range(placement.offset, placement.offset + 16)
    physical = [frames[offset >> 12] + (offset & 0xFFF) for offset in offsets]
    for at, byte in enumerate(code):
        content[physical[at] & -0x1000][physical[at] & 0xFFF] = byte
    data = {frame: bytes(page) for frame, page in content.items()}
    data[FAR_TEXT + 0x5000] = b"\xf4" * 0x1000
    data[DATA] = bytes(range(256))
    jump = f"{before}; mov rax, {address}; jmp rax"
    guest = build(*[jump] * cores, pages=pages, data=data)
    machine = guest.machine(model)
    for core in range(cores):
        run_to(machine, core, address)
    for byte in physical:  # as if a core had been here before: what is fresh has no versions
        machine.state.lines[byte // LINE] |= LINE_FETCHED
    return Site(machine, address, physical)
