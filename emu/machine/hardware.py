"""The hardware of a machine: RAM, the arrays of its state, and the engine wired to both.

It is put together here and switched on; from then on the machine (`machine`) moves it.
"""

import mmap

import numpy as np

from emu.machine import (
    boot,
    compiling,
    fw_cfg_items,
    hooks,
    selftest,
    state,
    unicorn_engine,
)
from emu.machine.boot import BootImage
from emu.machine.engines import COMPILED, Engine
from emu.machine.setup import Setup
from emu.machine.text import MODELS
from emu.moves.move import CLOCKS


class Hardware:
    """A PC that was just switched on with a kernel in its RAM.

    Attributes:
        state: all of it that changes.
        pristine: CPUX86State of the engine before it ran, as ENV_SIZE bytes.
    """

    def __init__(self, image: BootImage, setup: Setup, engine: Engine) -> None:
        setup.check()
        selftest.check()
        # private: memory that is only read, to scan it, does not have to exist
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._memory = mmap.mmap(-1, setup.ram_mib << 20, flags=flags)
        ram = np.frombuffer(self._memory, np.uint8)
        info = boot.load(image, ram, setup.command_line, setup.cores)
        if engine.name == COMPILED:
            compiling.announce()
        self.state = state.allocate(setup.cores, ram)
        items = fw_cfg_items.items(setup.cores, ram.size, boot.command_line(setup.command_line))
        table = np.frombuffer(fw_cfg_items.table(items), np.uint8)
        self.state.fwcfg[: table.size] = table
        self._wire(engine)
        for segment in image.segments:
            if segment.executable:
                engine.guards.guard_image_text(self.state, segment.paddr, segment.end)
        self.state.m[state.M_MODEL] = MODELS.index(setup.model)
        self.state.m[state.M_CLOCK_MODE] = CLOCKS.index(setup.clock)
        engine.board.power_on(self.state)
        start = engine.start_registers
        told = {
            "pvh": start.pvh_registers,
            "multiboot": start.multiboot_registers,
            "linux": start.linux_registers,
        }
        told[image.protocol](self.state, 0, image.entry, info)
        self.state.core[0, state.C_STATE] = state.CORE_RUNS

    def _wire(self, engine: Engine) -> None:
        """Make a Unicorn, and let it know the state and call back."""
        scalars = self.state.m
        self._uc, scalars[state.M_CPU], scalars[state.M_ENV] = unicorn_engine.open_engine()
        scalars[state.M_UC] = self._uc._uch.value
        self.pristine = unicorn_engine.pristine_registers(int(scalars[state.M_ENV]))
        self.state.env[:] = self.pristine
        table, ram = self.state.address, self.state.ram
        self._uc.mem_map_ptr(0, ram.size, 7, ram.ctypes.data_as(hooks.VOID_POINTER))
        engine.hooks.map_devices(self._uc, table, ram.size)
        engine.hooks.install(self._uc, table)
        engine.hooks.watch_slow_accesses(self.state, self._uc)
        if engine.name == COMPILED:
            hooks.watch_tlb_fills(self.state)
