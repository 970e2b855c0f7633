"""The registers a core starts with: after INIT, at a kernel's entry, in long mode at once."""

from emu.machine import bios, linux_boot, multiboot
from emu.machine.native import (
    jit,
    load32,
    store32,
    store64,
)
from emu.machine.state import (
    C_ARMED,
    C_TRAP,
    ENV_SIZE,
    M_ENV_ROWS,
    State,
)
from emu.machine.unicorn_layout import (
    CC_OP,
    CC_OP_EFLAGS,
    CC_SRC,
    CR0,
    CR2,
    CR3,
    CR4,
    CS,
    DIRECTION,
    DR6,
    DR7,
    DS,
    EFER,
    ES,
    FS,
    GDT,
    GS,
    HFLAGS,
    HFLAGS2,
    IDT,
    LDT,
    NMI_MASKED,
    OLD_EXCEPTION,
    RAX,
    RBX,
    REGISTERS,
    RFLAGS,
    RIP,
    RSI,
    RSP,
    SEGMENT_BASE,
    SEGMENT_FLAGS,
    SEGMENT_LIMIT,
    SS,
    TR,
)
from emu.machine.unicorn_library import x86_update_hflags

_CODE32, _DATA32 = 0x00CF9B00, 0x00CF9300  # flat, present, accessed
_CODE16, _DATA16 = 0x00009B00, 0x00009300


@jit
def set_segment(row: int, segment: int, selector: int, base: int, limit: int, flags: int) -> None:
    """Load a segment register of a CPUX86State, hidden parts included; hflags are left behind."""
    store32(row + segment, selector)
    store64(row + segment + SEGMENT_BASE, base)
    store32(row + segment + SEGMENT_LIMIT, limit)
    store32(row + segment + SEGMENT_FLAGS, flags)


@jit
def reset_registers(s: State, core: int, cs_base: int, rip: int, cr0: int) -> None:
    """Give a core the registers of INIT; it must not be the one in the engine.

    `state.env` already holds what INIT leaves alone (FPU and SSE at their defaults).
    """
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    for offset in range(REGISTERS, RIP, 8):
        store64(row + offset, 0)
    store64(row + RIP, rip)
    store64(row + RFLAGS, 2)
    store64(row + CC_SRC, 0)
    store32(row + CC_OP, CC_OP_EFLAGS)
    store32(row + DIRECTION, 1)
    store32(row + HFLAGS, 0)
    store32(row + HFLAGS2, load32(row + HFLAGS2) & ~NMI_MASKED)
    store32(row + OLD_EXCEPTION, -1)
    for segment in (ES, SS, DS, FS, GS):
        set_segment(row, segment, 0, 0, 0xFFFF, _DATA16)
    set_segment(row, CS, cs_base >> 4, cs_base, 0xFFFF, _CODE16)
    set_segment(row, LDT, 0, 0, 0xFFFF, 0x8200)
    set_segment(row, TR, 0, 0, 0xFFFF, 0x8B00)
    set_segment(row, GDT, 0, 0, 0xFFFF, 0)
    set_segment(row, IDT, 0, 0, 0xFFFF, 0)
    store64(row + CR0, cr0)
    for offset in (CR2, CR3, CR4, EFER):
        store64(row + offset, 0)
    store64(row + DR6, 0xFFFF0FF0)
    store64(row + DR7, 0x400)
    s.core[core, C_ARMED] = s.core[core, C_TRAP] = 0
    x86_update_hflags(row)


@jit
def pvh_registers(s: State, core: int, entry: int, start_info: int) -> None:
    """Give a core the registers of the PVH entry: flat 32-bit protected mode, paging off.

    The GDT has these segments, as QEMU's does, though no kernel may count on it.
    Source: xen docs/misc/pvh.pandoc, "Booting".
    """
    reset_registers(s, core, 0, entry, 0x11)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RBX, start_info)
    set_segment(row, CS, 0x8, 0, 0xFFFFFFFF, _CODE32)
    for segment in (ES, SS, DS, FS, GS):
        set_segment(row, segment, 0x10, 0, 0xFFFFFFFF, _DATA32)
    set_segment(row, TR, 0x18, 0, 0x67, 0x8B00)
    set_segment(row, GDT, 0, bios.GDT, bios.GDT_LIMIT, 0)
    x86_update_hflags(row)


@jit
def multiboot_registers(s: State, core: int, entry: int, info: int) -> None:
    """Give a core the registers of the Multiboot entry: those of PVH, a magic number, a stack.

    Source: Multiboot Specification 0.6.96, section 3.2; for the rest, what QEMU 7.2 leaves.
    """
    pvh_registers(s, core, entry, info)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RAX, multiboot.MAGIC)
    store64(row + RSP, multiboot.STACK)
    set_segment(row, TR, 0, 0, 0xFFFF, 0x8B00)
    set_segment(row, IDT, 0, 0, 0x3FF, 0)


_CODE64 = 0x00AF9B00
_PAGING_CR0, _LONG_MODE = 0x80000011, 0x500  # of CR0; of EFER: LME, LMA
# Of CR4: PAE and, as UEFI leaves them, OSFXSR and OSXMMEXCPT.
_FIRMWARE_CR4 = 0x620
_LONG_CR0, _LONG_CR4, _LONG_EFER = 0x80010033, 0x6A0, 0xD01  # paging, WP; PAE, SSE; LMA, NX


@jit
def long_mode_registers(s: State, core: int, cr3: int, rip: int, rsp: int) -> None:
    """Give a core flat 64-bit registers at ring 0, with paging on and interrupts off."""
    reset_registers(s, core, 0, rip, _LONG_CR0)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RSP, rsp)
    store64(row + CR3, cr3)
    store64(row + CR4, _LONG_CR4)
    store64(row + EFER, _LONG_EFER)
    set_segment(row, CS, 0x8, 0, 0xFFFFFFFF, _CODE64)
    for segment in (ES, SS, DS, FS, GS):
        set_segment(row, segment, 0x10, 0, 0xFFFFFFFF, _DATA32)
    x86_update_hflags(row)


@jit
def linux_registers(s: State, core: int, entry: int, boot_params: int) -> None:
    """Give a core the registers of Linux's 64-bit boot protocol.

    Source: Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol".
    """
    reset_registers(s, core, 0, entry, _PAGING_CR0)
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    store64(row + RSI, boot_params)
    store64(row + CR3, linux_boot.PAGE_TABLES)
    store64(row + CR4, _FIRMWARE_CR4)
    store64(row + EFER, _LONG_MODE)
    set_segment(row, CS, linux_boot.BOOT_CS, 0, 0xFFFFFFFF, _CODE64)
    for segment in (ES, SS, DS, FS, GS):
        set_segment(row, segment, linux_boot.BOOT_DS, 0, 0xFFFFFFFF, _DATA32)
    set_segment(row, GDT, 0, linux_boot.GDT, linux_boot.GDT_LIMIT, 0)
    x86_update_hflags(row)


@jit
def set_tables(
    s: State, core: int, gdt: int, gdt_limit: int, idt: int, idt_limit: int, tss: int
) -> None:
    """Give a core that is not in the engine its descriptor tables, by linear address."""
    row = s.m[M_ENV_ROWS] + core * ENV_SIZE
    set_segment(row, GDT, 0, gdt, gdt_limit, 0)
    set_segment(row, IDT, 0, idt, idt_limit, 0)
    set_segment(row, TR, 0x20, tss, 0x67, 0x8B00)


@jit
def set_general(s: State, core: int, number: int, value: int) -> None:
    """Set general register `number` of a core that is not in the engine."""
    store64(s.m[M_ENV_ROWS] + core * ENV_SIZE + REGISTERS + 8 * number, value)
