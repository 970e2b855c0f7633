"""Where a Linux kernel runs, if its decompressor has moved it (KASLR).

The processor knows it before any symbol does: it holds addresses of functions whose names are
known. MSR_LSTAR is entry_SYSCALL_64 from trap_init on; until then a gate of the IDT leads to an
early handler, from x86_64_start_kernel on. Until that nobody can tell, and this says so. Where
text lies in RAM, the page tables say. Sources: arch/x86/kernel/cpu/common.c, syscall_init;
arch/x86/kernel/idt.c, idt_setup_early_handler; arch/x86/boot/compressed/kaslr.c.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emu.image.linux_image import LinuxImage
from emu.machine.machine import Machine
from emu.machine.unicorn_layout import IDT, LSTAR, SEGMENT_BASE

_SYSCALL: Final = "entry_SYSCALL_64"
_FAULT: Final = "asm_exc_page_fault"
_EARLY: Final = "early_idt_handler_array"
"""What the gate of #PF leads to; the second is an array of handlers for 32 exceptions."""

_VECTOR, _GATE_SIZE, _EARLY_HANDLERS = 14, 16, 32
_ALIGNED: Final = 1 << 21
"""CONFIG_PHYSICAL_ALIGN of x86-64."""

_MOST: Final = 1 << 30
"""KERNEL_IMAGE_SIZE with KASLR."""


@dataclass(frozen=True, slots=True)
class Slide:
    """By how much a kernel's addresses are higher than those it was linked and loaded for."""

    virtual: int
    physical: int


def find_slide(machine: Machine, image: LinuxImage) -> Slide | None:
    """Return where a kernel runs, as its image is linked; None if that cannot be told yet."""
    if not image.moves:
        return Slide(0, 0)
    text = image.symbols.get("_text")
    loaded = None if text is None else image.load_address(text.address)
    if text is None or loaded is None:
        return None
    for virtual in _candidates(machine, image):
        there = machine.translate(text.address + virtual)
        if virtual % _ALIGNED == 0 and 0 <= virtual < _MOST and there is not None:
            return Slide(virtual, there - loaded)
    return None


def _candidates(machine: Machine, image: LinuxImage) -> Iterator[int]:
    syscall = image.symbols.get(_SYSCALL)
    if syscall is not None:
        yield machine.register(0, LSTAR) - syscall.address
    table = machine.register(0, IDT + SEGMENT_BASE)
    gate = machine.translate(table + _VECTOR * _GATE_SIZE)
    if gate is None:
        return
    entry = machine.read(gate, _GATE_SIZE)
    handler = int.from_bytes(entry[:2] + entry[6:12], "little")
    fault, early = image.symbols.get(_FAULT), image.symbols.get(_EARLY)
    if fault is not None:
        yield handler - fault.address
    if early is not None:
        yield handler - early.address - early.size // _EARLY_HANDLERS * _VECTOR
