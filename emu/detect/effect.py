"""What an instruction does: executed once, on the real engine, in a machine made for it.

For telling a harmful tear from a harmless one: bytes that are neither the old nor the new
instruction may still do exactly what one of them does (`0f 1f 44 00 a4` is a 5-byte nop as
well). The effect is where the core goes, what its registers are and what it wrote, or the
exception it takes; the instruction is executed from two different register files, so that no
coincidence of values makes two effects equal.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from emu.machine import events
from emu.machine.boot import BootImage, Segment
from emu.machine.machine import Machine

_PAGE = 4096
_PML4, _STACK, _IDT, _GDT, _TSS, _HANDLER, _CODE = (
    0x3000,
    0x8000,
    0x9000,
    0xA000,
    0xB000,
    0xC000,
    0xD000,
)
_TABLES = 0x20000
_LOW = 0x7000_0000_0000  # where the harness lies in virtual memory: nothing jumps there
_PAGE_FAULT = 14
_RSP = 4  # its number among the general registers
_NX = 1 << 63


@dataclass(frozen=True, slots=True)
class Effect:
    """What an instruction did.

    rip: of the next instruction. vector: of the exception taken, or None. registers: the sixteen
    general ones and RFLAGS' arithmetic flags. extended: x87, SSE and the like. written: the
    stack page afterwards.
    """

    rip: int
    vector: int | None
    registers: tuple[int, ...]
    extended: bytes
    written: bytes


@lru_cache(maxsize=4096)
def effects(code: bytes, address: int) -> tuple[Effect, ...]:
    """Return what the bytes do at a virtual address, from each of two register files."""
    return tuple(_execute(code, address, seed) for seed in (1, 2))


def harmful(torn: bytes, legal: tuple[bytes, ...], address: int) -> bool:
    """Return whether the torn bytes do something that none of the legal instructions does."""
    return all(effects(torn, address) != effects(instruction, address) for instruction in legal)


def _execute(code: bytes, address: int, seed: int) -> Effect:
    image = BootImage("effect", "", "pvh", 0, (Segment(0x2000, _memory(code, address), 0x3E000),))
    machine = Machine(image, cores=1, ram_mib=2, model="coherent")
    stack = _LOW + _STACK + _PAGE // 2
    machine.enter_long_mode(
        0,
        cr3=_PML4,
        rip=address,
        rsp=stack,
        gdt=(_LOW + _GDT, 0x37),
        idt=(_LOW + _IDT, 0xFFF),
        tss=_LOW + _TSS,
        registers=[0x1111_1111_1111 * seed * (n + 1) if n != _RSP else stack for n in range(16)],
    )
    machine.run(0, 1)
    rip, vector = machine.rip(0), None
    registers = machine.general_registers(0)
    for event in (machine.events[n] for n in range(len(machine.events))):
        if event.kind == events.TRAP:
            rip = event.address & (1 << 64) - 1
            vector = event.a
            registers = (*registers[:_RSP], event.stack & (1 << 64) - 1, *registers[_RSP + 1 :])
            if vector == _PAGE_FAULT and rip != address:
                vector = None  # it went there, and nothing is mapped there: as it should
            break
    flags = machine.arithmetic_flags(0)
    stack_page = machine.read(_STACK, _PAGE)
    return Effect(rip, vector, (*registers, flags), machine.extended_registers(0), stack_page)


def _memory(code: bytes, address: int) -> bytes:
    """Return physical memory from 0x2000: page tables, IDT, TSS, handler, stack and code."""
    ram = bytearray(0x40000)
    pages = {_LOW + at: at for at in (_STACK, _IDT, _GDT, _TSS, _HANDLER)}
    first = address & -_PAGE
    pages[first], pages[first + _PAGE] = _CODE, _CODE + _PAGE
    ram[_CODE : _CODE + 2 * _PAGE] = b"\x90" * (2 * _PAGE)
    at = _CODE + address % _PAGE
    ram[at : at + len(code)] = code
    free = _TABLES
    for virtual, physical in pages.items():
        table = _PML4
        for shift in (39, 30, 21):
            slot = table + (virtual >> shift & 0x1FF) * 8
            entry = struct.unpack_from("<Q", ram, slot)[0]
            if not entry:
                entry = free | 0x63
                struct.pack_into("<Q", ram, slot, entry)
                free += _PAGE
            table = entry & 0x000F_FFFF_FFFF_F000
        text = physical in (_CODE, _CODE + _PAGE, _HANDLER)
        flags = 0x61 if text else 0x63 | _NX
        struct.pack_into("<Q", ram, table + (virtual >> 12 & 0x1FF) * 8, physical | flags)
    handler = _LOW + _HANDLER
    for vector in range(256):
        low, middle, high = handler & 0xFFFF, handler >> 16 & 0xFFFF, handler >> 32
        struct.pack_into("<HHBBHII", ram, _IDT + 16 * vector, low, 8, 1, 0x8E, middle, high, 0)
    struct.pack_into("<Q", ram, _TSS + 0x24, _LOW + _TSS + _PAGE)  # IST 1: frames go elsewhere
    struct.pack_into("<QQQ", ram, _GDT, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF)
    ram[_HANDLER : _HANDLER + _PAGE] = b"\xf4" * _PAGE
    return bytes(ram[0x2000:0x40000])
