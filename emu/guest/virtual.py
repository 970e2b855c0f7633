"""A kernel's memory by virtual address, read without any effect.

An object of its own, not a method of the guest: the guest's typed objects hold on to it, and a
machine is too large to wait for Python's cycle collector.
"""

from emu.errors import TextpokeError
from emu.image.symbols import Symbols
from emu.machine.machine import Machine

_PAGE = 4096


class VirtualMemory:
    """Memory as a core maps it.

    symbols: to name an address that is not mapped. cr3: page tables other than the core's own.
    """

    def __init__(
        self, machine: Machine, symbols: Symbols, core: int = 0, cr3: int | None = None
    ) -> None:
        self._machine, self._symbols, self._core, self._cr3 = machine, symbols, core, cr3

    def physical(self, address: int) -> int:
        """Return the physical address; TextpokeError where nothing is mapped."""
        found = self._machine.translate(address, self._core, cr3=self._cr3)
        if found is None:
            null = ": is it a member of what NULL points to?" if address < _PAGE else ""
            raise TextpokeError(f"{self._symbols.describe(address)} is not mapped{null}")
        return found

    def read(self, address: int, size: int) -> bytes:
        """Return bytes, from as many pages as they take; TextpokeError as `physical`."""
        parts = []
        while size:
            part = min(size, _PAGE - address % _PAGE)
            parts.append(self._machine.read(self.physical(address), part))
            address, size = address + part, size - part
        return b"".join(parts)
