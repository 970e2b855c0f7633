"""A machine as one can look at it, without any effect on it: cores, memory, versions of text, log.

`Machine` is this and whatever changes it. Reading for display goes through here alone.
"""

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.machine import registers, unicorn_layout
from emu.machine import state as st
from emu.machine.boot import BootImage
from emu.machine.end import SENTENCES
from emu.machine.engines import Engine
from emu.machine.events import Events
from emu.machine.fetches import Fetches
from emu.machine.log import Log
from emu.machine.recent import RecentMoves
from emu.machine.setup import Setup
from emu.machine.standing import Standing, standing
from emu.machine.state import State
from emu.machine.word import signed


class MachineView:
    """What can be seen of a machine.

    Attributes:
        image: its kernel.
        setup: what was decided before it was switched on; its parts are attributes here, too.
        state: everything changeable, as native code has it.
    """

    def __init__(self, image: BootImage, setup: Setup, state: State, engine: Engine) -> None:
        self.image, self.setup, self.state = image, setup, state
        self.cores, self.ram_mib = setup.cores, setup.ram_mib
        self.command_line, self.model, self.clock = setup.command_line, setup.model, setup.clock
        self._native = engine
        self._log = Log(state)

    # --- now -----------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Virtual time in ns."""
        return int(self.state.m[st.M_CLOCK])

    @property
    def exit_value(self) -> int | None:
        """What the guest wrote to the debug-exit port, or None."""
        value = int(self.state.m[st.M_EXIT])
        return None if value < 0 else value

    @property
    def end(self) -> str | None:
        """How the guest ended the machine, in one sentence, or None."""
        return SENTENCES.get(int(self.state.m[st.M_END]))

    @property
    def alive(self) -> bool:
        """Return whether the guest has neither ended the machine nor lost a core."""
        return self.end is None and self.dead_core() is None

    def started(self, core: int) -> bool:
        """Return whether a core runs or halts, rather than waiting for its start-up IPI."""
        return bool(self.state.core[core, st.C_STATE] != st.CORE_WAITS)

    def dead_core(self) -> int | None:
        """Return the core that cannot go on, if there is one."""
        for core in range(self.cores):
            if self.state.core[core, st.C_STATE] == st.CORE_DEAD:
                return core
        return None

    def nobody_can_move(self) -> bool:
        """Return whether no core and no patcher can move, and no timer will change that."""
        return bool(self._native.actors.nobody_can_move(self.state))

    def standing(self, core: int) -> Standing:
        """Return how a core stands."""
        return standing(self.state, core)

    @property
    def engine_error(self) -> int:
        """What the engine said when it last gave up, one of Unicorn's UC_ERR_..., or 0."""
        return int(self.state.m[st.M_ERROR])

    def retired(self) -> int:
        """Return the instructions all cores have executed."""
        return int(self.state.core[:, st.C_RETIRED].sum())

    def retired_by(self, core: int) -> int:
        """Return the instructions one core has executed."""
        return int(self.state.core[core, st.C_RETIRED])

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of physical memory."""
        self._check(address, size)
        return self.state.ram[address : address + size].tobytes()

    def register(self, core: int, offset: int) -> int:
        """Return a 64-bit field of a core's CPUX86State (offsets in unicorn_layout), unsigned."""
        if core == self.state.m[st.M_CURRENT]:
            value = self._native.unicorn_cpu.register(self.state, offset)
        else:
            value = self.state.env[core, offset : offset + 8].view(np.int64)[0]
        return int(value) & (1 << 64) - 1

    def rip(self, core: int) -> int:
        """Return a core's instruction pointer."""
        return self.register(core, unicorn_layout.RIP)

    def general_registers(self, core: int) -> tuple[int, ...]:
        """Return a core's RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15."""
        offsets = range(unicorn_layout.REGISTERS, unicorn_layout.RIP, 8)
        return tuple(self.register(core, offset) for offset in offsets)

    def arithmetic_flags(self, core: int) -> int:
        """Return a core's CF, PF, AF, ZF, SF and OF, as they stand in RFLAGS."""
        return registers.rflags(registers.registers_of(self.state, core)) & 0x8D5

    def extended_registers(self, core: int) -> bytes:
        """Return a core's x87, SSE and model-specific registers, in an order of its own."""
        return registers.extended_registers(self.state, core)

    def translate(self, address: int, core: int = 0, *, cr3: int | None = None) -> int | None:
        """Return the physical address of a virtual one as the core maps it, None if unmapped.

        cr3: page tables other than those the core has loaded.
        """
        control = (unicorn_layout.CR0, unicorn_layout.CR3, unicorn_layout.CR4, unicorn_layout.EFER)
        cr0, loaded, cr4, efer = (signed(self.register(core, offset)) for offset in control)
        root = loaded if cr3 is None else signed(cr3)
        physical = int(self._native.memory.walk(self.state, cr0, root, cr4, efer, signed(address)))
        return None if physical < 0 else physical

    def versions(self, core: int, address: int) -> tuple[int, ...]:
        """Return the values a core may fetch for the byte at a physical address, newest first."""
        times = np.zeros(st.MAX_HISTORY + 1, np.int64)
        floor = self._native.text.byte_floor(self.state, core, address)
        if self.model == "coherent":
            floor = self.state.m[st.M_TEXT_NOW]
        count = self._native.text.version_times(self.state, address, floor, times)
        code = np.zeros(1, np.uint8)
        values = []
        for time in times[:count]:
            self._native.text.code_at(self.state, np.array([address], np.int64), time, code)
            values.append(int(code[0]))
        return tuple(values)

    def stands_at_unstable(self, core: int) -> bool:
        """Return whether the core's next move is a Fetch."""
        return bool(self._native.fetch.stands_at_unstable(self.state, core))

    def pending_ipis(self, core: int) -> tuple[int, ...]:
        """Return the vectors of the IPIs that a core has still to take, the next one first."""
        words = self.state.apic[core, st.A_IPI : st.A_IPI + 8]
        return tuple(v for v in range(255, -1, -1) if int(words[v >> 5]) >> (v & 31) & 1)

    def floor_is_free(self, core: int) -> bool:
        """Return whether no fault keeps the core's floor, now or with its next IPI."""
        return not self.state.core[core, st.C_FREEZE]

    @property
    def input_room(self) -> int:
        """Bytes that can come in on the serial line before the guest reads some."""
        scalars = self.state.m
        return st.MAX_INPUT - int(scalars[st.M_INPUT_TAIL] - scalars[st.M_INPUT_HEAD])

    def patcher_can_move(self) -> bool:
        """Return whether the patcher's next step can be made now."""
        return bool(self._native.actors.patcher_can_move(self.state))

    # --- what it has left behind ---------------------------------------------------------------

    @property
    def events(self) -> Events:
        """What happened."""
        return self._log.events

    @property
    def output(self) -> bytearray:
        """What was sent on the serial line."""
        return self._log.output

    @property
    def moves(self) -> int:
        """How many moves `drive` and `play` have made."""
        return self._log.moves

    @property
    def recent_moves(self) -> RecentMoves:
        """The last of them."""
        return self._log.recent_moves

    def recorded(self) -> NDArray[np.void]:
        """Return the moves made by `drive` and `play` since `record`, with dtype move.ROW."""
        return self._log.recorded()

    @property
    def fetches(self) -> Fetches:
        """The fetches noted since `trace`."""
        return self._log.fetches()

    def _check(self, address: int, size: int) -> None:
        if not 0 <= address <= self.state.ram.size - size:
            raise TextpokeError(f"physical {address:#x}: RAM ends at {self.state.ram.size:#x}")
