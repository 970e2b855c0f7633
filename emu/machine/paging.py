"""Memory as the processor itself uses it when it delivers an exception; for the reference engine.

Supervisor loads and stores by linear address: the walk checks presence, reserved bits and the
right to write, and sets accessed and dirty bits, as the engine does when it fills its TLB. There
is no TLB here: an entry that was changed without INVLPG is seen at once. No protection keys, no
SMAP: the processor has neither.

Source: Intel SDM volume 3A, chapter "Paging"; physical addresses have 40 bits and memory where
nothing answers reads as ones, as in QEMU (target/i386/excp_helper.c).
"""

from emu.machine import memory_hooks
from emu.machine.native import load32, load64, store8, store32
from emu.machine.state import LINE_GUARDED, M_RAM, M_RAM_SIZE, State
from emu.machine.unicorn_blocks import forget
from emu.machine.unicorn_cpu import register, set_register
from emu.machine.unicorn_layout import CR0, CR2, CR3, CR4, EFER

_PRESENT, _WRITABLE, _USER, _ACCESSED, _DIRTY, _LARGE, _NX = 1, 2, 4, 0x20, 0x40, 0x80, 1 << 63
_ADDRESS, _BEYOND_40_BITS = 0x000F_FFFF_FFFF_F000, 0x000F_FF00_0000_0000
_IGNORED_IN_LONG_MODE, _PAT_OF_LARGE = 0x7FF0 << 48, 1 << 12
_PG, _WP, _PSE, _PAE, _LMA, _NXE = 1 << 31, 1 << 16, 1 << 4, 1 << 5, 1 << 10, 1 << 11
_ERROR_PRESENT, _ERROR_WRITE, _ERROR_RESERVED = 1, 2, 8
_PAGE = 4096


class Fault(Exception):  # noqa: N818 -- the guest's, not ours
    """An exception that the processor meets while it delivers another, or an interrupt."""

    def __init__(self, vector: int, error: int) -> None:
        super().__init__(f"vector {vector}, error code {error:#x}")
        self.vector, self.error = vector, error


def translate(s: State, linear: int, *, write: bool) -> int:
    """Return the physical address of a linear one; raises Fault, and then sets CR2."""
    cr0, cr4, efer = register(s, CR0), register(s, CR4), register(s, EFER)
    if not cr0 & _PG:
        return linear & 0xFFFFFFFF
    if efer & _LMA and linear >> 47 not in (0, -1):
        raise Fault(13, 0)
    if cr4 & _PAE:
        at, entry, size, rights, reserved = _find_wide(s, linear, efer, write=write)
    else:
        at, entry, size, rights, reserved = _find_narrow(s, linear, cr4, write=write)
    if entry & reserved:
        raise _page_fault(s, linear, _ERROR_PRESENT | _ERROR_RESERVED, write=write)
    if write and not rights & _WRITABLE and cr0 & _WP:
        raise _page_fault(s, linear, _ERROR_PRESENT, write=write)
    _set_bits(s, at, entry, _ACCESSED | (_DIRTY if write else 0))
    return entry & _ADDRESS & -size | linear & size - 1


def _find_wide(s: State, linear: int, efer: int, *, write: bool) -> tuple[int, int, int, int, int]:
    """Find the entry that maps a page, with 8-byte entries.

    Returns its physical address, the entry, the page's size, the rights of all levels together
    and the entry's reserved bits.
    """
    reserved = _BEYOND_40_BITS | (0 if efer & _NXE else _NX)
    table, shift = register(s, CR3) & _ADDRESS, 39
    if not efer & _LMA:
        entry = _entry(s, (register(s, CR3) & ~0x1F) + (linear >> 27 & 0x18), 8)
        reserved |= _IGNORED_IN_LONG_MODE
        _check(s, linear, entry, reserved | _NX, write=write)
        table, shift = entry & _ADDRESS, 21
    rights = _WRITABLE | _USER
    while True:
        at = table + (linear >> shift & 0x1FF) * 8
        entry = _entry(s, at, 8)
        _check(s, linear, entry, reserved | (_LARGE if shift == 39 else 0), write=write)
        rights &= entry
        leaf = shift == 12 or entry & _LARGE
        if not leaf or shift == 30:  # the engine marks a 1 GiB page before it checks it
            _set_bits(s, at, entry, _ACCESSED)
        if leaf:
            size = 1 << shift
            return at, entry, size, rights, reserved | (size - 1) & _ADDRESS & ~_PAT_OF_LARGE
        table, shift = entry & _ADDRESS, shift - 9


def _find_narrow(s: State, linear: int, cr4: int, *, write: bool) -> tuple[int, int, int, int, int]:
    """Find the entry that maps a page, with 4-byte entries; returns as `_find_wide`."""
    at = (register(s, CR3) & ~0xFFF) + (linear >> 20 & 0xFFC)
    entry = _entry(s, at, 4)
    _check(s, linear, entry, 0, write=write)
    if entry & _LARGE and cr4 & _PSE:
        return at, entry | (entry & 0x1FE000) << 19, 1 << 22, entry, 0x200000
    _set_bits(s, at, entry, _ACCESSED)
    rights = entry
    at = (entry & ~0xFFF) + (linear >> 10 & 0xFFC)
    entry = _entry(s, at, 4)
    _check(s, linear, entry, 0, write=write)
    return at, entry, _PAGE, rights & entry, 0


def _check(s: State, linear: int, entry: int, reserved: int, *, write: bool) -> None:
    if not entry & _PRESENT:
        raise _page_fault(s, linear, 0, write=write)
    if entry & reserved:
        raise _page_fault(s, linear, _ERROR_PRESENT | _ERROR_RESERVED, write=write)


def _page_fault(s: State, linear: int, error: int, *, write: bool) -> Fault:
    set_register(s, CR2, linear)
    return Fault(14, error | (_ERROR_WRITE if write else 0))


def _entry(s: State, at: int, size: int) -> int:
    if not 0 <= at <= s.m[M_RAM_SIZE] - size:
        return -1
    return load64(s.m[M_RAM] + at) if size == 8 else load32(s.m[M_RAM] + at)


def _set_bits(s: State, at: int, entry: int, bits: int) -> None:
    if entry & bits != bits and 0 <= at <= s.m[M_RAM_SIZE] - 4:
        store32(s.m[M_RAM] + at, entry | bits)


def load(s: State, linear: int, size: int) -> int:
    """Load up to 8 bytes, zero-extended."""
    first = min(size, _PAGE - (linear & _PAGE - 1))
    places = [(translate(s, linear, write=False), first)]
    if first < size:
        places.append((translate(s, linear + first, write=False), size - first))
    code = b"".join(_bytes(s, at, length) for at, length in places)
    return int.from_bytes(code, "little")


def _bytes(s: State, at: int, length: int) -> bytes:
    inside = 0 <= at <= s.m[M_RAM_SIZE] - length
    return bytes(s.ram[at + index] if inside else 0xFF for index in range(length))


def store(s: State, linear: int, size: int, value: int) -> None:
    """Store the low bytes of a number, up to 8; stores to text become versions."""
    first = min(size, _PAGE - (linear & _PAGE - 1))
    places = [(translate(s, linear, write=True), first)]
    if first < size:
        places.append((translate(s, linear + first, write=True), size - first))
    for at, length in places:
        if 0 <= at <= s.m[M_RAM_SIZE] - length:
            part = value & (1 << 8 * length) - 1
            if s.lines[at >> 6] & LINE_GUARDED:
                memory_hooks.on_text_store.function(0, 0, at, length, part, s.address)
            for index in range(length):
                store8(s.m[M_RAM] + at + index, part >> 8 * index)
            forget(s, at, at + length)
        value >>= 8 * length
