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

from keystone import KS_ARCH_X86, KS_MODE_16, KS_MODE_32, KS_MODE_64, Ks

from emu.machine import unicorn_cpu
from emu.machine.boot import BootImage, Segment
from emu.machine.machine import Machine
from emu.machine.state import C_STATE, CORE_RUNS

TRAMPOLINE = 0x8000
BOOT, BOOT64 = 0x100000, 0x100800
TABLES, GDT, TSS, IDT, STUBS = 0x110000, 0x120000, 0x121000, 0x122000, 0x124000
COMMON = 0x128000
TEXT, TEXT_SIZE = 0x200000, 0x10000  # a core's code is at TEXT + core * 0x1000
FAR_TEXT = 0x240000  # more pages of text, to map and to fill as a test likes
DATA = 0x300000  # two pages of data for the tests
LOG, RESUME, ONLINE = 0x304000, 0x308000, 0x309000
STACKS = 0x380000  # 8 KiB each, growing down; above them the double-fault stacks
RAM_MAPPED = 0x400000
APIC = 0xFEE00000
RETURN = 1  # in RESUME: go on where the frame says

PRESENT, WRITABLE, USER, LARGE, NX = 1, 2, 4, 0x80, 1 << 63
_PRESET = 0x60  # accessed, dirty
_LOG_ENTRY = struct.Struct("<8Q")
_ERROR_CODE = {8, 10, 11, 12, 13, 14, 17}


def assemble(code: str, address: int = 0, bits: int = 64) -> bytes:
    """Return the bytes of Intel-syntax assembly."""
    mode = {16: KS_MODE_16, 32: KS_MODE_32, 64: KS_MODE_64}[bits]
    encoding, _ = Ks(KS_ARCH_X86, mode).asm(code, address, as_bytes=True)
    return encoding or b""


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

    def machine(self, model: str = "coherent", ram_mib: int = 4) -> Machine:
        """Return a machine on which every core stands at its code's first instruction."""
        machine = Machine(self.image, cores=self.cores, ram_mib=ram_mib, model=model)
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
    return machine.register(core, unicorn_cpu.RIP)


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


def page_tables(pages: Mapping[int, int]) -> bytes:
    """Return four levels of tables, to lie at TABLES, for {virtual page: entry}."""
    tables: list[list[int]] = [[0] * 512]
    below: dict[tuple[int, int], int] = {}
    for virtual, entry in sorted(pages.items()):
        table = 0
        last = 21 if entry & LARGE else 12
        for shift in range(39, last, -9):
            index = virtual >> shift & 511
            if (table, index) not in below:
                below[table, index] = len(tables)
                tables[table][index] = (
                    TABLES + 4096 * len(tables) | PRESENT | WRITABLE | USER | _PRESET
                )
                tables.append([0] * 512)
            table = below[table, index]
        tables[table][virtual >> last & 511] = entry | _PRESET
    assert len(tables) <= 16, "the tables run into the GDT"
    return b"".join(struct.pack("<512Q", *table) for table in tables)


def _descriptor(base: int, limit: int, flags: int) -> int:
    return (
        limit & 0xFFFF
        | (base & 0xFFFFFF) << 16
        | flags << 40
        | (limit >> 16 & 0xF) << 48
        | (base >> 24 & 0xFF) << 56
    )


def _gdt(cores: int) -> bytes:
    entries = [
        0,
        _descriptor(0, 0xFFFFF, 0xA09B),  # 0x08 code, 64 bits
        _descriptor(0, 0xFFFFF, 0xC093),  # 0x10 data
        _descriptor(0, 0xFFFFF, 0xC09B),  # 0x18 code, 32 bits
        _descriptor(0, 0xFFFFF, 0xC0F3),  # 0x20 user data
        _descriptor(0, 0xFFFFF, 0xA0FB),  # 0x28 user code
    ]
    for core in range(cores):
        entries += [_descriptor(TSS + 128 * core, 103, 0x89), 0]  # from 0x30 on
    return struct.pack(f"<{len(entries)}Q", *entries)


def _tss(core: int) -> bytes:
    tss = bytearray(128)
    struct.pack_into("<Q", tss, 4, stack(core))  # RSP0
    struct.pack_into("<Q", tss, 36, stack(8 + core))  # IST1
    struct.pack_into("<H", tss, 102, 104)
    return bytes(tss)


def stack(core: int) -> int:
    """Return the top of a core's stack; of its double-fault stack for 8 + core."""
    return STACKS + 0x2000 * (core + 1)


def _idt(user: Iterable[int]) -> bytes:
    gates = b""
    for vector in range(256):
        at = STUBS + 16 * vector
        kind = 0xEE if vector in user else 0x8E
        gates += struct.pack(
            "<HHBBHII", at & 0xFFFF, 0x08, vector == 8, kind, at >> 16 & 0xFFFF, at >> 32, 0
        )
    return gates


def _stubs() -> bytes:
    stubs = b""
    for vector in range(256):
        push = b"" if vector in _ERROR_CODE else b"\x6a\x00"
        at = STUBS + 16 * vector + len(push) + 5
        code = push + b"\x68" + struct.pack("<I", vector)
        code += b"\xe9" + struct.pack("<i", COMMON - (at + 5))
        stubs += code.ljust(16, b"\x90")
    return stubs


_COMMON = f"""
    push rax
    push rbx
    mov eax, 1
    lock xadd qword ptr [{LOG}], rax
    and eax, 127
    shl eax, 6
    lea rbx, [rax + {LOG + 64}]
    mov rax, [rsp + 16]
    mov [rbx], rax
    mov rax, [rsp + 24]
    mov [rbx + 8], rax
    mov rax, [rsp + 32]
    mov [rbx + 16], rax
    mov rax, cr2
    mov [rbx + 24], rax
    mov rax, [rsp + 56]
    mov [rbx + 32], rax
    mov eax, {APIC + 0x20}
    mov eax, [rax]
    shr eax, 24
    mov [rbx + 40], rax
    mov rbx, [rsp + 16]
    cmp rbx, 32
    jae external
    mov rax, [rbx * 8 + {RESUME}]
    cmp rax, {RETURN}
    je out
    jb stop
    mov [rsp + 32], rax
    jmp out
external:
    mov eax, {APIC + 0xB0}
    mov dword ptr [rax], 0
out:
    pop rbx
    pop rax
    add rsp, 16
    iretq
stop:
    cli
    hlt
    jmp stop
"""

_LONG_MODE = f"""
    mov eax, {TABLES}
    mov cr3, eax
    mov eax, 0x6a0
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x901
    wrmsr
    mov eax, 0x80010033
    mov cr0, eax
"""
_FAR_JUMP = b"\xea" + struct.pack("<IH", BOOT64, 0x08)

_ENTER = f"""
    mov ax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov ebx, {APIC + 0x20}
    mov ebx, [rbx]
    shr ebx, 24
    mov rsp, rbx
    inc rsp
    shl rsp, 13
    add rsp, {STACKS}
    lidt [{BOOT + 0x7E0}]
    mov eax, ebx
    shl eax, 4
    add eax, 0x30
    ltr ax
    mov eax, {APIC + 0xF0}
    mov dword ptr [rax], 0x1ff
    lock inc qword ptr [{ONLINE}]
    test ebx, ebx
    jnz go
    mov edi, {APIC + 0x310}
    mov esi, {APIC + 0x300}
    mov ecx, 1
next:
    cmp ecx, dword ptr [{ONLINE + 8}]
    jae go
    mov eax, ecx
    shl eax, 24
    mov dword ptr [rdi], eax
    mov dword ptr [rsi], 0x4500
    mov dword ptr [rdi], eax
    mov dword ptr [rsi], {0x4600 | TRAMPOLINE >> 12}
    inc ecx
    jmp next
go:
    mov rdx, rbx
    shl rdx, 12
    add rdx, {TEXT}
    xor eax, eax
    xor ecx, ecx
    xor ebx, ebx
    xor esi, esi
    xor edi, edi
    jmp rdx
"""

_REAL_MODE = (
    b"\xfa\x31\xc0\x8e\xd8"  # cli; xor ax, ax; mov ds, ax
     b"\x66\x0f\x01\x16" + struct.pack("<H", TRAMPOLINE + 0x80)  # lgdt
    + b"\x0f\x20\xc0\x0c\x01\x0f\x22\xc0"  # mov eax, cr0; or al, 1; mov cr0, eax
    + b"\x66\xea" + struct.pack("<IH", BOOT + 0x400, 0x18)
)  # fmt: skip


def identity_pages() -> dict[int, int]:
    """Return the pages every guest has: RAM where it lies, and the APIC."""
    pages = {}
    for page in range(0, RAM_MAPPED, 0x1000):
        text = BOOT <= page < TABLES or STUBS <= page < COMMON + 0x1000 or TEXT <= page < DATA
        pages[page] = page | PRESENT | (0 if text else WRITABLE | NX)
    pages[APIC & -0x200000] = APIC & -0x200000 | PRESENT | WRITABLE | NX | LARGE
    return pages


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
        BOOT: assemble(f"lgdt [{BOOT + 0x7F0}]", BOOT, 32) + _boot32(BOOT + 7),
        BOOT + 0x400: _boot32(BOOT + 0x400),
        BOOT + 0x7E0: struct.pack("<HQ", 4095, IDT),
        BOOT + 0x7F0: struct.pack("<HQ", len(_gdt(cores)) - 1, GDT),
        BOOT64: assemble(_ENTER, BOOT64),
        TRAMPOLINE: _REAL_MODE.ljust(0x80, b"\x90") + struct.pack("<HI", len(_gdt(cores)) - 1, GDT),
        TABLES: page_tables({**identity_pages(), **(pages or {})}),
        GDT: _gdt(cores),
        TSS: b"".join(_tss(core) for core in range(cores)),
        IDT: _idt(user_vectors),
        STUBS: _stubs(),
        COMMON: assemble(_COMMON, COMMON),
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


def _boot32(address: int) -> bytes:
    return assemble(_LONG_MODE, address, 32) + _FAR_JUMP
