"""Tiny guests: a PVH kernel of a few instructions, put together for one test.

`build(core0, core1, ...)` assembles one piece of 64-bit code for each core. The boot code brings
every core into long mode with 4 KiB pages (text not writable, data not executable, accessed and
dirty bits preset), a GDT, a TSS with a double-fault stack and an IDT. Every vector ends in one
handler that appends (vector, error code, RIP, CR2, RSP, APIC ID) to a log and then
goes on at the address in RESUME[vector], or where the frame says if that is RETURN, or halts
for good if it is 0. Vectors from 32 on are acknowledged and return.

Addresses are constants, because keystone does not tell where its labels are.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emu.machine import unicorn_layout
from emu.machine.boot import BootImage, Segment
from emu.machine.engines import COMPILED
from emu.machine.machine import Machine
from emu.machine.pic import PIC_IMR
from emu.machine.state import C_STATE, CORE_RUNS
from tests.machine.guest_code import ENTER, HANDLER, REAL_MODE, assemble, boot32
from tests.machine.guest_tables import (
    BOOT,
    BOOT64,
    COMMON,
    DATA,
    GDT,
    IDT,
    LOG,
    ONLINE,
    RESUME,
    STUBS,
    TABLES,
    TEXT,
    TRAMPOLINE,
    TSS,
    gdt,
    identity_pages,
    idt,
    page_tables,
    stubs,
    tss,
)

_LOG_ENTRY = struct.Struct("<8Q")


@dataclass(frozen=True)
class Trap:
    """One entry of the log."""

    vector: int
    error: int
    rip: int
    cr2: int
    rsp: int
    core: int


@dataclass
class Guest:
    """A built guest: `image` to boot, and where each core's code starts."""

    image: BootImage
    cores: int
    entries: list[int] = field(default_factory=list)

    def machine(
        self,
        model: str = "coherent",
        ram_mib: int = 4,
        clock: str = "counted",
        engine: str = COMPILED,
    ) -> Machine:
        """Return a machine on which every core stands at its code's first instruction.

        The 8259s are masked: who enables interrupts here does not ask for the timer's.
        """
        machine = Machine(
            self.image, cores=self.cores, ram_mib=ram_mib, model=model, clock=clock, engine=engine
        )
        machine.state.pic[:, PIC_IMR] = 0xFF
        for core in range(self.cores):
            run_to(machine, core, self.entries[core])
        return machine


def run_to(machine: Machine, core: int, address: int, limit: int = 100_000) -> None:
    """Run a core, the others taking turns while it waits for its start, until RIP is there."""
    for _ in range(limit):
        if machine.started(core) and rip(machine, core) == address:
            return
        machine.run(core if machine.started(core) else 0, 1)
    raise AssertionError(f"core {core} did not come to {address:#x}: {rip(machine, core):#x}")


def rip(machine: Machine, core: int = 0) -> int:
    """Return a core's RIP."""
    return machine.register(core, unicorn_layout.RIP)


def runs(machine: Machine, core: int = 0) -> bool:
    """Return whether the core is in the middle of its work."""
    return bool(machine.state.core[core, C_STATE] == CORE_RUNS)


def finish(machine: Machine, core: int = 0, limit: int = 10_000) -> None:
    """Run a core until it halts or dies."""
    for _ in range(limit):
        if not runs(machine, core):
            return
        machine.run(core, 100)
    raise AssertionError(f"core {core} does not halt: {rip(machine, core):#x}")


def log(machine: Machine) -> list[Trap]:
    """Return what the common handler has noted; it has room for 128 entries."""
    count = quad(machine, LOG)
    assert count <= 128
    rows = _LOG_ENTRY.iter_unpack(machine.read(LOG + 64, 64 * count))
    return [Trap(*row[:6]) for row in rows]


def quad(machine: Machine, address: int) -> int:
    """Return 8 bytes of physical memory."""
    return int.from_bytes(machine.read(address, 8), "little")


def build(
    *code: str,
    resume: Mapping[int, int] | None = None,
    pages: Mapping[int, int] | None = None,
    data: Mapping[int, bytes] | None = None,
    user_vectors: Iterable[int] = (),
) -> Guest:
    """Return a guest whose core i executes code[i].

    resume: vector to RIP, or RETURN. pages: page-table entries, added to those of
    `identity_pages`. data: bytes at physical addresses, also in pages of text.
    """
    cores = len(code)
    entries = [TEXT + 0x1000 * core for core in range(cores)]
    ram: dict[int, bytes] = {
        BOOT: assemble(f"lgdt [{BOOT + 0x7F0}]", BOOT, 32) + boot32(BOOT + 7),
        BOOT + 0x400: boot32(BOOT + 0x400),
        BOOT + 0x7E0: struct.pack("<HQ", 4095, IDT),
        BOOT + 0x7F0: struct.pack("<HQ", len(gdt(cores)) - 1, GDT),
        BOOT64: assemble(ENTER, BOOT64),
        TRAMPOLINE: REAL_MODE.ljust(0x80, b"\x90") + struct.pack("<HI", len(gdt(cores)) - 1, GDT),
        TABLES: page_tables({**identity_pages(), **(pages or {})}),
        GDT: gdt(cores),
        TSS: b"".join(tss(core) for core in range(cores)),
        IDT: idt(user_vectors),
        STUBS: stubs(),
        COMMON: assemble(HANDLER, COMMON),
        RESUME: struct.pack("<32Q", *((resume or {}).get(vector, 0) for vector in range(32))),
        ONLINE: struct.pack("<2Q", 0, cores),
    }
    for core, text in enumerate(code):
        ram[entries[core]] = assemble(text, entries[core])
    ram.update(data or {})
    segments = tuple(
        Segment(at, content, len(content), BOOT <= at < TABLES or TEXT <= at < DATA)
        for at, content in sorted(ram.items())
        if content
    )
    return Guest(BootImage("guest", "0" * 64, "pvh", BOOT, segments), cores, entries)
