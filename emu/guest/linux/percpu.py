"""Per-CPU variables of a Linux kernel, and what they tell of a core: its task, its preempt count.

A variable's own address is an offset in the area of each core, which `__per_cpu_offset[core]` leads
to; before setup_per_cpu_areas all cores have none. From 6.2 to 6.15 the hottest ones are members of
one structure, `pcpu_hot`. Source: arch/x86/kernel/setup_percpu.c, arch/x86/include/asm/current.h.
"""

from typing import Final

from emu.errors import BadSymbol, TextpokeError
from emu.image.linux_image import LinuxImage
from emu.image.objects import Reader

_HOT: Final = "pcpu_hot"
_OFFSETS: Final = "__per_cpu_offset"
_NEED_RESCHED: Final = 1 << 31  # PREEMPT_NEED_RESCHED, inverted, in __preempt_count
_POINTER, _COUNT = 8, 4


class PerCpu:
    """The per-CPU variables of a kernel. read: its memory."""

    def __init__(self, image: LinuxImage, read: Reader) -> None:
        self._image, self._read = image, read
        self._offsets = image.symbols.get(_OFFSETS)
        self._first = image.symbols.get("__per_cpu_load")

    def base(self, core: int) -> int | None:
        """Return what to add to a variable's address for a core; None before there are areas."""
        if self._offsets is None or not 0 <= core < self._offsets.size // _POINTER:
            return None
        try:
            raw = self._read(self._offsets.address + core * _POINTER, _POINTER)
        except TextpokeError:
            return None
        base = int.from_bytes(raw, "little")
        unset = self._first is not None and base == self._first.address
        return None if not base or unset else base

    def address(self, core: int, *names: str) -> int | None:
        """Return where a core has the first variable, or member of pcpu_hot, that there is."""
        base = self.base(core)
        place = next((found for found in map(self._place, names) if found is not None), None)
        return None if base is None or place is None else base + place & (1 << 64) - 1

    def number(self, core: int, size: int, *names: str) -> int | None:
        """Return the unsigned number a core has in a variable; None if nothing can be read."""
        address = self.address(core, *names)
        try:
            return None if address is None else int.from_bytes(self._read(address, size), "little")
        except TextpokeError:
            return None

    def current(self, core: int) -> int | None:
        """Return the address of the task that a core runs; None if it has none yet."""
        return self.number(core, _POINTER, "current_task") or None

    def preempt_count(self, core: int) -> int | None:
        """Return a core's preempt count, without the flag that it need not reschedule."""
        found = self.number(core, _COUNT, "__preempt_count", "preempt_count")
        return None if found is None else found & ~_NEED_RESCHED

    def idle(self, core: int) -> int | None:
        """Return the address of a core's idle task; None if it has none yet."""
        return self.number(core, _POINTER, "idle_threads") or None

    def _place(self, name: str) -> int | None:
        symbol = self._image.symbols.get(name)
        if symbol is not None:
            return symbol.address
        hot = self._image.symbols.get(_HOT)
        if hot is None:
            return None
        try:
            return hot.address + self._image.types.struct(_HOT).member(name).offset
        except BadSymbol:
            return None
