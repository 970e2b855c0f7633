"""The machine as Python sees it: cores, RAM, devices and a clock, moved only by moves.

It knows no kernel: `BootImage` is bytes and an entry, probes are addresses somebody else found.
Everything changeable is in `state`; this class owns the engine, hands native code its turns and
collects what comes back (events, moves, serial output). Which native code that is, compiled or
not, is the choice of `engines`.
"""

import mmap
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.machine import (
    boot,
    end,
    fw_cfg_items,
    hooks,
    loop,
    native,
    pages,
    registers,
    selftest,
    snapshot,
    state,
    unicorn_cpu,
    unicorn_layout,
)
from emu.machine.boot import BootImage
from emu.machine.engines import COMPILED, engine_called
from emu.machine.events import Events
from emu.machine.fetches import Fetches
from emu.machine.pages import Ram
from emu.machine.recent import RecentMoves
from emu.machine.snapshot import Setup, Snapshot
from emu.machine.standing import Standing, standing
from emu.machine.text import MODELS
from emu.machine.tracing import Tracing
from emu.moves import move
from emu.moves.chooser import Chooser

DEFAULT_RAM = 64  # MiB
_PAGE = 4096


@dataclass(frozen=True)
class Probe:
    """An address (physical) that becomes an event when a core reaches it.

    kind: of the event, from `events.PROBE` on. argument: comes back in the event. task: 0, or
    the physical address of an 8-byte variable whose value is noted.
    """

    address: int
    kind: int
    argument: int = 0
    task: int = 0


class Machine:
    """A small PC with 1 to 8 cores that was just switched on with a kernel in its RAM."""

    def __init__(
        self,
        image: BootImage,
        *,
        cores: int = 4,
        ram_mib: int = DEFAULT_RAM,
        command_line: str = "",
        model: str = "sdm",
        clock: str = "counted",
        engine: str = COMPILED,
    ) -> None:
        self._native = engine_called(engine)
        if not 1 <= cores <= state.MAX_CORES:
            raise TextpokeError(f"{cores} cores: a machine has 1 to {state.MAX_CORES}")
        if model not in MODELS:
            raise TextpokeError(f"no fetch model {model!r}: there are {', '.join(MODELS)}")
        if clock not in move.CLOCKS:
            raise TextpokeError(f"no clock {clock!r}: there are {' and '.join(move.CLOCKS)}")
        if not boot.MIN_RAM <= ram_mib << 20 <= boot.MAX_RAM:
            least, most = boot.MIN_RAM >> 20, boot.MAX_RAM >> 20
            raise TextpokeError(f"{ram_mib} MiB of RAM: a machine has {least} to {most}")
        selftest.check()
        self.image, self.cores, self.ram_mib = image, cores, ram_mib
        self.command_line, self.model, self.clock = command_line, model, clock
        # private: memory that is only read, to scan it, does not have to exist
        self._memory = mmap.mmap(-1, ram_mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        ram = np.frombuffer(self._memory, np.uint8)
        info = boot.load(image, ram, command_line, cores)
        if engine == COMPILED and not native.compiled_before():
            print("textpoke: compiling the machine, once (about a minute)", file=sys.stderr)
        self.state = state.allocate(cores, ram)
        items = fw_cfg_items.items(cores, ram.size, boot.command_line(command_line))
        table = np.frombuffer(fw_cfg_items.table(items), np.uint8)
        self.state.fwcfg[: table.size] = table
        self._open_engine()
        self.state.m[state.M_MODEL] = MODELS.index(model)
        self.state.m[state.M_CLOCK_MODE] = move.CLOCKS.index(clock)
        self._native.board.power_on(self.state)
        start_registers = self._native.start_registers
        if image.protocol == "multiboot":
            start_registers.multiboot_registers(self.state, 0, image.entry, info)
        else:
            start_registers.pvh_registers(self.state, 0, image.entry, info)
        self.state.core[0, state.C_STATE] = state.CORE_RUNS
        self.events = Events()
        self.output = bytearray()
        self.moves = 0
        self.recent_moves = RecentMoves()
        self._recorded: list[NDArray[np.uint8]] | None = None
        self._tracing = Tracing(self.state)
        self._ram: Ram | None = None  # as it was when the dirty pages were last forgotten
        self._ram_epoch = -1

    def _open_engine(self) -> None:
        scalars = self.state.m
        self._engine, scalars[state.M_CPU], scalars[state.M_ENV] = unicorn_cpu.open_engine()
        scalars[state.M_UC] = self._engine._uch.value
        self._pristine = unicorn_cpu.pristine_registers(int(scalars[state.M_ENV]))
        self.state.env[:] = self._pristine
        table = self.state.address
        ram = self.state.ram
        self._engine.mem_map_ptr(0, ram.size, 7, ram.ctypes.data_as(hooks.VOID_POINTER))
        self._native.hooks.map_devices(self._engine, table, ram.size)
        self._native.hooks.install(self._engine, table)
        self._native.hooks.watch_slow_accesses(self.state, self._engine)
        if self._native.name == COMPILED:
            hooks.watch_tlb_fills(self.state)
        self._guards: list[hooks.Guard] = []
        for segment in self.image.segments:
            if segment.executable:
                self._guard(segment.paddr, segment.paddr + segment.memsz)

    def enter_long_mode(
        self,
        core: int,
        *,
        cr3: int,
        rip: int,
        rsp: int,
        gdt: tuple[int, int],
        idt: tuple[int, int],
        tss: int,
        registers: Iterable[int] = (),
    ) -> None:
        """Let a core start in 64-bit mode at ring 0 instead of at the image's entry.

        gdt, idt: linear address and limit. registers: values of the general registers.
        """
        state_, signed, start = self.state, _signed, self._native.start_registers
        start.long_mode_registers(state_, core, cr3, signed(rip), signed(rsp))
        start.set_tables(state_, core, signed(gdt[0]), gdt[1], signed(idt[0]), idt[1], signed(tss))
        for number, value in enumerate(registers):
            start.set_general(state_, core, number, signed(value))

    # --- moves ---------------------------------------------------------------------------------

    def run(self, core: int, instructions: int) -> int:
        """Make the move Run; returns the instructions it executed."""
        done = 0
        while True:
            done += self._native.run.run(self.state, core, instructions - done)
            reason = self.state.m[state.M_REASON]
            self._collect()
            if reason == state.STOP_UNGUARDED:
                self._guard_page()
            elif reason != state.STOP_UNDRAINED:
                return done

    def fetch(self, core: int, ages: Iterable[int]) -> None:
        """Make the move Fetch; raises TextpokeError if the fetch model does not allow it."""
        chosen = np.zeros(15, np.int64)
        given = list(ages)
        chosen[: len(given)] = given
        if not self.stands_at_unstable(core):
            raise TextpokeError(f"core {core} does not stand at unstable bytes")
        if not self._native.run.fetch(self.state, core, chosen, len(given)):
            raise TextpokeError(f"{self.model} does not allow core {core} these versions: {given}")
        self._collect()

    def make(self, one: move.Move) -> None:
        """Make one move of a core, or a fault; raises TextpokeError if it is not possible now."""
        why, done = self.play(move.encode([one]))
        if not done:
            raise TextpokeError(f"{one} is not possible here: {loop.WHY[why]}")

    def drive(self, chooser: Chooser, *, moves: int = 1 << 62, instructions: int = 1 << 62) -> int:
        """Let a chooser make moves; returns why it stopped, one of the reasons in `loop`.

        PATCHER: the caller has to make the patcher's next step before it comes back.
        """
        limits = np.array([moves, instructions], np.int64)
        while True:
            why = int(self._native.loop.drive(self.state, chooser.native, chooser.random, limits))
            self._collect()
            chooser.made += moves - int(limits[0])
            moves = int(limits[0])
            if why == loop.GUARD:
                self._guard_page()
            elif why != loop.DRAIN:
                return why

    def play(
        self, rows: NDArray[np.void], at: int = 0, *, instructions: int = 1 << 62
    ) -> tuple[int, int]:
        """Make the moves of a script from row `at` on; returns (reason, next row)."""
        script = rows.view(np.uint8).reshape(len(rows), state.MOVE_BYTES)
        position = np.array([at], np.int64)
        limits = np.array([1 << 62, instructions], np.int64)
        while True:
            why = int(self._native.loop.play(self.state, script, position, limits))
            self._collect()
            if why == loop.GUARD:
                self._guard_page()
            elif why != loop.DRAIN:
                return why, int(position[0])

    def store(self, address: int, data: bytes) -> None:
        """Store to physical memory from outside; text becomes versions."""
        self._check(address, len(data))
        self._native.poke.store(self.state, address, np.frombuffer(data, np.uint8))
        self._collect()

    def interrupt(self, vector: int, cores: int) -> None:
        """Make a fixed interrupt pending at the cores of a bit mask."""
        self._native.poke.send(self.state, vector, cores)
        self._collect()

    @property
    def input_room(self) -> int:
        """Bytes that can come in on the serial line before the guest reads some."""
        scalars = self.state.m
        return state.MAX_INPUT - int(scalars[state.M_INPUT_TAIL] - scalars[state.M_INPUT_HEAD])

    def send_input(self, data: bytes) -> None:
        """Let bytes come in on the serial line, behind those that still wait there."""
        row = np.frombuffer(data, np.uint8).astype(np.int64)
        if not self._native.poke.send_input(self.state, row, len(data)):
            scalars = self.state.m
            waiting = int(scalars[state.M_INPUT_TAIL] - scalars[state.M_INPUT_HEAD])
            raise TextpokeError(
                f"{len(data)} bytes of serial input: {waiting} of at most {state.MAX_INPUT} "
                "still wait for the guest to read them"
            )
        self._collect()

    def note(self, kind: int, core: int, a: int, b: int) -> None:
        """Append an event from outside; kinds are in `events`."""
        self._native.events.emit(self.state, core, kind, 0, a, b, 0, 0)
        self._collect()

    def set_patcher(self, status: int, awaited: Iterable[tuple[int, int]] = ()) -> None:
        """Tell the loop whether the patcher can move, or which u32 words it waits for.

        awaited: (physical address, value) of each.
        """
        rows = list(awaited)
        for row, (address, value) in enumerate(rows):
            self._check(address, 4)
            self.state.wait[row] = address, value
        self.state.m[state.M_WAIT_COUNT] = len(rows)
        self.state.m[state.M_PATCHER] = status

    def patcher_can_move(self) -> bool:
        """Return whether the patcher's next step can be made now."""
        return bool(self._native.actors.patcher_can_move(self.state))

    # --- looking, without any effect -----------------------------------------------------------

    @property
    def now(self) -> int:
        """Virtual time in ns."""
        return int(self.state.m[state.M_CLOCK])

    @property
    def exit_value(self) -> int | None:
        """What the guest wrote to the debug-exit port, or None."""
        value = int(self.state.m[state.M_EXIT])
        return None if value < 0 else value

    @property
    def end(self) -> str | None:
        """How the guest ended the machine, in one sentence, or None."""
        return end.SENTENCES.get(int(self.state.m[state.M_END]))

    @property
    def alive(self) -> bool:
        """Return whether the guest has neither ended the machine nor lost a core."""
        return self.end is None and self.dead_core() is None

    def started(self, core: int) -> bool:
        """Return whether a core runs or halts, rather than waiting for its start-up IPI."""
        return bool(self.state.core[core, state.C_STATE] != state.CORE_WAITS)

    def dead_core(self) -> int | None:
        """Return the core that cannot go on, if there is one."""
        for core in range(self.cores):
            if self.state.core[core, state.C_STATE] == state.CORE_DEAD:
                return core
        return None

    def standing(self, core: int) -> Standing:
        """Return how a core stands."""
        return standing(self.state, core)

    @property
    def engine_error(self) -> int:
        """What the engine said when it last gave up, one of Unicorn's UC_ERR_..., or 0."""
        return int(self.state.m[state.M_ERROR])

    def retired(self) -> int:
        """Return the instructions all cores have executed."""
        return int(self.state.core[:, state.C_RETIRED].sum())

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of physical memory."""
        self._check(address, size)
        return self.state.ram[address : address + size].tobytes()

    def register(self, core: int, offset: int) -> int:
        """Return a 64-bit field of a core's CPUX86State (offsets in unicorn_cpu), unsigned."""
        if core == self.state.m[state.M_CURRENT]:
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

    def translate(self, address: int, core: int = 0) -> int | None:
        """Return the physical address of a virtual one as the core maps it, None if unmapped."""
        registers = (
            _signed(self.register(core, offset))
            for offset in (
                unicorn_layout.CR0,
                unicorn_layout.CR3,
                unicorn_layout.CR4,
                unicorn_layout.EFER,
            )
        )
        physical = int(self._native.memory.walk(self.state, *registers, _signed(address)))
        return None if physical < 0 else physical

    def versions(self, core: int, address: int) -> tuple[int, ...]:
        """Return the values a core may fetch for the byte at a physical address, newest first."""
        times = np.zeros(state.MAX_HISTORY + 1, np.int64)
        floor = self._native.text.byte_floor(self.state, core, address)
        if self.model == "coherent":
            floor = self.state.m[state.M_TEXT_NOW]
        count = self._native.text.version_times(self.state, address, floor, times)
        code = np.zeros(1, np.uint8)
        values = []
        for time in times[:count]:
            self._native.text.code_at(self.state, np.array([address], np.int64), time, code)
            values.append(int(code[0]))
        return tuple(values)

    def stands_at_unstable(self, core: int) -> bool:
        """Return whether the core's next move is a Fetch."""
        return bool(self._native.run.stands_at_unstable(self.state, core))

    # --- probes, events, recording -------------------------------------------------------------

    def set_probes(self, probes: Iterable[Probe]) -> None:
        """Replace all probes."""
        rows = sorted(probes, key=lambda probe: probe.address)
        if len(rows) > state.MAX_PROBES:
            raise TextpokeError(f"{len(rows)} probes: a machine has room for {state.MAX_PROBES}")
        self.state.lines[:] &= 0xFF ^ state.LINE_PROBE
        for row, probe in enumerate(rows):
            self._check(probe.address, 8)
            self.state.probes[row] = probe.address, probe.kind, probe.argument, probe.task
            self.state.lines[probe.address // state.LINE] |= state.LINE_PROBE
        self.state.m[state.M_PROBES] = len(rows)

    def watch(self, byte: int | None) -> None:
        """Let moves end when this byte is sent on the serial line."""
        self.state.m[state.M_WATCH] = -1 if byte is None else byte

    def record(self) -> None:
        """Keep every move from now on, for `recorded`."""
        self._recorded = []

    def recorded(self) -> NDArray[np.void]:
        """Return the moves made by `drive` and `play` since `record`, with dtype move.ROW."""
        rows = self._recorded or []
        table = np.concatenate(rows) if rows else np.zeros((0, state.MOVE_BYTES), np.uint8)
        return np.ascontiguousarray(table).view(move.ROW).reshape(-1)

    def trace(self, on: bool = True, *, begin: int = 0, end: int = state.FOREVER) -> None:
        """Note every fetch from now on, for `fetches`, in place of those noted before; or stop.

        begin, end: keep those only before which the cores have retired so many instructions,
        end not included.
        """
        if on:
            self._tracing = Tracing(self.state, begin, end)
        self.state.m[state.M_TRACE] = on

    @property
    def fetches(self) -> Fetches:
        """The fetches noted so far."""
        return self._tracing.fetches()

    def _collect(self) -> None:
        """Take over what native code has written."""
        scalars = self.state.m
        self.events.drain(self.state)
        self._tracing.drain(self.state)
        count = int(scalars[state.M_OUTPUT])
        if count:
            self.output += self.state.output[:count].tobytes()
            scalars[state.M_OUTPUT] = 0
        moves = int(scalars[state.M_MOVES])
        if moves:
            rows = self.state.moves[:moves].copy()
            self.moves += moves
            self.recent_moves.add(rows, self.state.places[:moves])
            if self._recorded is not None:
                self._recorded.append(rows)
            scalars[state.M_MOVES] = 0

    # --- snapshots -----------------------------------------------------------------------------

    @property
    def setup(self) -> Setup:
        """What was decided before the machine was switched on."""
        image = self.image
        return Setup(
            image.name,
            image.sha256,
            self.cores,
            self.ram_mib,
            self.command_line,
            self.model,
            self.clock,
        )

    def save(self) -> Snapshot:
        """Return the machine as it is between two moves. Its future does not change."""
        self._ram = snapshot.ram_now(self.state, self._known_ram())
        self._native.dirty.clear(self.state)
        self._ram_epoch = int(self.state.m[state.M_DIRTY_EPOCH])
        return snapshot.take(self.state, self.setup, self._ram)

    def restore(self, saved: Snapshot) -> None:
        """Let the machine be as it was when it was saved, or another of the same setup was.

        Costs as much as differs. Events, output and recorded moves stay: the log goes on.
        """
        if saved.setup != self.setup:
            raise TextpokeError("the snapshot is of another machine: make one from it")
        known = self._known_ram() or pages.scan(self.state)
        for page in snapshot.put_back(self.state, saved, known, self._pristine, self._native):
            if pages.unguarded(self.state, page):
                self._guard(page * _PAGE, (page + 1) * _PAGE)
        self._ram, self._ram_epoch = saved.ram, int(self.state.m[state.M_DIRTY_EPOCH])

    def _known_ram(self) -> Ram | None:
        """Return RAM as it was when the dirty pages were last forgotten, if that was here.

        The reference engine does not see what the page walker changes.
        """
        if self._native.name != COMPILED:
            return None
        return self._ram if self._ram_epoch == self.state.m[state.M_DIRTY_EPOCH] else None

    @classmethod
    def from_snapshot(cls, saved: Snapshot, *, engine: str = COMPILED) -> "Machine":
        """Return a machine that goes on from a snapshot; its kernel's file is not needed."""
        setup = saved.setup
        machine = cls(
            BootImage(setup.image, setup.sha256, "pvh", 0, ()),
            cores=setup.cores,
            ram_mib=setup.ram_mib,
            command_line=setup.command_line,
            model=setup.model,
            clock=setup.clock,
            engine=engine,
        )
        machine.restore(saved)
        return machine

    # --- text guards ---------------------------------------------------------------------------

    def _guard_page(self) -> None:
        page = int(self.state.m[state.M_UNGUARDED])
        self._guard(page, page + _PAGE)

    def _guard(self, start: int, end: int) -> None:
        """Have stores to physical [start, end) reported, whole pages, joined with neighbours."""
        start, end = start & -_PAGE, min(-(-end // _PAGE) * _PAGE, self.state.ram.size)
        for neighbour in [g for g in self._guards if g.start <= end and start <= g.end]:
            start, end = min(start, neighbour.start), max(end, neighbour.end)
            neighbour.remove()
            self._guards.remove(neighbour)
        self._guards.append(self._native.hooks.guard(self._engine, self.state.address, start, end))
        self.state.lines[start // state.LINE : end // state.LINE] |= state.LINE_GUARDED
        self._native.unicorn_blocks.flush_tlb(self.state)

    def _check(self, address: int, size: int) -> None:
        if not 0 <= address <= self.state.ram.size - size:
            raise TextpokeError(f"physical {address:#x}: RAM ends at {self.state.ram.size:#x}")


def _signed(value: int) -> int:
    """Return the same 64 bits as native code has them."""
    return ((value & (1 << 64) - 1) ^ 1 << 63) - (1 << 63)
