"""A Linux kernel's memory by virtual address.

As core 0 maps it, else as the kernel's own page tables do: with page-table isolation a core in
ring 3 maps next to nothing of the kernel.
"""

from emu.errors import TextpokeError
from emu.guest.virtual import VirtualMemory
from emu.image.linux_image import LinuxImage
from emu.machine.machine import Machine

_PAGE_TABLES = ("init_top_pgt", "swapper_pg_dir")
_KERNEL = 1 << 63  # addresses from here on are the kernel's


class KernelMemory(VirtualMemory):
    """Memory as a core maps it, and the kernel's own always.

    image: where the kernel runs. core, cr3: as of a VirtualMemory.
    """

    def __init__(
        self, machine: Machine, image: LinuxImage, core: int = 0, cr3: int | None = None
    ) -> None:
        super().__init__(machine, image.symbols, core, cr3)
        symbols = (image.symbols.get(name) for name in _PAGE_TABLES)
        address = next((symbol.address for symbol in symbols if symbol is not None), None)
        table = None if address is None else image.load_address(address)
        self._own = None if table is None else VirtualMemory(machine, image.symbols, cr3=table)

    def physical(self, address: int) -> int:
        """Return the physical address; TextpokeError where nothing is mapped."""
        try:
            return super().physical(address)
        except TextpokeError:
            if self._own is None or address < _KERNEL:
                raise
        return self._own.physical(address)
