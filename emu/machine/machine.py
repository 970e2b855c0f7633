"""The machine as Python sees it: cores, RAM, devices and a clock, moved only by moves.

It knows no kernel: `BootImage` is bytes and an entry, probes are addresses somebody else found.
This class hands native code its turns. Which native code that is, compiled or not, is the choice
of `engines`. What it is made of is `hardware`; what can be seen of it, `machine_view`; what comes
back (events, moves, serial output), `log`.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emu.errors import TextpokeError
from emu.machine import loop, pages, snapshot, state
from emu.machine.boot import BootImage
from emu.machine.engines import COMPILED, engine_called
from emu.machine.hardware import Hardware
from emu.machine.machine_view import MachineView
from emu.machine.pages import Ram
from emu.machine.probes import Probe
from emu.machine.setup import Setup
from emu.machine.snapshot import Snapshot
from emu.machine.word import signed
from emu.moves import move
from emu.moves.chooser import Chooser

DEFAULT_RAM = 64  # MiB


class Machine(MachineView):
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
        native = engine_called(engine)
        setup = Setup(image.name, image.sha256, cores, ram_mib, command_line, model, clock)
        self._hardware = Hardware(image, setup, native)
        super().__init__(image, setup, self._hardware.state, native)
        self._ram: Ram | None = None  # as it was when the dirty pages were last forgotten
        self._ram_epoch = -1

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
        s, start = self.state, self._native.start_registers
        start.long_mode_registers(s, core, cr3, signed(rip), signed(rsp))
        start.set_tables(s, core, signed(gdt[0]), gdt[1], signed(idt[0]), idt[1], signed(tss))
        for number, value in enumerate(registers):
            start.set_general(s, core, number, signed(value))

    # --- moves ---------------------------------------------------------------------------------

    def run(self, core: int, instructions: int) -> int:
        """Make the move Run; returns the instructions it executed."""
        done = 0
        while True:
            done += self._native.run.run(self.state, core, instructions - done)
            reason = self.state.m[state.M_REASON]
            self._log.collect()
            if reason != state.STOP_UNDRAINED:
                return done

    def fetch(self, core: int, ages: Iterable[int]) -> None:
        """Make the move Fetch; raises TextpokeError if the fetch model does not allow it."""
        chosen = np.zeros(15, np.int64)
        given = list(ages)
        chosen[: len(given)] = given
        if not self.stands_at_unstable(core):
            raise TextpokeError(f"core {core} does not stand at unstable bytes")
        if not self._native.fetch.fetch(self.state, core, chosen, len(given)):
            raise TextpokeError(f"{self.model} does not allow core {core} these versions: {given}")
        self._log.collect()

    def make(self, one: move.Move) -> None:
        """Make one move of a core, or a fault; raises TextpokeError if it is not possible now."""
        why, done = self.play(move.encode([one]))
        if not done:
            raise TextpokeError(f"{one} is not possible here: {loop.WHY[why]}")

    def drive(
        self,
        chooser: Chooser,
        *,
        moves: int = 1 << 62,
        instructions: int = 1 << 62,
        to_event: bool = False,
    ) -> int:
        """Let a chooser make moves; returns why it stopped, one of the reasons in `loop`.

        to_event: stop with the first move that makes an event.
        PATCHER: the caller has to make the patcher's next step before it comes back.
        """
        limits = np.array([moves, instructions, to_event], np.int64)
        begin = len(self.events)
        while True:
            left = int(limits[0])
            why = int(self._native.loop.drive(self.state, chooser.native, chooser.random, limits))
            self._log.collect()
            chooser.made += left - int(limits[0])
            if why != loop.DRAIN:
                return why
            if to_event and len(self.events) > begin:
                limits[0] = 0  # a move that was paused comes to its end, and no other begins

    def play(
        self, rows: NDArray[np.void], at: int = 0, *, instructions: int = 1 << 62
    ) -> tuple[int, int]:
        """Make the moves of a script from row `at` on; returns (reason, next row)."""
        script = rows.view(np.uint8).reshape(len(rows), state.MOVE_BYTES)
        position = np.array([at], np.int64)
        limits = np.array([1 << 62, instructions], np.int64)
        while True:
            why = int(self._native.loop.play(self.state, script, position, limits))
            self._log.collect()
            if why != loop.DRAIN:
                return why, int(position[0])

    # --- from outside --------------------------------------------------------------------------

    def store(self, address: int, data: bytes) -> None:
        """Store to physical memory from outside; text becomes versions."""
        self._check(address, len(data))
        self._native.poke.store(self.state, address, np.frombuffer(data, np.uint8))
        self._log.collect()

    def interrupt(self, vector: int, cores: int) -> None:
        """Make a fixed interrupt pending at the cores of a bit mask."""
        self._native.poke.send(self.state, vector, cores)
        self._log.collect()

    def send_input(self, data: bytes) -> None:
        """Let bytes come in on the serial line, behind those that still wait there."""
        row = np.frombuffer(data, np.uint8).astype(np.int64)
        if not self._native.poke.send_input(self.state, row, len(data)):
            waiting = state.MAX_INPUT - self.input_room
            raise TextpokeError(
                f"{len(data)} bytes of serial input: {waiting} of at most {state.MAX_INPUT} "
                "still wait for the guest to read them"
            )
        self._log.collect()

    def note(self, kind: int, core: int, a: int, b: int) -> None:
        """Append an event from outside; kinds are in `events`."""
        self._native.events.emit(self.state, core, kind, 0, a, b, 0, 0)
        self._log.collect()

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

    # --- what is watched -----------------------------------------------------------------------

    def set_probes(self, probes: Iterable[Probe]) -> None:
        """Replace all probes."""
        rows = sorted(probes, key=lambda probe: probe.address)
        if len(rows) > state.MAX_PROBES:
            raise TextpokeError(f"{len(rows)} probes: a machine has room for {state.MAX_PROBES}")
        self.state.lines[:] &= 0xFF ^ state.LINE_PROBE
        for row, probe in enumerate(rows):
            self._check(probe.address, 8)
            self.state.probes[row] = probe.row
            self.state.lines[probe.address // state.LINE] |= state.LINE_PROBE
        self.state.m[state.M_PROBES] = len(rows)

    def guard_text(self, text: Iterable[range]) -> None:
        """Let all stores to these physical addresses be events, as to what the image says is code.

        For a kernel that was unpacked, or moved, by itself.
        """
        for each in text:
            self._check(each.start, len(each))
            self._native.guards.guard_image_text(self.state, each.start, each.stop)

    def watch(self, byte: int | None) -> None:
        """Let moves end when this byte is sent on the serial line."""
        self.state.m[state.M_WATCH] = -1 if byte is None else byte

    def record(self) -> None:
        """Keep every move from now on, for `recorded`."""
        self._log.record()

    def trace(self, on: bool = True, *, begin: int = 0, end: int = state.FOREVER) -> None:
        """Note every fetch from now on, for `fetches`, in place of those noted before; or stop.

        begin, end: keep those only before which the cores have retired so many instructions,
        end not included.
        """
        if on:
            self._log.trace(begin=begin, end=end)
        else:
            self.state.m[state.M_TRACE] = False

    # --- snapshots -----------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return the machine as it is between two moves. Its future does not change."""
        ram = snapshot.ram_now(self.state, self._known_ram())
        self._native.dirty.clear(self.state)
        self._note_ram(ram)
        return snapshot.take(self.state, self.setup, ram)

    def restore(self, saved: Snapshot) -> None:
        """Let the machine be as it was when it was saved, or another of the same setup was.

        Costs as much as differs. Events, output and recorded moves stay: the log goes on.
        """
        if saved.setup != self.setup:
            raise TextpokeError("the snapshot is of another machine: make one from it")
        known = self._known_ram() or pages.scan(self.state)
        snapshot.put_back(self.state, saved, known, self._hardware.pristine, self._native)
        self._note_ram(saved.ram)

    def _note_ram(self, ram: Ram) -> None:
        """Take note of what RAM is now, or was when the dirty pages were last forgotten."""
        self._ram, self._ram_epoch = ram, int(self.state.m[state.M_DIRTY_EPOCH])

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
        machine._note_ram(pages.scan(machine.state, 1))  # no kernel: nothing lies above (`boot`)
        machine.restore(saved)
        machine._native.guards.guard_text_again(machine.state)
        return machine
